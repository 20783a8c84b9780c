SELECT instance, details, registered_ms, beat_ms
FROM presence
WHERE namespace = ?1
ORDER BY instance
