//! Conversations and messages for people.

use crate::printer::{Printer, one_line, printable};
use mainstay_api::conversations::{Conversation, ConversationSummary, Message, MessageState, RetentionMode, Role};
use owo_colors::OwoColorize;
use std::fmt::Write;

/// A line for each conversation.
pub fn table(printer: &Printer, conversations: &[ConversationSummary]) -> String {
    if conversations.is_empty() {
        return String::new();
    }
    let row = |conversation: &ConversationSummary| {
        vec![
            one_line(conversation.id.as_str()),
            conversation.updated_at.to_seconds_text(),
            conversation.status.as_str().into(),
            conversation.message_count.to_string(),
            conversation.expires_at.map_or_else(|| "pinned".into(), |at| at.to_seconds_text()),
            one_line(conversation.title.as_deref().unwrap_or_default()),
        ]
    };
    let head = ["ID", "CHANGED", "STATUS", "MESSAGES", "EXPIRES", "TITLE"];
    printer.rows(&head, conversations.iter().map(row).collect())
}

/// The whole conversation, without its messages.
pub fn conversation(conversation: &Conversation) -> String {
    let summary = &conversation.summary;
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "{} {}", format!("{name:<9}").dimmed(), one_line(value));
    };
    field("id", summary.id.as_str());
    if summary.external_id != summary.id.as_str() {
        field("external", &summary.external_id);
    }
    if let Some(title) = &summary.title {
        field("title", title);
    }
    field("user", &format!("{} of {}", summary.user_id, summary.tenant_id));
    field("status", summary.status.as_str());
    field("version", &summary.version.to_string());
    field("messages", &format!("{} ({} bytes)", summary.message_count, summary.bytes));
    field("begun", &summary.created_at.to_seconds_text());
    field("changed", &summary.updated_at.to_seconds_text());
    match summary.expires_at {
        None => field("expires", "never: it is pinned"),
        Some(at) if summary.retention.mode == RetentionMode::Sliding => {
            field("expires", &format!("{} unless it is used", at.to_seconds_text()));
        }
        Some(at) => field("expires", &at.to_seconds_text()),
    }
    if let Some(turn) = &summary.turn {
        let holder = turn.holder.as_deref().unwrap_or("somebody");
        field("turn", &format!("of {holder} until {}", turn.until.to_seconds_text()));
    }
    if let Some(forked) = &summary.forked_from {
        field("forked", &format!("from {} after message {}", forked.id, forked.seq));
    }
    let documents = [
        ("workflow", &conversation.workflow),
        ("step data", &conversation.step_data),
        ("metadata", &conversation.metadata),
    ];
    for (name, document) in documents {
        if let Some(document) = document {
            field(name, &document.to_string());
        }
    }
    text
}

/// One message.
pub fn message(message: &Message) -> String {
    let who = match message.content.role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::System => "system",
        Role::Tool => "tool",
    };
    let state = match message.state {
        None => "",
        Some(MessageState::Pending) => ", not answered yet",
        Some(MessageState::Failed) => ", not answered",
    };
    let head = format!("{} {who}, {}{state}", message.seq, message.at.to_seconds_text());
    format!("{}\n{}\n", head.bold(), said(message))
}

/// What a message says: its text, else what it is.
pub fn said(message: &Message) -> String {
    let content = &message.content;
    match &content.text {
        Some(text) => printable(text.trim_end()).into_owned(),
        None => format!("({})", one_line(content.kind.as_str())),
    }
}
