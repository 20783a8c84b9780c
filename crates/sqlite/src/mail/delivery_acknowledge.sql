UPDATE deliveries
SET ack_ms = :at, ack_by = :by, ack_comment = :comment, pending = 0
WHERE inbox = :inbox AND offset = :offset
