//! The hubs: what clients may call, and what they hear.

mod chat;
mod events;
mod floor;
mod frames;
mod groups;
mod notification;
mod remote_access;
mod ticket;
mod wording;

pub(crate) use floor::Floor;
pub(crate) use frames::HubFrames;

use super::session::{Call, Peer, Reply};
use floor::Refused;
use groups::Group;
use mainstay_signalr::Value;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// How long a client waits that cannot arrive because the store is away, before it tries again.
const ARRIVE_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum HubKind {
    /// Chats about requests.
    Chat,
    /// Tickets.
    Ticket,
    /// What concerns one user.
    Notification,
    /// Sessions of remote access, and how their two ends find each other.
    RemoteAccess,
    /// Any stream and any room, with positions.
    Events,
}

impl HubKind {
    /// Every hub.
    pub(crate) const ALL: [Self; 5] = [Self::Chat, Self::Ticket, Self::Notification, Self::RemoteAccess, Self::Events];

    /// The hub of this name in a path.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hub| hub.name() == name)
    }

    /// Its name in a path.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Ticket => "ticket",
            Self::Notification => "notification",
            Self::RemoteAccess => "remote-access",
            Self::Events => "events",
        }
    }
}

/// A client has arrived. Where the store is away its arrival takes as long, and its calls wait.
///
/// # Errors
/// Where the hub does not take it: the connection ends then.
pub(crate) async fn connected(peer: Arc<Peer>) -> Result<(), String> {
    loop {
        match arrive(&peer).await {
            Err(Refused { later: true, why }) => {
                tracing::debug!(connection = peer.id, why, "a client cannot arrive yet");
                tokio::time::sleep(ARRIVE_AGAIN_AFTER).await;
            }
            arrived => return Ok(arrived?),
        }
    }
}

async fn arrive(peer: &Peer) -> Result<(), Refused> {
    if let Some(desktop) = &peer.desktop {
        peer.join(Group::Desktop(desktop.clone()).into(), nothing).await?;
    }
    match peer.hub {
        HubKind::Chat => chat::connected(peer).await,
        HubKind::Notification => notification::connected(peer).await,
        HubKind::Ticket | HubKind::RemoteAccess | HubKind::Events => Ok(()),
    }
}

/// A client calls a method.
pub(crate) async fn invoke(peer: Arc<Peer>, call: Call) -> Result<Reply, String> {
    let target = call.target.clone();
    let reply = match peer.hub {
        HubKind::Chat => chat::invoke(&peer, call).await?,
        HubKind::Ticket => ticket::invoke(&peer, call).await?,
        HubKind::Notification => notification::invoke(&peer, call).await?,
        HubKind::RemoteAccess => remote_access::invoke(&peer, call).await?,
        HubKind::Events => events::invoke(&peer, call).await?,
    };
    reply.ok_or_else(|| format!("Unknown hub method '{target}'"))
}

/// A client has gone, for whatever reason.
pub(crate) async fn disconnected(peer: &Arc<Peer>) {
    if peer.hub == HubKind::RemoteAccess {
        remote_access::disconnected(peer).await;
    }
    peer.leave_all().await;
}

/// What a method of a hub comes to: nothing where there is no such method.
type Answer = Result<Option<Reply>, String>;

/// A call of a client's method: its name, and the arguments.
type Told = (&'static str, Vec<Value>);

/// The answer of a method that has none.
fn done() -> Answer {
    Ok(Some(Reply::Void))
}

/// A client that joins a group and is told nothing of it.
fn nothing(_: &floor::Joined) -> Result<Option<Told>, String> {
    Ok(None)
}

fn value(value: &impl Serialize) -> Result<Value, String> {
    Value::write(value).map_err(|cause| cause.to_string())
}
