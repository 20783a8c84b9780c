//! The connections of this node: those that were negotiated and not yet opened, and those that are open.

use super::hubs::HubKind;
use super::session::Session;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_core::{Mint, RandomMint};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Connections that were negotiated and wait for their first request, at a time.
const MAX_NEGOTIATED: usize = 16_384;

/// The connections of this node, by the digests of their tokens.
#[derive(Default)]
pub(crate) struct Connections {
    negotiated: Mutex<HashMap<String, Negotiated>>,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

/// What was agreed on before a connection is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Negotiated {
    /// The public id.
    pub id: String,
    pub hub: HubKind,
    /// Whose it is.
    pub principal: String,
    pub stateful: bool,
    until: Instant,
}

/// A connection as it is negotiated.
pub(crate) struct Wanted {
    pub hub: HubKind,
    pub principal: String,
    pub stateful: bool,
    /// How long it waits for its first request.
    pub waits: Duration,
}

/// What its client needs.
pub(crate) struct Ticket {
    pub id: String,
    /// The secret that its requests are known by.
    pub token: String,
}

impl Connections {
    /// Makes a connection ready; none where as many as allowed are waiting already.
    pub(crate) fn negotiate(&self, wanted: Wanted) -> Option<Ticket> {
        let Wanted { hub, principal, stateful, waits } = wanted;
        let (id, token) = (random(), random());
        let now = Instant::now();
        let mut negotiated = lock(&self.negotiated);
        if negotiated.len() >= MAX_NEGOTIATED {
            negotiated.retain(|_, waiting| waiting.until > now);
        }
        if negotiated.len() >= MAX_NEGOTIATED {
            return None;
        }
        let until = now + waits;
        negotiated.insert(key_of(&token), Negotiated { id: id.clone(), hub, principal, stateful, until });
        Some(Ticket { id, token })
    }

    /// Takes a connection that was negotiated, to open it.
    pub(crate) fn take(&self, key: &str, hub: HubKind, principal: &str) -> Option<Negotiated> {
        let mut negotiated = lock(&self.negotiated);
        let fits = negotiated.get(key).is_some_and(|waiting| {
            waiting.hub == hub && waiting.principal == principal && waiting.until > Instant::now()
        });
        if fits { negotiated.remove(key) } else { None }
    }

    /// Keeps a session for as long as it lives.
    pub(crate) fn keep(self: &Arc<Self>, key: String, session: &Arc<Session>) {
        lock(&self.sessions).insert(key.clone(), Arc::clone(session));
        let (connections, over) = (Arc::clone(self), session.over().clone());
        tokio::spawn(async move {
            over.cancelled().await;
            lock(&connections.sessions).remove(&key);
        });
    }

    /// The session of a client.
    pub(crate) fn find(&self, key: &str, hub: HubKind, principal: &str) -> Option<Arc<Session>> {
        let found = lock(&self.sessions).get(key).cloned();
        found.filter(|session| session.hub == hub && session.principal == principal && !session.over().is_cancelled())
    }
}

/// What a token is kept as.
pub(crate) fn key_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// A text that nobody guesses.
pub(crate) fn random() -> String {
    URL_SAFE_NO_PAD.encode(&RandomMint.secret()[..16])
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_taken_once_and_by_its_owner_at_its_hub_alone() {
        let connections = Connections::default();
        let wanted = |waits| Wanted { hub: HubKind::Events, principal: "user:a".into(), stateful: true, waits };
        let ticket = connections.negotiate(wanted(Duration::from_secs(60))).unwrap();
        let key = key_of(&ticket.token);
        assert_ne!(ticket.id, ticket.token);
        assert!(connections.take(&ticket.token, HubKind::Events, "user:a").is_none());
        assert!(connections.take(&key, HubKind::Events, "user:b").is_none());
        assert_eq!(connections.take(&key, HubKind::Events, "user:a").unwrap().id, ticket.id);
        assert!(connections.take(&key, HubKind::Events, "user:a").is_none());
        let late = connections.negotiate(wanted(Duration::ZERO)).unwrap();
        assert!(connections.take(&key_of(&late.token), HubKind::Events, "user:a").is_none());
    }
}
