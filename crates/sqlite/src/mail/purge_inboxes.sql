-- Names that nothing refers to any more. One that lost mail unread is kept, so that its reader is told.
DELETE FROM inboxes
WHERE id IN (
    SELECT id FROM inboxes INDEXED BY inboxes_unused
    WHERE member = 0 AND total = 0 AND dropped_to IS NULL AND seen_ms < ?1
      AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.inbox = inboxes.id)
    LIMIT ?2
)
