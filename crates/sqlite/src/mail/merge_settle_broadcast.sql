UPDATE deliveries SET unread = 0, pending = 0
WHERE broadcast = 1 AND offset = ?1
