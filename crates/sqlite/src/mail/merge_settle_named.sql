UPDATE deliveries SET unread = 0, pending = 0
WHERE offset = ?1
  AND inbox IN (
      SELECT recipient.value FROM messages JOIN json_each(messages.recipients) AS recipient
      WHERE messages.offset = ?1
  )
