INSERT INTO room_occupants (namespace, stream, room, connection, member, since_ms, ends_ms, info)
VALUES (:namespace, :stream, :room, :connection, :member, :since_ms, :ends_ms, :info)
ON CONFLICT DO UPDATE SET
    member = excluded.member,
    since_ms = excluded.since_ms,
    ends_ms = excluded.ends_ms,
    info = excluded.info
