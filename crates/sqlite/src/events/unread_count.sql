SELECT count(*) FROM events AS e
WHERE e.log = ?1 AND (e.ms, e.seq) <= (?2, ?3) AND EXISTS (
    SELECT 1 FROM event_groups AS g
    WHERE g.log = e.log AND (
        (e.ms, e.seq) > (g.delivered_ms, g.delivered_seq)
        OR EXISTS (
            SELECT 1 FROM event_holds AS h
            WHERE h.owner = g.id AND h.ms = e.ms AND h.seq = e.seq AND NOT h.revived
        )
    )
)
