//! `mainstay events`.

mod publish;
mod read;
mod rooms;
mod streams;
mod transport;

use super::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about events.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Publish an event, or several; prints their positions.
    Publish(Box<publish::Publish>),
    /// Read events that are kept.
    Read(read::Read),
    /// See who is in a room, and say who may be.
    #[command(subcommand)]
    Rooms(rooms::RoomsCommand),
    /// List the streams, and what they hold.
    Streams(streams::Streams),
    /// See and change how publishers send events.
    #[command(subcommand)]
    Transport(transport::TransportCommand),
}

impl EventsCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Publish(command) => command.run(context).await,
            Self::Read(command) => command.run(context).await,
            Self::Rooms(command) => command.run(context).await,
            Self::Streams(command) => command.run(context).await,
            Self::Transport(command) => command.run(context).await,
        }
    }
}
