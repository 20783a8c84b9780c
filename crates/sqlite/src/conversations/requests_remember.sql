INSERT INTO conversation_requests
    (owner, key, fingerprint, conversation, id, first_seq, last_seq, version, fence, until_ms)
VALUES
    (:owner, :key, :fingerprint, :conversation, :id, :first_seq, :last_seq, :version, :fence, :until_ms)
ON CONFLICT (owner, key) DO UPDATE SET
    fingerprint = excluded.fingerprint, conversation = excluded.conversation, id = excluded.id,
    first_seq = excluded.first_seq, last_seq = excluded.last_seq, version = excluded.version,
    fence = excluded.fence, until_ms = excluded.until_ms
