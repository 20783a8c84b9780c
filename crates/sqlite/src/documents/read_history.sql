SELECT r.revision, r.kind, r.body, r.seal_key, r.diff, r.at_ms, r.by
FROM documents d
JOIN document_revisions r ON r.document = d.id
WHERE d.namespace = ?1 AND d.collection = ?2 AND d.key = ?3 AND r.revision < ?4
ORDER BY r.revision DESC
LIMIT ?5
