//! `mainstay conversation watch`.

use super::view;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use futures::StreamExt;
use mainstay_api::{Code, ConversationId};
use mainstay_client::ConversationEvent;

/// Follows a conversation, through restarts of the server and the store, until it is deleted or the command is stopped.
#[derive(Debug, Args)]
pub struct Watch {
    /// The conversation.
    id: ConversationId,
    /// Begin after the message with this number, 0 for all; what comes from now on when absent.
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
}

impl Watch {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let mut events = context.client().await?.conversations().events(self.id, self.after);
        let (mut began, mut interrupted) = (false, false);
        while let Some(event) = events.next().await {
            match event {
                Ok(ConversationEvent::Message(message)) => {
                    context.printer.item(&message, || view::message(&message) + "\n")?;
                }
                Ok(ConversationEvent::Interrupted(problem)) => {
                    // Once for each interruption, not for each attempt to end it.
                    if !interrupted {
                        context.printer.warning(&format!("interrupted, trying again: {problem}"));
                    }
                    interrupted = true;
                    continue;
                }
                Ok(ConversationEvent::Gap) => {
                    context.printer.warning("it was begun anew; what there is follows from the beginning");
                }
                Ok(ConversationEvent::Ready) if interrupted => context.printer.note("connected again"),
                Ok(ConversationEvent::Ready | ConversationEvent::Changed { .. }) => {}
                Err(error) => {
                    let problem = error.problem();
                    if began && problem.code == Code::ConversationNotFound {
                        context.printer.note("the conversation is gone");
                        return Ok(());
                    }
                    return Err(problem.into());
                }
            }
            (began, interrupted) = (true, false);
        }
        Ok(())
    }
}
