SELECT g.id, g.log, g.delivered_ms, g.delivered_seq, l.trimmed_ms, l.trimmed_seq
FROM event_logs AS l
JOIN event_groups AS g ON g.log = l.id
WHERE l.namespace = ?1 AND l.stream = ?2 AND l.partition = ?3 AND g.name = ?4
