-- Counters and indexes, so that no statement of the clock reads a whole table. docs/schema.md explains.

-- Objects of each kind in each namespace. A row that would be 0 is not there.
CREATE TABLE resource_counts (
  api_group TEXT NOT NULL,
  resource TEXT NOT NULL,
  namespace TEXT NOT NULL,
  total INTEGER NOT NULL,
  PRIMARY KEY (api_group, resource, namespace)
) STRICT, WITHOUT ROWID;

-- Owners that are named and do not exist.
CREATE TABLE resource_owners_gone (
  uid TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE INDEX resources_deleting ON resources (uid)
  WHERE json_extract(object, '$.metadata.deletionTimestamp') IS NOT NULL;

CREATE INDEX resource_events_deletions ON resource_events (api_group, resource, rv) WHERE type = 'DELETED';

-- How much content there is: one row.
CREATE TABLE content_counts (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  repositories INTEGER NOT NULL,
  manifests INTEGER NOT NULL,
  tags INTEGER NOT NULL,
  blobs INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;

INSERT INTO resource_counts (api_group, resource, namespace, total)
SELECT api_group, resource, namespace, count(*) FROM resources GROUP BY api_group, resource, namespace;

INSERT INTO resource_owners_gone (uid)
SELECT DISTINCT owner_uid FROM resource_owners
WHERE NOT EXISTS (SELECT 1 FROM resources WHERE resources.uid = resource_owners.owner_uid);

INSERT INTO content_counts (id, repositories, manifests, tags, blobs, bytes)
SELECT 1,
  (SELECT count(DISTINCT repository_id) FROM manifests),
  (SELECT count(*) FROM manifests),
  (SELECT count(*) FROM tags),
  (SELECT count(*) FROM blobs),
  (SELECT coalesce(sum(size), 0) FROM blobs);

CREATE TRIGGER resources_added AFTER INSERT ON resources BEGIN
  INSERT INTO resource_counts (api_group, resource, namespace, total)
  VALUES (NEW.api_group, NEW.resource, NEW.namespace, 1)
  ON CONFLICT DO UPDATE SET total = total + 1;
  DELETE FROM resource_owners_gone WHERE uid = NEW.uid;
END;

CREATE TRIGGER resources_removed AFTER DELETE ON resources BEGIN
  UPDATE resource_counts SET total = total - 1
  WHERE api_group = OLD.api_group AND resource = OLD.resource AND namespace = OLD.namespace;
  DELETE FROM resource_counts
  WHERE api_group = OLD.api_group AND resource = OLD.resource AND namespace = OLD.namespace AND total <= 0;
  INSERT INTO resource_owners_gone (uid)
  SELECT OLD.uid WHERE EXISTS (SELECT 1 FROM resource_owners WHERE owner_uid = OLD.uid)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER resource_owners_added AFTER INSERT ON resource_owners
WHEN NOT EXISTS (SELECT 1 FROM resources WHERE uid = NEW.owner_uid) BEGIN
  INSERT INTO resource_owners_gone (uid) VALUES (NEW.owner_uid) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER resource_owners_removed AFTER DELETE ON resource_owners
WHEN NOT EXISTS (SELECT 1 FROM resource_owners WHERE owner_uid = OLD.owner_uid) BEGIN
  DELETE FROM resource_owners_gone WHERE uid = OLD.owner_uid;
END;

CREATE TRIGGER manifests_added AFTER INSERT ON manifests BEGIN
  UPDATE content_counts SET manifests = manifests + 1, repositories = repositories + NOT EXISTS (
    SELECT 1 FROM manifests m WHERE m.repository_id = NEW.repository_id AND m.digest <> NEW.digest);
END;

CREATE TRIGGER manifests_removed AFTER DELETE ON manifests BEGIN
  UPDATE content_counts SET manifests = manifests - 1, repositories = repositories - NOT EXISTS (
    SELECT 1 FROM manifests m WHERE m.repository_id = OLD.repository_id);
END;

CREATE TRIGGER tags_added AFTER INSERT ON tags BEGIN
  UPDATE content_counts SET tags = tags + 1;
END;

CREATE TRIGGER tags_removed AFTER DELETE ON tags BEGIN
  UPDATE content_counts SET tags = tags - 1;
END;

CREATE TRIGGER blobs_added AFTER INSERT ON blobs BEGIN
  UPDATE content_counts SET blobs = blobs + 1, bytes = bytes + NEW.size;
END;

CREATE TRIGGER blobs_removed AFTER DELETE ON blobs BEGIN
  UPDATE content_counts SET blobs = blobs - 1, bytes = bytes - OLD.size;
END;
