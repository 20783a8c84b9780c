//! From wire requests to what the store is given, and back.

use super::port::{Append, InboxLimits, Place, Recipients, Row};
use crate::error::{Error, Result};
use crate::text::hex;
use bytes::Bytes;
use mainstay_api::mail::{
    Content, MAX_ATTACHMENTS, MAX_BODY_BYTES, MAX_COMMENT_BYTES, MAX_RECIPIENTS, MAX_SUBJECT_BYTES, Message,
    SendMessage,
};
use mainstay_api::{Code, Epoch, InstanceId, Namespace, Offset, Position, Timestamp};
use sha2::{Digest, Sha256};

/// Checks what a request says and returns its recipients, each once.
pub(super) fn send_message(send: &SendMessage) -> Result<Recipients> {
    bound("subject", send.subject.len(), MAX_SUBJECT_BYTES)?;
    bound("body", send.body.len(), MAX_BODY_BYTES)?;
    if send.subject.trim().is_empty() {
        return Err(Error::invalid("subject: it is empty; say in a line what the message is about"));
    }
    if send.to.is_empty() || send.to.len() > MAX_RECIPIENTS {
        return Err(Error::invalid(format!(
            "to: {} recipients; name 1 to {MAX_RECIPIENTS} instances, or \"all\" alone",
            send.to.len()
        )));
    }
    if send.attachments.len() > MAX_ATTACHMENTS {
        return Err(too_large(format!(
            "attachments: {}, at most {MAX_ATTACHMENTS} are allowed",
            send.attachments.len()
        )));
    }
    for attachment in &send.attachments {
        bound("attachments.uri", attachment.uri.len(), 2_000)?;
        bound("attachments.name", attachment.name.as_ref().map_or(0, String::len), 300)?;
        bound("attachments.media_type", attachment.media_type.as_ref().map_or(0, String::len), 200)?;
        bound("attachments.sha256", attachment.sha256.as_ref().map_or(0, String::len), 64)?;
        if attachment.uri.is_empty() {
            return Err(Error::invalid("attachments.uri: it is empty; give a URI or a path"));
        }
    }
    recipients(&send.to)
}

/// The recipients of a message, each once.
pub(super) fn recipients(to: &[InstanceId]) -> Result<Recipients> {
    if to.iter().any(InstanceId::is_all) {
        return if to.len() == 1 {
            Ok(Recipients::Everyone)
        } else {
            Err(Error::invalid("to: \"all\" reaches everyone and stands alone"))
        };
    }
    let mut named: Vec<InstanceId> = Vec::with_capacity(to.len());
    for recipient in to {
        if !named.contains(recipient) {
            named.push(recipient.clone());
        }
    }
    Ok(Recipients::Named(named))
}

/// Checks a comment.
pub(super) fn comment(comment: Option<String>) -> Result<Option<String>> {
    let comment = comment.filter(|text| !text.is_empty());
    bound("comment", comment.as_ref().map_or(0, String::len), MAX_COMMENT_BYTES)?;
    Ok(comment)
}

fn bound(what: &str, bytes: usize, max_bytes: usize) -> Result<()> {
    if bytes <= max_bytes {
        return Ok(());
    }
    Err(too_large(format!("{what}: {bytes} bytes, at most {max_bytes} are allowed")))
}

fn too_large(detail: String) -> Error {
    Error::new(Code::TooLarge, detail, "Refer to large content by an attachment's URI, or split the message.")
}

/// What the store is given for a message.
pub(super) struct Envelope {
    pub namespace: Namespace,
    pub recipients: Recipients,
    pub limits: InboxLimits,
    pub expires_at: Timestamp,
    pub now: Timestamp,
}

/// Builds the append of a message.
pub(super) fn append(content: &Content, envelope: Envelope) -> Result<Append> {
    Ok(Append {
        namespace: envelope.namespace,
        id: content.id.clone(),
        from: content.from.clone(),
        kind: content.kind.clone(),
        thread: content.thread.clone(),
        subject_folded: content.subject.to_lowercase(),
        requires_ack: content.requires_ack,
        timestamp: content.timestamp,
        expires_at: envelope.expires_at,
        document: document(content)?,
        recipients: envelope.recipients,
        memo: None,
        limits: envelope.limits,
        now: envelope.now,
    })
}

/// The form in which a message is kept.
fn document(content: &Content) -> Result<Bytes> {
    serde_json::to_vec(content).map(Bytes::from).map_err(|e| Error::bug(format!("a message is not JSON: {e}")))
}

/// Reads the form in which a message is kept.
pub(super) fn content(document: &[u8]) -> Result<Content> {
    serde_json::from_slice(document).map_err(|e| Error::inconsistent(format!("a stored message cannot be read: {e}")))
}

/// A digest of a request, to recognise its repetition. The expiry is left out: a caller that means "in two hours"
/// names another moment each time.
pub(super) fn fingerprint(send: &SendMessage, from: &InstanceId) -> Result<String> {
    let timeless = SendMessage { expires_at: None, ..send.clone() };
    let bytes = serde_json::to_vec(&(from, timeless)).map_err(|e| Error::bug(format!("a request is not JSON: {e}")))?;
    Ok(hex(&Sha256::digest(&bytes)[..16]))
}

/// The message that a row holds, as the viewer of the row sees it.
pub(super) fn message(row: Row, epoch: &Epoch) -> Result<Message> {
    let content = content(&row.document)?;
    let everyone = row.delivery.delivered > 0 && row.delivery.acknowledged >= row.delivery.delivered;
    let acknowledged = row.settled || row.receipt.as_ref().map_or(everyone, |receipt| receipt.ack.is_some());
    Ok(Message {
        content,
        position: Position { epoch: epoch.clone(), offset: row.offset },
        acknowledged,
        delivery: row.delivery,
        receipt: row.receipt,
        receipts: row.receipts,
        settled: row.settled,
    })
}

/// Writes the cursor of a listing.
pub(super) fn to_cursor(place: Place) -> String {
    format!("{}.{}", place.timestamp.as_millis(), place.offset)
}

/// Reads the cursor of a listing.
pub(super) fn from_cursor(cursor: &str) -> Result<Place> {
    let parsed = cursor.split_once('.').and_then(|(millis, offset)| {
        let offset = offset.parse().ok().filter(|offset| *offset <= Offset::MAX.0)?;
        Some(Place { timestamp: Timestamp::from_millis(millis.parse().ok()?), offset: Offset(offset) })
    });
    parsed.ok_or_else(|| {
        Error::new(
            Code::CursorInvalid,
            format!("{:?} is not a cursor of this listing", cursor.chars().take(80).collect::<String>()),
            "Begin again without a cursor, and pass `next` on unchanged.",
        )
    })
}
