DELETE FROM deliveries
WHERE offset = ?1
  AND inbox IN (
      SELECT recipient.value FROM messages JOIN json_each(messages.recipients) AS recipient
      WHERE messages.offset = ?1
  )
