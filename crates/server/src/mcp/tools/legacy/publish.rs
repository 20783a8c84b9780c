//! `coord_publish_message`.

use super::known_type;
use super::reply::{Failure, Reply};
use crate::mcp::Backend;
use crate::mcp::tools::arguments::yes;
use mainstay_api::mail::SendMessage;
use mainstay_api::{Code, InstanceId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    msg_type: String,
    subject: String,
    description: String,
    #[serde(default = "orchestrator")]
    to_instance: String,
    #[serde(default = "yes")]
    requires_ack: bool,
}

fn orchestrator() -> String {
    "orchestrator".to_owned()
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    success: bool,
    message_id: String,
    #[serde(rename = "type")]
    kind: String,
    from: String,
    to: String,
    timestamp: String,
    requires_ack: bool,
}

pub(super) async fn call(backend: &dyn Backend, given: Given) -> Reply<Answer> {
    check_sender(backend)?;
    let kind = known_type(backend, &given.msg_type).await?;
    let to = InstanceId::parse(given.to_instance)
        .map_err(|broken| Failure::new(Code::InvalidRequest, format!("to_instance: {broken}")))?;
    let send = SendMessage {
        kind,
        body: given.description,
        requires_ack: given.requires_ack,
        ..SendMessage::new(vec![to.clone()], given.subject)
    };
    let content = backend.send(None, send).await?.message.content;
    Ok(Answer {
        success: true,
        message_id: content.id.to_string(),
        kind: content.kind.to_string(),
        from: content.from.to_string(),
        to: to.to_string(),
        timestamp: content.timestamp.to_seconds_text(),
        requires_ack: content.requires_ack,
    })
}

/// Refuses a sender that nobody could answer.
fn check_sender(backend: &dyn Backend) -> Reply<()> {
    match backend.instance() {
        Some(instance) if !instance.is_all() && instance.as_str() != "unknown" => Ok(()),
        _ => {
            let error = "Invalid sender identity. Cannot publish messages with unknown sender.";
            Err(Failure::new(Code::InstanceUnknown, error).hint("Set CLAUDE_INSTANCE_ID environment variable"))
        }
    }
}
