SELECT r.document, r.revision
FROM document_revisions r
JOIN documents d ON d.id = r.document
WHERE r.revision < ?2 AND d.namespace = ?1 AND NOT (d.live = 1 AND d.revision = r.revision)
ORDER BY r.revision, d.collection || '/' || d.key
LIMIT ?3
