//! ack-message.sh.

use super::arguments::{self, Asked};
use super::{Script, Stage, call_failed, identity, not_opened, text, usage_error};
use crate::cli::context::Context;
use crate::failure::{FAILED, Failure, Result};
use mainstay_api::legacy::LegacyMessage;
use mainstay_api::mail::{Ack, AckMessage, Message, SendMessage};
use mainstay_api::{Code, MessageId, MessageType, Problem};
use mainstay_client::{Client, ClientError};

/// Runs the script.
pub async fn run(context: &Context<'_>, stage: Stage, script: &Script) -> Result {
    let asked = match arguments::ack(&script.arguments) {
        Ok(Asked::Run(asked)) => asked,
        Ok(Asked::Help) => return context.printer.verbatim(&text::ack_usage(&script.name)),
        Err(error) => return usage_error(context, &error, &text::ack_usage(&script.name)),
    };
    let Ok(id) = MessageId::parse(asked.id.clone()) else {
        return not_found(context, script, &asked.id);
    };
    let me = identity::find(context);
    let client = context.client_as(me.instance).await.map_err(|failure| not_opened(context, failure))?;
    let (message, ack) = match acknowledge(client, &id, asked.comment).await {
        Ok(done) => done,
        Err(problem) if problem.code == Code::MailNotFound => return not_found(context, script, id.as_str()),
        Err(problem) => return Err(call_failed(context, &problem)),
    };
    if stage == Stage::A && !message.content.requires_ack {
        context.printer.verbatim("Note: This message does not require acknowledgment\n")?;
    }
    let at = ack.at.to_seconds_text();
    let shown = text::acknowledged(stage, &LegacyMessage::of(&message), ack.by.as_str(), &at, ack.comment.as_deref());
    context.printer.verbatim(&shown)?;
    if stage == Stage::A && message.content.kind.as_str() == "CONTRACT_CHANGE_PROPOSED" {
        answer_proposal(context, client, &message, &ack).await?;
    }
    Ok(())
}

/// Acknowledges for the caller. One who is not a recipient acknowledges on behalf of the only recipient, as in the
/// original; the record names both. Where an acknowledgement stands, it is the answer, whoever asks.
async fn acknowledge(client: &Client, id: &MessageId, comment: Option<String>) -> Result<(Message, Ack), Problem> {
    let own = AckMessage { comment: comment.clone(), on_behalf_of: None };
    let refused = match client.mail().acknowledge(id, &own).await.map_err(ClientError::problem) {
        Ok(done) => return Ok((done.message, done.ack)),
        Err(problem) if problem.code == Code::MailNotRecipient => problem,
        Err(problem) => return Err(problem),
    };
    let message = client.mail().message(id).await?;
    match message.content.to.as_slice() {
        [only] if !only.is_all() => {
            let ack = AckMessage { comment, on_behalf_of: Some(only.clone()) };
            let done = client.mail().acknowledge(id, &ack).await?;
            Ok((done.message, done.ack))
        }
        _ => Err(refused),
    }
}

/// The first scripts answered a proposal by themselves.
async fn answer_proposal(context: &Context<'_>, client: &Client, message: &Message, ack: &Ack) -> Result {
    context.printer.verbatim("\nPublishing acknowledgment message...\n")?;
    let Ok(kind) = MessageType::parse("CONTRACT_CHANGE_ACK") else { return Ok(()) };
    let answer = SendMessage {
        kind,
        body: format!("Acknowledged: {}", ack.comment.as_deref().unwrap_or_default()),
        requires_ack: false,
        reply_to: Some(message.content.id.clone()),
        ..SendMessage::new(vec![message.content.from.clone()], message.content.subject.clone())
    };
    let sent = client.mail().send(&answer, None).await.map_err(|error| call_failed(context, &error.problem()))?;
    context.printer.verbatim(&text::published(Stage::A, &LegacyMessage::of(&sent.message)))
}

fn not_found(context: &Context<'_>, script: &Script, id: &str) -> Result {
    let check = text::sibling(&script.name, "check-messages.sh");
    context
        .printer
        .verbatim(&format!("Error: Message '{id}' not found\n\nUse '{check} --pending' to see pending messages\n"))?;
    Err(Failure::Status(FAILED))
}
