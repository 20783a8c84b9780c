//! The connection that a request names, wherever it is held.

use super::connections::{Named, Place, key_of};
use super::session::Session;
use super::{hub_of, parameter, unfit, unknown};
use crate::app::App;
use crate::problem::Failure;
use http::Uri;
use mainstay_core::Caller;
use std::sync::Arc;

/// Where a connection is held.
pub(super) enum Held {
    /// At this node.
    Here(Arc<Session>),
    /// At another one, by the digest of the token.
    Elsewhere(String),
}

impl Held {
    /// Finds the connection that the query of a request to a hub names, where it is the caller's.
    pub(super) async fn find(app: &App, caller: &Caller, (hub, uri): (&str, &Uri)) -> Result<Self, Failure> {
        let hub = hub_of(hub)?;
        let token = parameter(uri, "id").ok_or_else(|| unfit("query: Connection ID required"))?;
        let key = key_of(&token);
        match app.connections.find(Named { key: &key, hub, caller }).await? {
            Place::Here(session) => Ok(Self::Here(session)),
            Place::Elsewhere => Ok(Self::Elsewhere(key)),
            Place::Ready { .. } | Place::Unknown => Err(unknown()),
        }
    }
}
