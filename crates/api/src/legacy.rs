//! The shapes of the coordination system that Mainstay replaces: its message JSON, with the tolerance that real
//! files need. Field order is the order of the original.

use crate::mail::{Ack, Content, ImportMessage, Message, Receipt};
use crate::{InstanceId, MessageId, MessageType, Timestamp};
use serde::{Deserialize, Serialize};

/// A message as the original wrote it to a file and printed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacyMessage {
    /// The id.
    pub id: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The sender.
    #[serde(alias = "from_instance")]
    pub from: String,
    /// The recipient; several are joined by commas, which the original did not have.
    #[serde(alias = "to_instance")]
    pub to: String,
    /// `YYYY-MM-DDTHH:MM:SSZ`.
    pub timestamp: String,
    /// Whether it asks for an acknowledgement.
    #[serde(default = "yes")]
    pub requires_ack: bool,
    /// Whether it was acknowledged.
    #[serde(default)]
    pub acknowledged: bool,
    /// Subject and text.
    pub payload: LegacyPayload,
    /// Who acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_timestamp: Option<String>,
    /// With which words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_comment: Option<String>,
}

/// Subject and text of a [`LegacyMessage`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacyPayload {
    /// The subject.
    pub subject: String,
    /// The text.
    pub description: String,
}

fn yes() -> bool {
    true
}

impl LegacyMessage {
    /// Reads a message for import. An acknowledgement without a name or a time is taken as given by `unknown` at
    /// the time of the message.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn into_import(self) -> Result<ImportMessage, String> {
        let field = |name: &'static str| move |e: crate::text::InvalidText| format!("{name}: {e}");
        let timestamp: Timestamp = self.timestamp.parse().map_err(field("timestamp"))?;
        let to = self
            .to
            .split(',')
            .map(|name| InstanceId::parse(name.trim()).map_err(field("to")))
            .collect::<Result<Vec<_>, _>>()?;
        if to.len() > 1 && to.iter().any(InstanceId::is_all) {
            return Err("to: \"all\" reaches everyone and stands alone".into());
        }
        let ack = self
            .acknowledged
            .then(|| {
                let by = self.ack_by.clone().filter(|by| !by.is_empty()).unwrap_or_else(|| "unknown".into());
                let at = match self.ack_timestamp.as_deref().filter(|at| !at.is_empty()) {
                    Some(at) => at.parse().map_err(field("ack_timestamp"))?,
                    None => timestamp,
                };
                let comment = self.ack_comment.clone().filter(|comment| !comment.is_empty());
                Ok::<_, String>(Ack { by: InstanceId::parse(by).map_err(field("ack_by"))?, at, comment })
            })
            .transpose()?;
        let content = Content {
            id: MessageId::parse(self.id).map_err(field("id"))?,
            kind: MessageType::parse(self.kind).map_err(field("type"))?,
            from: InstanceId::parse(self.from).map_err(field("from"))?,
            to,
            timestamp,
            subject: self.payload.subject,
            body: self.payload.description,
            thread: None,
            reply_to: None,
            priority: crate::mail::Priority::Normal,
            attachments: Vec::new(),
            requires_ack: self.requires_ack,
            expires_at: None,
        };
        let settled = content.is_broadcast() && ack.is_some();
        let receipts = match ack {
            Some(ack) if content.is_broadcast() => {
                vec![Receipt { recipient: ack.by.clone(), read_at: Some(ack.at), ack: Some(ack) }]
            }
            Some(ack) => content
                .to
                .iter()
                .map(|recipient| Receipt {
                    recipient: recipient.clone(),
                    read_at: Some(ack.at),
                    ack: Some(ack.clone()),
                })
                .collect(),
            None => Vec::new(),
        };
        Ok(ImportMessage { content, receipts, settled })
    }

    /// Shows a message in the shape of the original, as its viewer sees it: the viewer's own acknowledgement where
    /// the viewer is a recipient, else the first one given.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let ack = match (&message.receipt, &message.receipts) {
            (Some(own), _) if !message.settled => own.ack.clone(),
            (_, Some(all)) => all.iter().filter_map(|receipt| receipt.ack.clone()).min_by_key(|ack| ack.at),
            (own, None) => own.as_ref().and_then(|receipt| receipt.ack.clone()),
        };
        // The original has no acknowledgement by some: its fields come with `acknowledged`, or not at all.
        let ack = ack.filter(|_| message.acknowledged);
        let content = &message.content;
        Self {
            id: content.id.to_string(),
            kind: content.kind.to_string(),
            from: content.from.to_string(),
            to: content.to.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(","),
            timestamp: content.timestamp.to_seconds_text(),
            requires_ack: content.requires_ack,
            acknowledged: message.acknowledged,
            payload: LegacyPayload { subject: content.subject.clone(), description: content.body.clone() },
            ack_by: ack.as_ref().map(|ack| ack.by.to_string()),
            ack_timestamp: ack.as_ref().map(|ack| ack.at.to_seconds_text()),
            ack_comment: ack.and_then(|ack| ack.comment),
        }
    }
}
