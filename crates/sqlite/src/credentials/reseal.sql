UPDATE credentials SET sealed = :sealed, seal_key = :seal_key
WHERE namespace = (SELECT id FROM namespaces WHERE name = :namespace) AND pool = :pool AND provider = :provider
    AND version = :version
