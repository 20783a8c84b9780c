-- When a node last took a check of a provider, so that no other makes the same one.
ALTER TABLE providers ADD COLUMN claimed_ms INTEGER;
