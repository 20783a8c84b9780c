//! `mainstay events`.

mod consume;
mod dead;
mod groups;
mod health;
mod lag;
mod publish;
mod read;
mod rooms;
mod streams;
mod top;
mod transport;

use super::context::Context;
use crate::failure::{Failure, Result};
use clap::Subcommand;
use mainstay_api::Code;
use mainstay_api::events::GroupName;

/// Commands about events.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Work on events in a consumer group, each until it is done.
    Consume(Box<consume::Consume>),
    /// See events that a consumer group gave up on, and bring them back.
    #[command(subcommand)]
    Dead(dead::DeadCommand),
    /// See, make and remove consumer groups.
    #[command(subcommand)]
    Groups(groups::GroupsCommand),
    /// Show how the streams stand.
    Health(health::Health),
    /// Show how far consumer groups are behind.
    Lag(lag::Lag),
    /// Publish an event, or several; prints their positions.
    Publish(Box<publish::Publish>),
    /// Read events that are kept.
    Read(read::Read),
    /// See who is in a room, and say who may be.
    #[command(subcommand)]
    Rooms(rooms::RoomsCommand),
    /// List the streams, and what they hold.
    Streams(streams::Streams),
    /// Show live how streams, groups and a node stand.
    Top(top::Top),
    /// See and change how publishers send events.
    #[command(subcommand)]
    Transport(transport::TransportCommand),
}

impl EventsCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Consume(command) => command.run(context).await,
            Self::Dead(command) => command.run(context).await,
            Self::Groups(command) => command.run(context).await,
            Self::Health(command) => command.run(context).await,
            Self::Lag(command) => command.run(context).await,
            Self::Publish(command) => command.run(context).await,
            Self::Read(command) => command.run(context).await,
            Self::Rooms(command) => command.run(context).await,
            Self::Streams(command) => command.run(context).await,
            Self::Top(command) => command.run(context).await,
            Self::Transport(command) => command.run(context).await,
        }
    }
}

/// The group that was named, else that of the settings.
fn group_of(named: Option<GroupName>, context: &Context<'_>) -> Result<GroupName> {
    named.or_else(|| context.settings.consumer_group.clone()).ok_or_else(|| {
        Failure::new(
            Code::InvalidRequest,
            "no consumer group is named",
            "Name one with --group, or set MAINSTAY_CONSUMER_GROUP.",
        )
    })
}
