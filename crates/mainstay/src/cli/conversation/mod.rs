//! `mainstay conversation`.

mod append;
mod create;
mod delete;
mod erase;
mod export;
mod fork;
pub(super) mod input;
mod list;
mod patch;
mod pin;
mod send;
mod show;
mod status;
mod turn;
mod view;
mod watch;

pub use send::Chat;

use super::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about conversations.
#[derive(Debug, Subcommand)]
pub enum ConversationCommand {
    /// Begin a conversation; prints its id.
    Create(Box<create::Create>),
    /// List conversations, the one that changed last first.
    List(list::List),
    /// Show a conversation and its newest messages.
    Show(show::Show),
    /// Append a message as it is; nobody is asked for an answer.
    Append(append::Append),
    /// Say something, and print what the agent answers.
    Send(send::Send),
    /// Change the status.
    Status(status::Status),
    /// Change a conversation by a JSON document.
    Patch(patch::Patch),
    /// Keep a conversation until it is deleted, or let it expire again.
    Pin(pin::Pin),
    /// Begin a conversation with a copy of another one's messages.
    Fork(fork::Fork),
    /// Take, renew or end the exclusive turn of a conversation.
    #[command(subcommand)]
    Turn(turn::TurnCommand),
    /// Write conversations out as JSON lines.
    Export(export::Export),
    /// Delete a conversation, for good.
    Delete(delete::Delete),
    /// Erase every conversation of a user, for good.
    Erase(erase::Erase),
    /// Follow a conversation.
    Watch(watch::Watch),
}

impl ConversationCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Append(command) => command.run(context).await,
            Self::Send(command) => command.run(context).await,
            Self::Status(command) => command.run(context).await,
            Self::Patch(command) => command.run(context).await,
            Self::Pin(command) => command.run(context).await,
            Self::Fork(command) => command.run(context).await,
            Self::Turn(command) => command.run(context).await,
            Self::Export(command) => command.run(context).await,
            Self::Delete(command) => command.run(context).await,
            Self::Erase(command) => command.run(context).await,
            Self::Watch(command) => command.run(context).await,
        }
    }
}
