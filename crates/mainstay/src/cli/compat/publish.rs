//! publish-message.sh.

use super::arguments::{self, Asked, Publish};
use super::{Script, Stage, call_failed, identity, invalid_type, not_opened, text, usage_error};
use crate::cli::context::Context;
use crate::failure::Result;
use mainstay_api::legacy::LegacyMessage;
use mainstay_api::mail::SendMessage;
use mainstay_api::{Code, InstanceId, MessageType};
use mainstay_client::ClientError;

/// Runs the script.
pub async fn run(context: &Context<'_>, stage: Stage, script: &Script) -> Result {
    let asked = match arguments::publish(&script.arguments) {
        Ok(Asked::Run(asked)) => asked,
        Ok(Asked::Help) => return context.printer.verbatim(&text::publish_usage(&script.name)),
        Err(error) => return usage_error(context, &error, &text::publish_usage(&script.name)),
    };
    let me = identity::find(context);
    let Ok(kind) = MessageType::parse(asked.kind.clone()) else {
        let client = context.client_as(me.instance).await.map_err(|failure| not_opened(context, failure))?;
        return invalid_type(context, client, &asked.kind).await;
    };
    identity::warn(context, stage, &me)?;
    let to = asked.to.clone().unwrap_or_else(|| arguments::default_target(&asked.kind, me.instance.as_str()).into());
    warn_of_target(context, stage, &asked, &to)?;
    let mut recipients = Vec::new();
    for name in to.split(',') {
        match InstanceId::parse(name.trim()) {
            Ok(name) => recipients.push(name),
            Err(error) => return usage_error(context, &format!("Error: {error}"), ""),
        }
    }
    let message = SendMessage {
        kind,
        body: asked.description,
        requires_ack: asked.requires_ack,
        ..SendMessage::new(recipients, asked.subject)
    };
    let client = context.client_as(me.instance).await.map_err(|failure| not_opened(context, failure))?;
    match client.mail().send(&message, None).await.map_err(ClientError::problem) {
        Ok(sent) => context.printer.verbatim(&text::published(stage, &LegacyMessage::of(&sent.message))),
        Err(problem) if problem.code == Code::MailInvalidType => invalid_type(context, client, &asked.kind).await,
        Err(problem) => Err(call_failed(context, &problem)),
    }
}

/// The first scripts warned of answers that go to everyone.
fn warn_of_target(context: &Context<'_>, stage: Stage, asked: &Publish, to: &str) -> Result {
    if stage == Stage::D || to != InstanceId::ALL {
        return Ok(());
    }
    context.printer.verbatim(match asked.kind.as_str() {
        "REVIEW_COMPLETE" | "REVIEW_FAILED" | "META_CHANGE_COMPLETE" => {
            "Warning: Response messages should specify --to <instance>\n"
        }
        "CONTRACT_REVIEW_NEEDED" | "CONTRACT_APPROVED" | "CONTRACT_REJECTED" => {
            "Warning: Contract orchestration messages should specify --to <instance>\n"
        }
        _ => "",
    })
}
