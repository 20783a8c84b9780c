SELECT place.offset, place.kept, message.expires_ms, message.kind, message.sender
FROM deliveries AS place NOT INDEXED
CROSS JOIN messages AS message ON message.offset = place.offset
WHERE place.inbox = ?1 AND place.offset > ?2
ORDER BY place.offset
