-- Rooms of streams: who is in them over which connection, and who may be. Both end by time; a purge removes what is over.

CREATE TABLE room_occupants (
    namespace INTEGER NOT NULL,
    stream TEXT NOT NULL,
    room TEXT NOT NULL,
    connection TEXT NOT NULL,
    member TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    -- What the connection says of itself, opaque.
    info TEXT,
    PRIMARY KEY (namespace, stream, room, connection)
) STRICT, WITHOUT ROWID;
CREATE INDEX room_occupants_listed ON room_occupants (namespace, stream, room, member, since_ms, connection, ends_ms);
CREATE INDEX room_occupants_by_member ON room_occupants (namespace, stream, member, ends_ms);
CREATE INDEX room_occupants_over ON room_occupants (ends_ms);

CREATE TABLE room_members (
    namespace INTEGER NOT NULL,
    stream TEXT NOT NULL,
    room TEXT NOT NULL,
    member TEXT NOT NULL,
    -- Without an end where absent.
    until_ms INTEGER,
    PRIMARY KEY (namespace, stream, room, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX room_members_over ON room_members (until_ms) WHERE until_ms IS NOT NULL;
