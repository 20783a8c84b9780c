SELECT d.collection, d.key, d.revision, r.body, r.seal_key, r.at_ms, r.by, d.expires_ms
FROM documents d
JOIN document_revisions r ON r.document = d.id AND r.revision = d.revision
WHERE d.namespace = ?1 AND d.collection = ?2 AND d.key = ?3 AND d.live = 1 AND (d.expires_ms IS NULL OR d.expires_ms > ?4)
