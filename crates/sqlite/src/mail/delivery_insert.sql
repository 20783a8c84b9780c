INSERT INTO deliveries (inbox, offset, timestamp_ms, broadcast, kept, unread, pending)
VALUES (:inbox, :offset, :timestamp_ms, :broadcast, 1, :unread, :pending)
