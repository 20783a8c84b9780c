INSERT INTO providers (
    pool, id, position, body, disabled, weight, priority, max_in_flight, excluded_models, seal_key, version, updated_ms
) VALUES (
    :pool, :id, :position, :body, :disabled, :weight, :priority, :max_in_flight, :excluded_models, :seal_key, :version,
    :updated_ms
)
ON CONFLICT (pool, id) DO UPDATE SET
    position = excluded.position,
    body = excluded.body,
    disabled = excluded.disabled,
    weight = excluded.weight,
    priority = excluded.priority,
    max_in_flight = excluded.max_in_flight,
    excluded_models = excluded.excluded_models,
    seal_key = excluded.seal_key,
    version = excluded.version,
    updated_ms = excluded.updated_ms
