INSERT INTO presence (namespace, instance, details, registered_ms, beat_ms)
VALUES (:namespace, :instance, :details, :now_ms, :now_ms)
ON CONFLICT DO UPDATE SET
    details = excluded.details,
    registered_ms = excluded.registered_ms,
    beat_ms = excluded.beat_ms
