SELECT place.offset, place.kept, message.expires_ms, message.kind, message.sender
FROM deliveries AS place INDEXED BY deliveries_unread
CROSS JOIN messages AS message ON message.offset = place.offset
WHERE place.inbox = ?1 AND place.offset > ?2 AND place.unread = 1
ORDER BY place.offset
