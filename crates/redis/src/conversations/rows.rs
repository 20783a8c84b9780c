//! Conversations and messages as the scripts return them.

use crate::connection::read;
use crate::keys;
use mainstay_core::api::conversations::{MessageState, Retention, RetentionMode, Status};
use mainstay_core::api::{ConversationId, Timestamp};
use mainstay_core::conversations::{Lifetime, MessageRow, Summary, TurnRow};
use mainstay_core::{Error, Result};
use redis::Value;

/// Reads a number.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::inconsistent(format!("{text:?} is not a number of a conversation")))
}

/// Reads a time.
pub(super) fn time(text: &str) -> Result<Timestamp> {
    number(text).map(Timestamp::from_millis)
}

/// Reads a time, or that there is none.
pub(super) fn optional<T>(text: &str, parse: impl FnOnce(&str) -> Result<T>) -> Result<Option<T>> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// Reads the encoded id of a conversation.
pub(super) fn id(segment: &str) -> Result<ConversationId> {
    ConversationId::parse(keys::decode(segment)?).map_err(|e| Error::inconsistent(format!("stored {e}")))
}

/// Reads what lists show of a conversation.
pub(super) fn summary(value: Value, now: Timestamp) -> Result<Summary> {
    let fields: Vec<Option<Vec<u8>>> = read(value, "a conversation")?;
    let text = |index: usize| -> Result<String> {
        let field = fields.get(index).cloned().flatten().unwrap_or_default();
        String::from_utf8(field).map_err(|_| Error::inconsistent("a field of a conversation is not UTF-8"))
    };
    let status = text(1)?;
    let mode = if text(9)? == "sliding" { RetentionMode::Sliding } else { RetentionMode::Fixed };
    let (fence, until) = (number(&text(12)?)?, time(&text(13)?)?);
    let holder = Some(text(14)?).filter(|holder| !holder.is_empty());
    Ok(Summary {
        id: id(&text(0)?)?,
        status: Status::find(&status).ok_or_else(|| Error::inconsistent(format!("the status {status:?}")))?,
        version: number(&text(2)?)?,
        messages: number(&text(3)?)?,
        bytes: number(&text(4)?)?,
        created_at: time(&text(5)?)?,
        updated_at: time(&text(6)?)?,
        accessed_at: time(&text(7)?)?,
        expires_at: optional(&text(8)?, time)?,
        lifetime: Lifetime { retention: Retention { mode, ttl_ms: number(&text(10)?)? }, pinned: text(11)? == "1" },
        turn: (until > now).then_some(TurnRow { fence, holder, until }),
        head: fields.get(15).cloned().flatten().unwrap_or_default().into(),
    })
}

/// Reads a message of a conversation in which this turn is running.
pub(super) fn message(value: Value, running: Option<u64>) -> Result<MessageRow> {
    type Parts = (String, String, String, Option<String>, Vec<u8>);
    let (seq, at, fence, waits, document): Parts = read(value, "a message")?;
    let waits: Option<u64> = waits.as_deref().map(number).transpose()?;
    let state = |fence| if running == Some(fence) { MessageState::Pending } else { MessageState::Failed };
    Ok(MessageRow {
        seq: number(&seq)?,
        at: time(&at)?,
        fence: optional(&fence, number)?,
        state: waits.map(state),
        document: document.into(),
    })
}
