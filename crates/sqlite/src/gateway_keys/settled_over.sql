DELETE FROM gateway_settled WHERE (namespace, request) IN (
    SELECT namespace, request FROM gateway_settled WHERE admitted_ms <= ?1 LIMIT ?2
)
