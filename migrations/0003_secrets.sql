-- Secrets: values under data keys of their namespace, data keys under the key of SECRETS_KEY. docs/schema.md explains.

CREATE TABLE secret_data_keys (
  id TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  master_key TEXT NOT NULL,
  wrapped TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  retired_at INTEGER
) STRICT, WITHOUT ROWID;

-- One key of a namespace encrypts; those before it only decrypt.
CREATE UNIQUE INDEX secret_data_keys_active ON secret_data_keys (namespace) WHERE retired_at IS NULL;
CREATE INDEX secret_data_keys_master ON secret_data_keys (master_key);

-- Versions of values. Which one is current, the SecureValue says.
CREATE TABLE secret_values (
  id TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  data_key TEXT NOT NULL REFERENCES secret_data_keys (id),
  ciphertext TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  inactive_at INTEGER,
  UNIQUE (namespace, name, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX secret_values_data_key ON secret_values (data_key, id);

-- Who asked for which value, and what came of it. Never a value.
CREATE TABLE secret_audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  occurred_at INTEGER NOT NULL,
  service TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER,
  outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'not-found', 'not-authorized', 'failed'))
) STRICT;

CREATE INDEX secret_audit_occurred ON secret_audit (occurred_at);
CREATE INDEX secret_audit_object ON secret_audit (namespace, name, id);
