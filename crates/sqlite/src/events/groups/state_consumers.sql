SELECT consumer, sum(holds) FROM (
    SELECT consumer, 0 AS holds FROM event_consumers WHERE owner = ?1 AND seen_ms >= ?2
    UNION ALL
    SELECT consumer, 1 FROM event_holds WHERE owner = ?1 AND consumer IS NOT NULL
)
GROUP BY consumer
ORDER BY consumer
