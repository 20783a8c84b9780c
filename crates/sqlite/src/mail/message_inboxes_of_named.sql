SELECT inboxes.id, inboxes.instance, namespaces.name
FROM messages
CROSS JOIN json_each(messages.recipients) AS recipient
CROSS JOIN inboxes ON inboxes.id = recipient.value
CROSS JOIN namespaces ON namespaces.id = messages.namespace
WHERE messages.offset = ?1
