SELECT o.namespace, o.stream, o.room, o.connection, n.name
FROM room_occupants AS o JOIN namespaces AS n ON n.id = o.namespace
WHERE o.ends_ms <= ?1
LIMIT ?2
