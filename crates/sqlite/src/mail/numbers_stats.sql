SELECT
    messages,
    waiting,
    (SELECT count(*) FROM inboxes WHERE inboxes.namespace = namespaces.id AND inboxes.member = 1)
FROM namespaces
WHERE id = ?1
