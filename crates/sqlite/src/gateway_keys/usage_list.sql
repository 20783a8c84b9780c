SELECT day, label, pool, provider, model, requests, failed, input_tokens, cached_tokens, output_tokens, cost, estimated
FROM gateway_usage
WHERE namespace = :namespace AND day BETWEEN :from_day AND :to_day
    AND (:label IS NULL OR label = :label)
    AND (day, label, pool, provider, model) > (:day, :after_label, :pool, :provider, :model)
ORDER BY day, label, pool, provider, model
LIMIT :limit
