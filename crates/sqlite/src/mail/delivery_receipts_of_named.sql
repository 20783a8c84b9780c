SELECT delivery.read_ms, delivery.ack_ms, delivery.ack_by, delivery.ack_comment, inboxes.instance
FROM messages
CROSS JOIN json_each(messages.recipients) AS recipient
CROSS JOIN deliveries AS delivery ON delivery.inbox = recipient.value AND delivery.offset = messages.offset
CROSS JOIN inboxes ON inboxes.id = delivery.inbox
WHERE messages.offset = ?1
ORDER BY inboxes.instance
