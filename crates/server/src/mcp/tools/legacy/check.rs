//! `coord_check_messages`.

use super::reply::{Failure, Reply};
use super::{hundred, known_type, limit};
use crate::mcp::Backend;
use mainstay_api::legacy::LegacyMessage;
use mainstay_api::mail::{ListMessages, Message};
use mainstay_api::{Code, InstanceId};
use serde::{Deserialize, Serialize};

/// Most pages read for one answer; a page may hold less than was asked for.
const MAX_PAGES: usize = 100;
/// Bytes of text above which an answer ends early.
const MAX_ANSWER_BYTES: usize = 8 * 1_024 * 1_024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    to_instance: Option<String>,
    from_instance: Option<String>,
    msg_type: Option<String>,
    #[serde(default)]
    pending_only: bool,
    #[serde(default = "hundred")]
    limit: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    success: bool,
    count: usize,
    messages: Vec<LegacyMessage>,
    /// Says that the answer ended early for its size; the original had no such bound.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

pub(super) async fn call(backend: &dyn Backend, given: Given) -> Reply<Answer> {
    let kind = match given.msg_type.filter(|name| !name.is_empty()) {
        Some(name) => Some(known_type(backend, &name).await?),
        None => None,
    };
    let recipient = instance("to_instance", given.to_instance)?;
    let list = ListMessages {
        recipient: recipient.clone(),
        sender: instance("from_instance", given.from_instance)?,
        kind,
        pending: given.pending_only,
        receipts: true,
        ..ListMessages::default()
    };
    let (mut messages, truncated) = collect(backend, list, limit(given.limit)?).await?;
    if let Some(recipient) = recipient {
        messages.iter_mut().for_each(|message| see_as(message, &recipient));
    }
    let messages: Vec<_> = messages.iter().map(LegacyMessage::of).collect();
    Ok(Answer { success: true, count: messages.len(), messages, truncated })
}

/// An absent filter; the original took an empty one for none, too.
fn instance(what: &str, given: Option<String>) -> Reply<Option<InstanceId>> {
    let parsed = given.filter(|name| !name.is_empty()).map(InstanceId::parse).transpose();
    parsed.map_err(|broken| Failure::new(Code::InvalidRequest, format!("{what}: {broken}")))
}

async fn collect(backend: &dyn Backend, mut list: ListMessages, limit: u32) -> Reply<(Vec<Message>, bool)> {
    let limit = limit as usize;
    let mut messages = Vec::new();
    let mut bytes = 0;
    for _ in 0..MAX_PAGES {
        list.limit = u32::try_from(limit - messages.len()).ok();
        let page = backend.list(list.clone()).await?;
        bytes += page.items.iter().map(|message| message.content.body.len()).sum::<usize>();
        messages.extend(page.items);
        let Some(next) = page.next.filter(|_| messages.len() < limit) else {
            return Ok((messages, false));
        };
        if bytes > MAX_ANSWER_BYTES {
            break;
        }
        list.cursor = Some(next);
    }
    Ok((messages, true))
}

/// Shows the state that the message has for a recipient, instead of the caller's.
fn see_as(message: &mut Message, recipient: &InstanceId) {
    let receipts = message.receipts.iter().flatten();
    let Some(receipt) = receipts.into_iter().find(|receipt| receipt.recipient == *recipient).cloned() else {
        return;
    };
    message.acknowledged = message.settled || receipt.ack.is_some();
    message.receipt = Some(receipt);
}
