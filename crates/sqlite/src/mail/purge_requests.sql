DELETE FROM requests
WHERE (namespace, key) IN (
    SELECT namespace, key FROM requests INDEXED BY requests_by_end
    WHERE until_ms <= ?1
    ORDER BY until_ms
    LIMIT ?2
)
