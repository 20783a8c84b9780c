SELECT delivery.read_ms, delivery.ack_ms, delivery.ack_by, delivery.ack_comment, inboxes.instance
FROM deliveries AS delivery INDEXED BY deliveries_of_broadcast
JOIN inboxes ON inboxes.id = delivery.inbox
WHERE delivery.broadcast = 1 AND delivery.offset = ?1
ORDER BY inboxes.instance
