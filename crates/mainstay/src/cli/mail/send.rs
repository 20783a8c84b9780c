//! `mainstay mail send`.

use crate::cli::context::Context;
use crate::cli::span::Moment;
use crate::failure::{Failure, Result};
use clap::{Args, ValueEnum};
use mainstay_api::ids::RequestId;
use mainstay_api::mail::{Attachment, MAX_BODY_BYTES, Priority, SendMessage};
use mainstay_api::{Code, InstanceId, MessageId, MessageType};
use std::io::Read;

/// Sends a message.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay mail send backend \"API is ready\" --type READY_FOR_REVIEW")]
pub struct Send {
    /// Who receives it: instances separated by commas, or `all`.
    #[arg(required = true, num_args = 1, value_delimiter = ',')]
    to: Vec<InstanceId>,
    /// One line.
    subject: String,
    /// The text, Markdown; `-` reads it from stdin.
    #[arg(long, short, allow_hyphen_values = true, conflicts_with = "body_file")]
    body: Option<String>,
    /// A file with the text; `-` for stdin.
    #[arg(long, value_name = "FILE")]
    body_file: Option<String>,
    /// The type; `mainstay mail types` lists them.
    #[arg(long = "type", short = 't', value_name = "TYPE", default_value = "GENERAL")]
    kind: MessageType,
    /// The id to give the message; made when absent.
    #[arg(long)]
    id: Option<MessageId>,
    /// The thread it belongs to.
    #[arg(long, value_name = "ID")]
    thread: Option<MessageId>,
    /// The message it replies to.
    #[arg(long, value_name = "ID")]
    reply_to: Option<MessageId>,
    /// How urgent it is.
    #[arg(long, value_enum, default_value_t = Urgency::Normal)]
    priority: Urgency,
    /// A file it refers to, as a URI or path; may be repeated.
    #[arg(long, value_name = "URI")]
    attach: Vec<String>,
    /// Do not ask for an acknowledgement.
    #[arg(long)]
    no_ack: bool,
    /// When it disappears: a span such as 2h, or a time.
    #[arg(long, value_name = "WHEN")]
    expires: Option<Moment>,
    /// An id of this call: repeated with the same id, it sends nothing twice.
    #[arg(long, value_name = "ID")]
    request_id: Option<RequestId>,
}

/// How urgent a message is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Urgency {
    Low,
    Normal,
    High,
    Urgent,
}

impl From<Urgency> for Priority {
    fn from(urgency: Urgency) -> Self {
        match urgency {
            Urgency::Low => Self::Low,
            Urgency::Normal => Self::Normal,
            Urgency::High => Self::High,
            Urgency::Urgent => Self::Urgent,
        }
    }
}

impl Send {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let message = SendMessage {
            body: self.text()?,
            id: self.id,
            kind: self.kind,
            thread: self.thread,
            reply_to: self.reply_to,
            priority: self.priority.into(),
            attachments: self.attach.into_iter().map(attachment).collect(),
            requires_ack: !self.no_ack,
            expires_at: self.expires.map(|when| when.after(context.now())),
            ..SendMessage::new(self.to, self.subject)
        };
        let sent = context.client_or_user().await?.mail().send(&message, self.request_id).await?;
        let content = &sent.message.content;
        context.printer.data(&sent, || crate::printer::one_line(content.id.as_str()))?;
        if !context.printer.is_json() {
            let to = content.to.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(", ");
            let again = if sent.replayed { "had been sent before" } else { "sent" };
            context.printer.note(&format!("{again} to {to} by {} as {}", content.from, content.kind));
        }
        Ok(())
    }

    fn text(&self) -> Result<String> {
        match (self.body.as_deref(), self.body_file.as_deref()) {
            (Some("-"), _) | (_, Some("-")) => read_bounded(std::io::stdin().lock(), "stdin"),
            (Some(text), _) => Ok(text.into()),
            (None, Some(path)) => {
                let file =
                    std::fs::File::open(path).map_err(|cause| Failure::io(format!("{path} cannot be read"), &cause))?;
                read_bounded(file, path)
            }
            (None, None) => Ok(String::new()),
        }
    }
}

fn attachment(uri: String) -> Attachment {
    Attachment { uri, name: None, media_type: None, size_bytes: None, sha256: None }
}

/// Reads one byte more than a body may have, so that what is too long is refused and not cut.
fn read_bounded(source: impl Read, name: &str) -> Result<String> {
    let mut text = String::new();
    let most = MAX_BODY_BYTES as u64 + 1;
    source
        .take(most)
        .read_to_string(&mut text)
        .map_err(|cause| Failure::io(format!("{name} cannot be read"), &cause))?;
    if text.len() > MAX_BODY_BYTES {
        let detail = format!("{name} holds more than {MAX_BODY_BYTES} bytes, the most that a body may have");
        return Err(Failure::new(Code::InvalidRequest, detail, "Refer to the file with --attach instead."));
    }
    Ok(text)
}
