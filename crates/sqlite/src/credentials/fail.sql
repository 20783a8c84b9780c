UPDATE credentials SET held_until_ms = NULL, failures = failures + :failed, in_doubt = in_doubt OR :in_doubt,
    not_before_ms = coalesce(:not_before_ms, not_before_ms), dead = coalesce(:dead, dead)
WHERE namespace = (SELECT id FROM namespaces WHERE name = :namespace) AND pool = :pool AND provider = :provider
    AND version = :version AND fence = :fence AND held_until_ms IS NOT NULL
