UPDATE inboxes SET member = 0
WHERE id IN (
    SELECT id FROM inboxes INDEXED BY inboxes_members_by_sight
    WHERE member = 1 AND seen_ms < ?1
    ORDER BY seen_ms
    LIMIT ?2
)
