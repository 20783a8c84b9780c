INSERT INTO requests (namespace, key, fingerprint, message, until_ms)
VALUES (:namespace, :key, :fingerprint, :message, :until_ms)
-- Only one that has ended can be there.
ON CONFLICT DO UPDATE SET
    fingerprint = excluded.fingerprint,
    message = excluded.message,
    until_ms = excluded.until_ms
