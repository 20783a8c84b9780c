UPDATE deliveries
SET kept = 0, unread = 0
WHERE inbox = ?1
  AND offset IN (
      SELECT offset FROM deliveries
      WHERE inbox = ?1 AND kept = 1 AND pending = 0
      ORDER BY offset
      LIMIT ?2
  )
