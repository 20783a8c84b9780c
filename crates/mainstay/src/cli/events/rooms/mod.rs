//! `mainstay events rooms`.

mod admit;
mod dismiss;
mod members;
mod present;

use crate::cli::context::Context;
use crate::failure::Result;
use clap::{Args, Subcommand};
use mainstay_api::events::{RoomId, StreamName};

/// Commands about rooms.
#[derive(Debug, Subcommand)]
pub enum RoomsCommand {
    /// Show who is in a room now.
    Present(present::Present),
    /// List who may be in a room.
    Members(members::Members),
    /// Let somebody into a room.
    Admit(admit::Admit),
    /// End a membership, and the live subscriptions that stand on it.
    Dismiss(dismiss::Dismiss),
}

/// Which room.
#[derive(Debug, Args)]
struct At {
    /// The stream, such as chat.
    stream: StreamName,
    /// The room, such as request:42.
    room: RoomId,
}

impl RoomsCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Present(command) => command.run(context).await,
            Self::Members(command) => command.run(context).await,
            Self::Admit(command) => command.run(context).await,
            Self::Dismiss(command) => command.run(context).await,
        }
    }
}
