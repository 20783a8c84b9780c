//! `mainstay mail read`.

use super::show;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::MessageId;
use mainstay_api::mail::MarkRead;

/// Shows one message, and marks it as read where it was sent to the caller.
#[derive(Debug, Args)]
pub struct Read {
    /// The message.
    id: MessageId,
    /// Do not mark it as read.
    #[arg(long)]
    peek: bool,
}

impl Read {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let mail = context.client().await?.mail();
        let message = mail.message(&self.id).await?;
        context.printer.data(&message, || show::message(&message))?;
        let unread = message.receipt.is_some_and(|receipt| receipt.read_at.is_none());
        if unread && !self.peek {
            mail.mark_read(&MarkRead { ids: vec![self.id] }).await?;
        }
        Ok(())
    }
}
