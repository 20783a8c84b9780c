//! The hubs: what clients may call, and what they hear.

mod events;

use super::session::{Call, Peer, Reply};
use std::sync::Arc;

/// A hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum HubKind {
    /// Any stream and any room.
    Events,
}

impl HubKind {
    /// Every hub.
    pub(crate) const ALL: [Self; 1] = [Self::Events];

    /// The hub of this name in a path.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hub| hub.name() == name)
    }

    /// Its name in a path.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
        }
    }
}

/// A client has arrived.
///
/// # Errors
/// Where the hub does not take it: the connection ends then.
pub(crate) async fn connected(peer: Arc<Peer>) -> Result<(), String> {
    match peer.hub {
        HubKind::Events => Ok(()),
    }
}

/// A client calls a method.
pub(crate) async fn invoke(peer: Arc<Peer>, call: Call) -> Result<Reply, String> {
    let target = call.target.clone();
    let reply = match peer.hub {
        HubKind::Events => events::invoke(&peer, call).await?,
    };
    reply.ok_or_else(|| format!("Unknown hub method '{target}'"))
}

/// What a method of a hub comes to: nothing where there is no such method.
type Answer = Result<Option<Reply>, String>;
