INSERT INTO event_copies (owner, ms, seq, event_id, type, room, timestamp_ms, payload, metadata)
SELECT :owner, ms, seq, event_id, type, room, timestamp_ms, payload, metadata FROM events
WHERE log = :log AND ms = :ms AND seq = :seq
