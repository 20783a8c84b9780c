SELECT member, connection, since_ms, info FROM room_occupants
WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND ends_ms > ?4
ORDER BY member, since_ms, connection
LIMIT ?5
