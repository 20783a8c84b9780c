INSERT INTO messages (
    offset, namespace, id, timestamp_ms, expires_ms, kind, sender, thread, subject_folded,
    requires_ack, broadcast, settled, recipients, delivered, read, acked, document
) VALUES (
    :offset, :namespace, :id, :timestamp_ms, :expires_ms, :kind, :sender, :thread, :subject_folded,
    :requires_ack, :broadcast, :settled, :recipients, :delivered, 0, 0, :document
)
