-- What the clock has to do, found by an index: tasks that are due, values and data keys that are no longer in use, and
-- how many objects there are.
-- docs/schema.md explains.

-- Objects of each kind in all namespaces. A row that would be 0 is not there.
CREATE TABLE resource_totals (
  api_group TEXT NOT NULL,
  resource TEXT NOT NULL,
  total INTEGER NOT NULL,
  PRIMARY KEY (api_group, resource)
) STRICT, WITHOUT ROWID;

INSERT INTO resource_totals (api_group, resource, total)
SELECT api_group, resource, count(*) FROM resources GROUP BY api_group, resource;

CREATE TRIGGER resources_counted AFTER INSERT ON resources BEGIN
  INSERT INTO resource_totals (api_group, resource, total) VALUES (NEW.api_group, NEW.resource, 1)
  ON CONFLICT DO UPDATE SET total = total + 1;
END;

CREATE TRIGGER resources_discounted AFTER DELETE ON resources BEGIN
  UPDATE resource_totals SET total = total - 1 WHERE api_group = OLD.api_group AND resource = OLD.resource;
  DELETE FROM resource_totals WHERE api_group = OLD.api_group AND resource = OLD.resource AND total <= 0;
END;

-- One row for each SyncTask. The triggers have a task looked at whenever its schedule is another, whoever wrote it.
CREATE TABLE sync_due (
  task_uid TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  schedule TEXT,
  due_at INTEGER,
  look_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX sync_due_look ON sync_due (look_at) WHERE look_at IS NOT NULL;

INSERT INTO sync_due (task_uid, namespace, name, schedule, due_at, look_at)
SELECT uid, namespace, name,
  iif(json_extract(object, '$.spec.enabled') AND json_extract(object, '$.metadata.deletionTimestamp') IS NULL,
    json_extract(object, '$.spec.schedule'), NULL),
  1000 * CAST(strftime('%s', json_extract(object, '$.status.nextRuns[0]')) AS INTEGER),
  0
FROM resources WHERE api_group = 'sync.entrepot.dev' AND resource = 'synctasks';

CREATE TRIGGER sync_tasks_added AFTER INSERT ON resources
WHEN NEW.api_group = 'sync.entrepot.dev' AND NEW.resource = 'synctasks' BEGIN
  INSERT INTO sync_due (task_uid, namespace, name, schedule, look_at)
  VALUES (NEW.uid, NEW.namespace, NEW.name,
    iif(json_extract(NEW.object, '$.spec.enabled') AND json_extract(NEW.object, '$.metadata.deletionTimestamp') IS NULL,
      json_extract(NEW.object, '$.spec.schedule'), NULL),
    0);
END;

CREATE TRIGGER sync_tasks_changed AFTER UPDATE ON resources
WHEN NEW.api_group = 'sync.entrepot.dev' AND NEW.resource = 'synctasks' BEGIN
  DELETE FROM sync_due WHERE task_uid = OLD.uid AND OLD.uid <> NEW.uid;
  INSERT INTO sync_due (task_uid, namespace, name, schedule, look_at)
  VALUES (NEW.uid, NEW.namespace, NEW.name,
    iif(json_extract(NEW.object, '$.spec.enabled') AND json_extract(NEW.object, '$.metadata.deletionTimestamp') IS NULL,
      json_extract(NEW.object, '$.spec.schedule'), NULL),
    0)
  ON CONFLICT DO UPDATE SET schedule = excluded.schedule, due_at = NULL, look_at = 0
  WHERE schedule IS NOT excluded.schedule;
END;

CREATE TRIGGER sync_tasks_removed AFTER DELETE ON resources
WHEN OLD.api_group = 'sync.entrepot.dev' AND OLD.resource = 'synctasks' BEGIN
  DELETE FROM sync_due WHERE task_uid = OLD.uid;
END;

-- A version of a value is in use while the SecureValue names it, which it does in an annotation: "<version>/<id>".
CREATE TRIGGER secure_values_added AFTER INSERT ON resources
WHEN NEW.api_group = 'secret.entrepot.dev' AND NEW.resource = 'securevalues' BEGIN
  UPDATE secret_values SET inactive_at = NULL
  WHERE id = substr(json_extract(NEW.object, '$.metadata.annotations."secret.entrepot.dev/current"'), -36)
    AND namespace = NEW.namespace AND name = NEW.name;
END;

CREATE TRIGGER secure_values_changed AFTER UPDATE ON resources
WHEN NEW.api_group = 'secret.entrepot.dev' AND NEW.resource = 'securevalues'
  AND json_extract(NEW.object, '$.metadata.annotations."secret.entrepot.dev/current"')
    IS NOT json_extract(OLD.object, '$.metadata.annotations."secret.entrepot.dev/current"') BEGIN
  UPDATE secret_values SET inactive_at = iif(
    id = substr(json_extract(NEW.object, '$.metadata.annotations."secret.entrepot.dev/current"'), -36),
    NULL,
    coalesce(inactive_at, (SELECT occurred_at FROM resource_events ORDER BY rv DESC LIMIT 1)))
  WHERE namespace = NEW.namespace AND name = NEW.name;
END;

-- The change log has the deletion already, by the platform's clock.
CREATE TRIGGER secure_values_removed AFTER DELETE ON resources
WHEN OLD.api_group = 'secret.entrepot.dev' AND OLD.resource = 'securevalues' BEGIN
  UPDATE secret_values
  SET inactive_at = coalesce(inactive_at, (SELECT occurred_at FROM resource_events ORDER BY rv DESC LIMIT 1))
  WHERE namespace = OLD.namespace AND name = OLD.name;
END;

CREATE INDEX secret_values_inactive ON secret_values (inactive_at) WHERE inactive_at IS NOT NULL;
CREATE INDEX secret_data_keys_retired ON secret_data_keys (id) WHERE retired_at IS NOT NULL;

UPDATE secret_values SET inactive_at = 1000 * CAST(strftime('%s') AS INTEGER)
WHERE inactive_at IS NULL AND id IS NOT (
  SELECT substr(json_extract(object, '$.metadata.annotations."secret.entrepot.dev/current"'), -36) FROM resources
  WHERE api_group = 'secret.entrepot.dev' AND resource = 'securevalues'
    AND resources.namespace = secret_values.namespace AND resources.name = secret_values.name);
