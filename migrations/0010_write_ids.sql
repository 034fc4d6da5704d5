-- A name for each write, by which one whose answer was lost is told from another that says the same at the same time.
ALTER TABLE resource_events ADD COLUMN write_id TEXT;
