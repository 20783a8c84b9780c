DELETE FROM gateway_requests WHERE (key, request) IN (
    SELECT key, request FROM gateway_requests
    WHERE (admitted_ms <= ?1 AND open = 0) OR admitted_ms <= ?2
    LIMIT ?3
)
