DELETE FROM gateway_usage WHERE (namespace, day, label, pool, provider, model) IN (
    SELECT namespace, day, label, pool, provider, model FROM gateway_usage WHERE day < ?1 LIMIT ?2
)
