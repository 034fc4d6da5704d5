-- Mirroring: what a run deleted, and the next item of a run without a look at those that are done.

ALTER TABLE sync_executions ADD COLUMN tags_deleted INTEGER NOT NULL DEFAULT 0;

CREATE INDEX sync_items_waiting ON sync_items (execution, not_before) WHERE state = 'pending';
CREATE INDEX sync_items_leased ON sync_items (execution, lease_until) WHERE state = 'copying';
