-- Repositories and what they hold. docs/schema.md explains every table.

CREATE TABLE repositories (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  namespace TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX repositories_namespace ON repositories (namespace, name);

CREATE TABLE blobs (
  digest TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  storage_key TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  condemned_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX blobs_condemned ON blobs (condemned_at) WHERE condemned_at IS NOT NULL;

CREATE TABLE repository_blobs (
  repository_id INTEGER NOT NULL REFERENCES repositories (id),
  digest TEXT NOT NULL REFERENCES blobs (digest),
  linked_at INTEGER NOT NULL,
  orphaned_at INTEGER,
  PRIMARY KEY (repository_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX repository_blobs_digest ON repository_blobs (digest);
CREATE INDEX repository_blobs_orphaned ON repository_blobs (orphaned_at) WHERE orphaned_at IS NOT NULL;

CREATE TABLE manifests (
  repository_id INTEGER NOT NULL REFERENCES repositories (id),
  digest TEXT NOT NULL REFERENCES blobs (digest),
  media_type TEXT NOT NULL,
  artifact_type TEXT,
  subject TEXT,
  annotations TEXT,
  pushed_at INTEGER NOT NULL,
  PRIMARY KEY (repository_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX manifests_digest ON manifests (digest);
CREATE INDEX manifests_subject ON manifests (repository_id, subject, digest) WHERE subject IS NOT NULL;

CREATE TABLE manifest_references (
  repository_id INTEGER NOT NULL,
  manifest_digest TEXT NOT NULL,
  target_digest TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('config', 'layer', 'manifest')),
  PRIMARY KEY (repository_id, manifest_digest, target_digest),
  FOREIGN KEY (repository_id, manifest_digest) REFERENCES manifests (repository_id, digest) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX manifest_references_target ON manifest_references (repository_id, target_digest);

CREATE TABLE tags (
  repository_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (repository_id, name),
  FOREIGN KEY (repository_id, digest) REFERENCES manifests (repository_id, digest) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_digest ON tags (repository_id, digest);

-- What happened, written in the batch that made it happen.
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  occurred_at INTEGER NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('push', 'delete')),
  repository TEXT NOT NULL,
  digest TEXT NOT NULL,
  tag TEXT,
  media_type TEXT,
  actor TEXT NOT NULL
) STRICT;

CREATE INDEX events_occurred ON events (occurred_at);

-- Values that belong to this installation, such as generated keys.
CREATE TABLE instance (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
