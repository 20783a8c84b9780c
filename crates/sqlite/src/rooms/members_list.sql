SELECT member, until_ms FROM room_members
WHERE namespace = ?1 AND stream = ?2 AND room = ?3 AND member > ?4 AND (until_ms IS NULL OR until_ms > ?5)
ORDER BY member
LIMIT ?6
