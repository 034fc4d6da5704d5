-- Objects of the resource API, and every change to them. docs/schema.md explains every table.

CREATE TABLE resource_events (
  rv INTEGER PRIMARY KEY AUTOINCREMENT,
  api_group TEXT NOT NULL,
  resource TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('ADDED', 'MODIFIED', 'DELETED')),
  object TEXT NOT NULL,
  previous_rv INTEGER,
  occurred_at INTEGER NOT NULL
) STRICT;

CREATE INDEX resource_events_kind ON resource_events (api_group, resource, rv);
CREATE INDEX resource_events_object ON resource_events (api_group, resource, namespace, name, rv);
CREATE INDEX resource_events_occurred ON resource_events (occurred_at);

CREATE TABLE resources (
  api_group TEXT NOT NULL,
  resource TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  uid TEXT NOT NULL UNIQUE,
  rv INTEGER NOT NULL,
  object TEXT NOT NULL,
  PRIMARY KEY (api_group, resource, namespace, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX resources_namespace ON resources (namespace);

CREATE TABLE resource_owners (
  owner_uid TEXT NOT NULL,
  uid TEXT NOT NULL REFERENCES resources (uid) ON DELETE CASCADE,
  PRIMARY KEY (owner_uid, uid)
) STRICT, WITHOUT ROWID;

CREATE INDEX resource_owners_dependent ON resource_owners (uid);
