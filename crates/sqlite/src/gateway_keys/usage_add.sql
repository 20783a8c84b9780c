INSERT INTO gateway_usage (
    namespace, day, label, pool, provider, model, requests, failed, input_tokens, cached_tokens, output_tokens, cost,
    estimated
) VALUES (
    :namespace, :day, :label, :pool, :provider, :model, 1, :failed, :input_tokens, :cached_tokens, :output_tokens, :cost,
    :estimated
)
ON CONFLICT DO UPDATE SET
    requests = requests + 1,
    failed = failed + excluded.failed,
    input_tokens = input_tokens + excluded.input_tokens,
    cached_tokens = cached_tokens + excluded.cached_tokens,
    output_tokens = output_tokens + excluded.output_tokens,
    cost = cost + excluded.cost,
    estimated = estimated + excluded.estimated
