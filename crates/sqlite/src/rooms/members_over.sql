SELECT m.namespace, m.stream, m.room, m.member, n.name
FROM room_members AS m JOIN namespaces AS n ON n.id = m.namespace
WHERE m.until_ms <= ?1
LIMIT ?2
