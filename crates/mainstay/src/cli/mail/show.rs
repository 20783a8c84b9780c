//! Messages for people.

use crate::printer::{Printer, one_line, printable};
use mainstay_api::InstanceId;
use mainstay_api::mail::{Message, Priority};
use owo_colors::OwoColorize;
use std::fmt::Write;

/// A line for each message.
pub fn table(printer: &Printer, messages: &[Message]) -> String {
    if messages.is_empty() {
        return String::new();
    }
    let row = |message: &Message| {
        let content = &message.content;
        vec![
            one_line(content.id.as_str()),
            content.timestamp.to_seconds_text(),
            one_line(content.from.as_str()),
            recipients(message),
            content.kind.to_string(),
            state(message).into(),
            one_line(&content.subject),
        ]
    };
    let head = ["ID", "SENT", "FROM", "TO", "TYPE", "STATE", "SUBJECT"];
    printer.rows(&head, messages.iter().map(row).collect())
}

/// The whole message.
pub fn message(message: &Message) -> String {
    let content = &message.content;
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "{} {}", format!("{name:<9}").dimmed(), one_line(value));
    };
    field("id", content.id.as_str());
    field("from", content.from.as_str());
    field("to", &recipients(message));
    field("sent", &content.timestamp.to_seconds_text());
    field("type", content.kind.as_str());
    if content.priority != Priority::Normal {
        field("priority", &format!("{:?}", content.priority).to_lowercase());
    }
    if let Some(thread) = &content.thread {
        field("thread", thread.as_str());
    }
    if let Some(reply_to) = &content.reply_to {
        field("reply to", reply_to.as_str());
    }
    if let Some(expires_at) = content.expires_at {
        field("expires", &expires_at.to_seconds_text());
    }
    for attachment in &content.attachments {
        field("attached", &attachment.uri);
    }
    for receipt in message.receipts.iter().flatten() {
        let Some(ack) = &receipt.ack else { continue };
        let comment = ack.comment.as_deref().map(|comment| format!(": {comment}")).unwrap_or_default();
        let by = if ack.by == receipt.recipient { String::new() } else { format!(" by {}", ack.by) };
        field("acked", &format!("{}{by} at {}{comment}", receipt.recipient, ack.at.to_seconds_text()));
    }
    field("state", state(message));
    let _ = write!(text, "\n{}\n", one_line(&content.subject).bold());
    if !content.body.is_empty() {
        let _ = write!(text, "\n{}\n", printable(content.body.trim_end()));
    }
    text
}

/// What is still to be done with a message.
fn state(message: &Message) -> &'static str {
    match (message.content.requires_ack, message.acknowledged || message.settled) {
        (_, true) => "acknowledged",
        (true, false) => "pending",
        (false, false) => "no ack asked",
    }
}

fn recipients(message: &Message) -> String {
    one_line(&message.content.to.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(", "))
}
