SELECT presence.namespace, presence.instance, namespaces.name
FROM presence INDEXED BY presence_by_beat
JOIN namespaces ON namespaces.id = presence.namespace
WHERE presence.beat_ms < ?1
ORDER BY presence.beat_ms
LIMIT ?2
