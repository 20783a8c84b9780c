//! From wire requests to what the store is given, and back.

use super::port::{MessageRow, Owner, Place, Record, Summary};
use crate::error::{Error, Result};
use crate::text::hex;
use bytes::Bytes;
use mainstay_api::conversations::{
    Conversation, ConversationSummary, ForkedFrom, Kind, MAX_DOCUMENT_BYTES, MAX_REFERENCE_BYTES, MAX_TITLE_BYTES,
    MAX_TTL_MS, MIN_TTL_MS, Message, NewMessage, Retention, RunningTurn,
};
use mainstay_api::{Code, ConversationId, MessageId, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The form in which is kept what lists show.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    pub external_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_step: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<ForkedFrom>,
}

/// The form in which is kept what lists do not show.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk_conversation_ref: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_data: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

impl Head {
    /// Checks what is said of a conversation.
    pub fn check(&self) -> Result<()> {
        bound("externalId", self.external_id.len(), MAX_REFERENCE_BYTES)?;
        bound("title", self.title.as_ref().map_or(0, String::len), MAX_TITLE_BYTES)?;
        bound("workflowId", self.workflow_id.as_ref().map_or(0, String::len), MAX_REFERENCE_BYTES)?;
        if self.external_id.is_empty() {
            return Err(Error::invalid("externalId: it is empty; leave it out, or give an id"));
        }
        match &self.current_step {
            None => Ok(()),
            Some(Value::Number(number)) if number.as_f64().is_some_and(|step| step >= 0.0) => Ok(()),
            Some(Value::String(name)) if !name.is_empty() => bound("currentStep", name.len(), MAX_REFERENCE_BYTES),
            Some(_) => Err(Error::invalid("currentStep: give a number from 0, or a name")),
        }
    }
}

impl Body {
    /// Checks the documents of a conversation, and gives the form in which they are kept.
    pub fn to_bytes(&self) -> Result<Bytes> {
        object("stepData", self.step_data.as_ref())?;
        object("metadata", self.metadata.as_ref())?;
        let documents = [
            ("sdkConversationRef", &self.sdk_conversation_ref),
            ("stepData", &self.step_data),
            ("metadata", &self.metadata),
        ];
        for (name, document) in documents {
            let bytes = document.as_ref().map(to_bytes).transpose()?;
            bound(name, bytes.map_or(0, |bytes| bytes.len()), MAX_DOCUMENT_BYTES)?;
        }
        to_bytes(self)
    }
}

/// Checks the state of a workflow, and gives the form in which it is kept.
pub(super) fn workflow(workflow: Option<&Value>) -> Result<Option<Bytes>> {
    object("workflow", workflow)?;
    let bytes = workflow.map(to_bytes).transpose()?;
    bound("workflow", bytes.as_ref().map_or(0, Bytes::len), MAX_DOCUMENT_BYTES)?;
    Ok(bytes)
}

/// Checks how long a conversation is to be kept.
pub(super) fn retention(retention: Retention) -> Result<Retention> {
    if (MIN_TTL_MS..=MAX_TTL_MS).contains(&retention.ttl_ms) {
        return Ok(retention);
    }
    let detail = format!("retention.ttlMs: {}; give {MIN_TTL_MS} to {MAX_TTL_MS}, or pin it", retention.ttl_ms);
    Err(Error::invalid(detail))
}

fn object(what: &str, value: Option<&Value>) -> Result<()> {
    match value {
        None | Some(Value::Object(_)) => Ok(()),
        Some(_) => Err(Error::invalid(format!("{what}: give an object"))),
    }
}

/// Refuses what is too long.
pub(super) fn bound(what: &str, bytes: usize, max_bytes: usize) -> Result<()> {
    if bytes <= max_bytes {
        return Ok(());
    }
    let detail = format!("{what}: {bytes} bytes, at most {max_bytes} are allowed");
    Err(Error::new(Code::TooLarge, detail, "Keep large content elsewhere and refer to it, or split it."))
}

/// Checks a message, and gives it an id where it has none. What the server writes of a message is passed over.
pub(super) fn message(mut message: NewMessage, made: impl FnOnce() -> MessageId) -> Result<NewMessage> {
    match message.kind.as_str() {
        Kind::TEXT if message.text.is_none() => {
            return Err(Error::invalid("text: a message of kind \"text\" needs it"));
        }
        Kind::ADAPTIVE_CARD if message.card_json.is_none() || message.card_id.is_none() => {
            return Err(Error::invalid("cardJson, cardId: a message of kind \"adaptiveCard\" needs both"));
        }
        _ => {}
    }
    message.extra.retain(|name, _| !NewMessage::SERVER_FIELDS.contains(&name.as_str()));
    message.id = Some(message.id.unwrap_or_else(made));
    Ok(message)
}

/// The form in which something is kept.
pub(super) fn to_bytes<T: Serialize>(value: &T) -> Result<Bytes> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|e| Error::bug(format!("a conversation is not JSON: {e}")))
}

/// Reads the form in which something is kept.
pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|e| Error::inconsistent(format!("a part of a stored conversation cannot be read: {e}")))
}

/// A message as callers see it.
pub(super) fn to_message(row: &MessageRow) -> Result<Message> {
    let content = from_bytes(&row.document)?;
    Ok(Message { content, seq: row.seq, at: row.at, turn: row.fence, state: row.state })
}

/// A conversation as lists show it.
pub(super) fn to_summary(owner: &Owner, row: Summary) -> Result<ConversationSummary> {
    let head: Head = from_bytes(&row.head)?;
    Ok(ConversationSummary {
        id: row.id,
        external_id: head.external_id,
        user_id: owner.subject.user.clone(),
        tenant_id: owner.subject.tenant.clone(),
        status: row.status,
        title: head.title,
        workflow_id: head.workflow_id,
        current_step: head.current_step,
        forked_from: head.forked_from,
        version: row.version,
        message_count: row.messages,
        bytes: row.bytes,
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_accessed_at: row.accessed_at,
        expires_at: row.expires_at,
        pinned: row.lifetime.pinned,
        retention: row.lifetime.retention,
        turn: row.turn.map(|turn| RunningTurn { holder: turn.holder, until: turn.until }),
    })
}

/// A conversation as callers see it.
pub(super) fn to_conversation(owner: &Owner, record: Record) -> Result<Conversation> {
    let body: Body = from_bytes(&record.body)?;
    Ok(Conversation {
        summary: to_summary(owner, record.summary)?,
        sdk_conversation_ref: body.sdk_conversation_ref,
        step_data: body.step_data,
        metadata: body.metadata,
        workflow: record.workflow.as_deref().map(from_bytes).transpose()?,
    })
}

/// Merges a patch into a document as RFC 7396 says. The depth is bounded by that of the parser.
pub(super) fn merge(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { return patch };
    let mut merged = match target {
        Value::Object(target) => target,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            merged.remove(&name);
        } else {
            let before = merged.remove(&name).unwrap_or(Value::Null);
            merged.insert(name, merge(before, value));
        }
    }
    Value::Object(merged)
}

/// A digest of a request, to recognise its repetition.
pub(super) fn fingerprint<T: Serialize>(request: &T) -> Result<String> {
    Ok(hex(&Sha256::digest(to_bytes(request)?)[..16]))
}

/// Writes the cursor of a listing.
pub(super) fn to_cursor(place: &Place) -> String {
    format!("{}.{}", place.updated_at.as_millis(), place.id)
}

/// Reads the cursor of a listing.
pub(super) fn from_cursor(cursor: &str) -> Result<Place> {
    let parsed = cursor.split_once('.').and_then(|(millis, id)| {
        let updated_at = Timestamp::from_millis(millis.parse().ok()?);
        Some(Place { updated_at, id: ConversationId::parse(id).ok()? })
    });
    parsed.ok_or_else(|| {
        Error::new(
            Code::CursorInvalid,
            format!("{:?} is not a cursor of this listing", cursor.chars().take(80).collect::<String>()),
            "Begin again without a cursor, and pass `next` on unchanged.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_merges_as_the_rfc_says() {
        let cases = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (target, patch, merged) in cases {
            assert_eq!(merge(target, patch), merged);
        }
    }

    #[test]
    fn a_cursor_survives_any_id() {
        for id in ["a.b", "{x}:%", "日本 語\n"] {
            let place = Place { updated_at: Timestamp::from_millis(5), id: ConversationId::parse(id).unwrap() };
            assert_eq!(from_cursor(&to_cursor(&place)).unwrap(), place);
        }
        for bad in ["", "5", "x.y", "5."] {
            assert_eq!(from_cursor(bad).unwrap_err().code(), Code::CursorInvalid);
        }
    }
}
