UPDATE credentials SET fence = :fence, held_until_ms = :until_ms, holder = :holder,
    in_doubt = in_doubt OR held_until_ms IS NOT NULL
WHERE namespace = (SELECT id FROM namespaces WHERE name = :namespace) AND pool = :pool AND provider = :provider
