SELECT n.name, d.collection, d.key, r.revision, r.body, r.seal_key
FROM document_revisions r
JOIN documents d ON d.id = r.document
JOIN namespaces n ON n.id = d.namespace
WHERE r.seal_key IS NOT NULL AND r.seal_key <> ?1
LIMIT ?2
