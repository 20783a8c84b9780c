SELECT instance, id, seen_ms, total, pending
FROM inboxes
WHERE namespace = ?1 AND member = 1 AND instance <> ?2
ORDER BY instance
