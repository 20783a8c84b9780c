//! `mainstay mail`.

mod ack;
mod counts;
mod list;
mod read;
mod send;
mod show;
mod stats;
mod types;
mod wait;
mod watch;

use super::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about mail.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Send a message; prints its id.
    Send(Box<send::Send>),
    /// List messages, newest first.
    List(Box<list::List>),
    /// Show one message, and mark it as read.
    Read(read::Read),
    /// Acknowledge a message.
    Ack(ack::Ack),
    /// Block until there is unread mail, print it, and mark it as read.
    Wait(wait::Wait),
    /// Follow the inbox: unread mail first, then what arrives.
    Watch(watch::Watch),
    /// Count the mail in the inbox.
    Counts(counts::Counts),
    /// Show the mail of the namespace in numbers.
    Stats(stats::Stats),
    /// List the types that a message may have.
    Types(types::Types),
}

impl MailCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Send(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Read(command) => command.run(context).await,
            Self::Ack(command) => command.run(context).await,
            Self::Wait(command) => command.run(context).await,
            Self::Watch(command) => command.run(context).await,
            Self::Counts(command) => command.run(context).await,
            Self::Stats(command) => command.run(context).await,
            Self::Types(command) => command.run(context).await,
        }
    }
}
