-- By which issuer whoever made a credential had signed in, if it was not by this server's own: what the settings give to
-- a name is not for those whom another party named, nor for what they made.
ALTER TABLE access_keys ADD COLUMN issuer TEXT;
ALTER TABLE access_refresh_tokens ADD COLUMN issuer TEXT;
