//! `mainstay mail ack`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::mail::AckMessage;
use mainstay_api::{InstanceId, MessageId};

/// Acknowledges a message. Done twice, the first time stands.
#[derive(Debug, Args)]
pub struct Ack {
    /// The message.
    id: MessageId,
    /// A word to the sender.
    #[arg(long, short)]
    comment: Option<String>,
    /// The recipient whose acknowledgement it is, where it is somebody else's.
    #[arg(long = "for", value_name = "INSTANCE")]
    on_behalf_of: Option<InstanceId>,
}

impl Ack {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let ack = AckMessage { comment: self.comment, on_behalf_of: self.on_behalf_of };
        let done = context.client_or_user().await?.mail().acknowledge(&self.id, &ack).await?;
        context.printer.data(&done, || one_line(self.id.as_str()))?;
        if !context.printer.is_json() {
            let again = if done.already { "had been acknowledged" } else { "acknowledged" };
            context.printer.note(&format!("{again} by {} at {}", done.ack.by, done.ack.at.to_seconds_text()));
        }
        Ok(())
    }
}
