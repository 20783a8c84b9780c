//! `coord_ack_message`.

use super::reply::{Failure, Reply};
use crate::mcp::Backend;
use mainstay_api::mail::{AckMessage, Acknowledged};
use mainstay_api::{Code, InstanceId, MessageId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    message_id: String,
    comment: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    success: bool,
    message_id: String,
    /// Whose acknowledgement stands: the first one's. The original named whoever asked last.
    acknowledged_by: String,
}

pub(super) async fn call(backend: &dyn Backend, given: Given) -> Reply<Answer> {
    let not_found = || Failure::new(Code::MailNotFound, format!("Message not found: {}", given.message_id));
    let Ok(id) = MessageId::parse(given.message_id.clone()) else {
        return Err(not_found());
    };
    match acknowledge(backend, &id, given.comment.clone()).await {
        Ok(acknowledged) => {
            Ok(Answer { success: true, message_id: id.to_string(), acknowledged_by: acknowledged.ack.by.to_string() })
        }
        Err(failure) if failure.code() == Code::MailNotFound => Err(not_found()),
        Err(failure) => Err(failure),
    }
}

/// Acknowledges as the recipient; who is none does it for the only recipient, as anybody could in the original.
async fn acknowledge(backend: &dyn Backend, id: &MessageId, comment: Option<String>) -> Reply<Acknowledged> {
    let own = AckMessage { comment: comment.clone(), on_behalf_of: None };
    let refused = match backend.acknowledge(id, own).await {
        Ok(acknowledged) => return Ok(acknowledged),
        Err(problem) if problem.code == Code::MailNotRecipient => problem,
        Err(problem) => return Err(problem.into()),
    };
    let message = backend.read(id).await?;
    match message.content.to.as_slice() {
        [recipient] if !recipient.is_all() => {
            let for_recipient = AckMessage { comment, on_behalf_of: Some(InstanceId::clone(recipient)) };
            Ok(backend.acknowledge(id, for_recipient).await?)
        }
        _ => Err(refused.into()),
    }
}
