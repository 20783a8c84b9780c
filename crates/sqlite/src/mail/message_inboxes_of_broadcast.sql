SELECT inboxes.id, inboxes.instance, namespaces.name
FROM deliveries AS delivery INDEXED BY deliveries_of_broadcast
JOIN inboxes ON inboxes.id = delivery.inbox
JOIN namespaces ON namespaces.id = inboxes.namespace
WHERE delivery.broadcast = 1 AND delivery.offset = ?1
