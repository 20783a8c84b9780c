SELECT read_ms, ack_ms, ack_by, ack_comment
FROM deliveries
WHERE inbox = ?1 AND offset = ?2
