-- Credentials and the audit. docs/schema.md explains every table. Users, roles and bindings are objects (0002).

-- Counts changes to passwords, keys and sessions, so that isolates know when to forget what they remember.
CREATE TABLE access_generation (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  generation INTEGER NOT NULL
) STRICT;

INSERT INTO access_generation (id, generation) VALUES (1, 1);

CREATE TABLE access_passwords (
  user TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- API keys of users and service accounts; never the keys themselves.
CREATE TABLE access_keys (
  id TEXT NOT NULL PRIMARY KEY,
  identity TEXT NOT NULL,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER,
  replaces TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX access_keys_identity ON access_keys (identity, created_at);
CREATE INDEX access_keys_expires ON access_keys (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX access_keys_revoked ON access_keys (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE access_sessions (
  id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  identity TEXT NOT NULL,
  issuer TEXT,
  credential TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX access_sessions_expires ON access_sessions (expires_at);
CREATE INDEX access_sessions_identity ON access_sessions (identity);

-- Refresh tokens of the token service.
CREATE TABLE access_refresh_tokens (
  id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  identity TEXT NOT NULL,
  credential_type TEXT NOT NULL,
  credential_id TEXT,
  service TEXT NOT NULL,
  client_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX access_refresh_tokens_expires ON access_refresh_tokens (expires_at);
CREATE INDEX access_refresh_tokens_identity ON access_refresh_tokens (identity);

-- Keys that the token service signs with: the newest signs, those before it still verify.
CREATE TABLE access_signing_keys (
  kid TEXT NOT NULL PRIMARY KEY,
  private_jwk TEXT NOT NULL,
  public_jwk TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX access_signing_keys_created ON access_signing_keys (created_at);

-- Who did what. Rows are sealed in the order of their ids: each hash covers the row and the hash before it.
CREATE TABLE audit_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  occurred_at INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  identity TEXT NOT NULL,
  credential_type TEXT NOT NULL,
  credential_id TEXT,
  address TEXT,
  user_agent TEXT,
  verb TEXT NOT NULL,
  api_group TEXT NOT NULL,
  resource TEXT NOT NULL,
  subresource TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  allowed INTEGER NOT NULL CHECK (allowed IN (0, 1)),
  reason TEXT NOT NULL,
  status INTEGER NOT NULL,
  hash TEXT
) STRICT;

CREATE INDEX audit_events_occurred ON audit_events (occurred_at);
CREATE INDEX audit_events_identity ON audit_events (identity, id);
CREATE INDEX audit_events_object ON audit_events (resource, namespace, name, id);
CREATE INDEX audit_events_refused ON audit_events (id) WHERE allowed = 0;
CREATE INDEX audit_events_unsealed ON audit_events (id) WHERE hash IS NULL;
