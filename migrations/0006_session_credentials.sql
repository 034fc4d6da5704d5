-- What a session was made of. Sessions from before this column end: whether their passwords are the same is not known.
ALTER TABLE access_sessions ADD COLUMN credential TEXT NOT NULL DEFAULT '';
