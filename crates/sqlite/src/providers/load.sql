SELECT
    id, position, body, disabled, weight, priority, max_in_flight, excluded_models, seal_key, version, updated_ms,
    unhealthy, failures, last_failure_ms, last_failure, retry_ms, needs_refresh, checked_ms, checked_model,
    requests, errors, refreshes, used_ms, failed_ms, sequence,
    circuit, reason, since_ms, probe_ms, marks, measured_ms, answers, successes, asked, pass, trial, claimed_ms
FROM providers WHERE pool = ?1 ORDER BY position
