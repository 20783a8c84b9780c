UPDATE connection_ways SET (waiting, waiting_bytes) = (
    SELECT count(*), coalesce(sum(length(bytes)), 0) FROM connection_bytes AS b
    WHERE b.token = connection_ways.token AND b.direction = connection_ways.direction
)
WHERE token = ?1 AND direction = ?2
