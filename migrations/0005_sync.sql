-- Mirroring: runs of tasks and what is remembered between them. docs/schema.md explains every table. Registries, tasks
-- and channels are objects (0002).

-- Counts changes to executions, for watches. Versions up to `pruned` are no longer kept in full.
CREATE TABLE sync_versions (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  rv INTEGER NOT NULL,
  pruned INTEGER NOT NULL
) STRICT;

INSERT INTO sync_versions (id, rv, pruned) VALUES (1, 1, 0);

CREATE TABLE sync_executions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uid TEXT NOT NULL UNIQUE,
  namespace TEXT NOT NULL,
  task TEXT NOT NULL,
  task_uid TEXT NOT NULL,
  cause TEXT NOT NULL CHECK (cause IN ('manual', 'schedule', 'retry')),
  actor TEXT NOT NULL,
  scheduled_at INTEGER,
  dry_run INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
  only_failed_of INTEGER,
  tags TEXT,
  state TEXT NOT NULL CHECK (
    state IN ('pending', 'planning', 'running', 'succeeded', 'partial', 'failed', 'canceled', 'unchanged')
  ),
  stop_requested INTEGER NOT NULL DEFAULT 0 CHECK (stop_requested IN (0, 1)),
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  heartbeat_at INTEGER NOT NULL,
  resumes INTEGER NOT NULL DEFAULT 0,
  items_total INTEGER NOT NULL DEFAULT 0,
  items_copied INTEGER NOT NULL DEFAULT 0,
  items_unchanged INTEGER NOT NULL DEFAULT 0,
  items_skipped INTEGER NOT NULL DEFAULT 0,
  items_failed INTEGER NOT NULL DEFAULT 0,
  blobs_total INTEGER NOT NULL DEFAULT 0,
  blobs_copied INTEGER NOT NULL DEFAULT 0,
  blobs_mounted INTEGER NOT NULL DEFAULT 0,
  blobs_skipped INTEGER NOT NULL DEFAULT 0,
  blobs_failed INTEGER NOT NULL DEFAULT 0,
  bytes_total INTEGER NOT NULL DEFAULT 0,
  bytes_copied INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  created_rv INTEGER NOT NULL,
  rv INTEGER NOT NULL,
  deleted_at INTEGER
) STRICT;

-- A due run is claimed once, and a task runs once at a time.
CREATE UNIQUE INDEX sync_executions_due ON sync_executions (task_uid, scheduled_at) WHERE scheduled_at IS NOT NULL;
CREATE UNIQUE INDEX sync_executions_active ON sync_executions (task_uid)
  WHERE state IN ('pending', 'planning', 'running');
CREATE INDEX sync_executions_task ON sync_executions (task_uid, id);
CREATE INDEX sync_executions_named ON sync_executions (namespace, task, id);
CREATE INDEX sync_executions_heartbeat ON sync_executions (heartbeat_at)
  WHERE state IN ('pending', 'planning', 'running');
CREATE INDEX sync_executions_rv ON sync_executions (rv);
CREATE INDEX sync_executions_ended ON sync_executions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sync_executions_deleted ON sync_executions (deleted_at) WHERE deleted_at IS NOT NULL;

-- The latest due time of a task that was claimed, also when its execution is gone.
CREATE TABLE sync_schedules (
  task_uid TEXT NOT NULL PRIMARY KEY,
  claimed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One tag of one source repository, to be copied to all targets.
CREATE TABLE sync_items (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  execution INTEGER NOT NULL REFERENCES sync_executions (id) ON DELETE CASCADE,
  repository TEXT NOT NULL,
  tag TEXT NOT NULL,
  digest TEXT NOT NULL,
  targets TEXT NOT NULL,
  state TEXT NOT NULL CHECK (
    state IN ('pending', 'copying', 'copied', 'unchanged', 'skipped', 'failed', 'conflict', 'canceled')
  ),
  attempts INTEGER NOT NULL DEFAULT 0,
  error_class TEXT,
  error TEXT,
  bytes INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER,
  ended_at INTEGER,
  not_before INTEGER NOT NULL DEFAULT 0,
  lease_until INTEGER NOT NULL DEFAULT 0,
  UNIQUE (execution, repository, tag)
) STRICT;

CREATE INDEX sync_items_state ON sync_items (execution, state, id);

CREATE TABLE sync_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  execution INTEGER NOT NULL REFERENCES sync_executions (id) ON DELETE CASCADE,
  logged_at INTEGER NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('debug', 'info', 'warn', 'error')),
  message TEXT NOT NULL
) STRICT;

CREATE INDEX sync_logs_execution ON sync_logs (execution, id);

-- Where uploads of large layers stand.
CREATE TABLE sync_checkpoints (
  key TEXT NOT NULL PRIMARY KEY,
  location TEXT NOT NULL,
  position INTEGER NOT NULL,
  execution INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sync_checkpoints_updated ON sync_checkpoints (updated_at);

-- What was written for a source digest, if it was rewritten on the way.
CREATE TABLE sync_written (
  task_uid TEXT NOT NULL,
  target TEXT NOT NULL,
  repository TEXT NOT NULL,
  source_digest TEXT NOT NULL,
  written_digest TEXT NOT NULL,
  written_at INTEGER NOT NULL,
  PRIMARY KEY (task_uid, target, repository, source_digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX sync_written_at ON sync_written (written_at);

-- When images were last looked at for what belongs to them, such as signatures.
CREATE TABLE sync_checks (
  task_uid TEXT NOT NULL,
  image TEXT NOT NULL,
  checked_at INTEGER NOT NULL,
  PRIMARY KEY (task_uid, image)
) STRICT, WITHOUT ROWID;

CREATE INDEX sync_checks_at ON sync_checks (checked_at);

-- When images were made, as their configs say.
CREATE TABLE sync_created (
  registry TEXT NOT NULL,
  digest TEXT NOT NULL,
  created INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (registry, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX sync_created_seen ON sync_created (seen_at);

-- Numbers by which the REST API calls objects.
CREATE TABLE sync_ids (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('registry', 'task', 'channel')),
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (kind, namespace, name)
) STRICT;
