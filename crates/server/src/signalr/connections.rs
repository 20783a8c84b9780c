//! The connections of clients: in the store from their negotiation on, so that any node can serve any request of them, and
//! in this process where this node holds them open.

use super::hubs::HubKind;
use super::relay;
use super::session::{Opening, Session};
use crate::app::App;
use crate::services::Services;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_core::events::{Claim, ClaimOutcome, ConnectionRecord, ConnectionStore};
use mainstay_core::text::sha256_hex;
use mainstay_core::{Caller, Clock, Mint, RandomMint, Result};
use mainstay_signalr::negotiate::Transport;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a connection is kept after the node that holds it was last heard of.
const HELD_FOR: Duration = Duration::from_secs(60);
/// How often the node says that it is there.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// How long what another node is to tell the client stays in the store after the end.
const LINGER: Duration = Duration::from_secs(5);

/// The connections of clients.
pub(crate) struct Connections {
    pub(super) store: Arc<dyn ConnectionStore>,
    pub(super) clock: Arc<dyn Clock>,
    /// This run of this node.
    node: String,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

/// A connection as it is negotiated.
pub(crate) struct Wanted<'a> {
    pub hub: HubKind,
    pub caller: &'a Caller,
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

/// What was negotiated, as it stands in the store.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Details {
    hub: String,
    stateful: bool,
}

/// Whose connection a request names.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    /// The digest of the token.
    pub key: &'a str,
    pub hub: HubKind,
    pub caller: &'a Caller,
}

/// Where a connection is.
pub(crate) enum Place {
    /// Open at this node.
    Here(Arc<Session>),
    /// Not open yet: this node holds it from now on.
    Ready {
        /// Its public id.
        id: String,
        stateful: bool,
    },
    /// Open at another node.
    Elsewhere,
    /// Nowhere, or not this caller's.
    Unknown,
}

impl Connections {
    pub(crate) fn new(services: &Services) -> Self {
        let (store, clock) = (Arc::clone(&services.connections), Arc::clone(&services.clock));
        Self { store, clock, node: random(), sessions: Mutex::default() }
    }

    /// Keeps a connection that a client may open at any node.
    pub(crate) async fn negotiate(&self, wanted: Wanted<'_>) -> Result<Ticket> {
        let Wanted { hub, caller, stateful, waits } = wanted;
        let (id, token) = (random(), random());
        let details = serde_json::json!(Details { hub: hub.name().into(), stateful }).to_string();
        let record = ConnectionRecord { id: id.clone(), principal: caller.principal.to_string(), details, node: None };
        self.store.open(&key_of(&token), record, waits, self.clock.now()).await?;
        Ok(Ticket { id, token })
    }

    /// Where a connection is, for a request that goes to wherever that is.
    pub(crate) async fn find(&self, named: Named<'_>) -> Result<Place> {
        if let Some(session) = self.session(named) {
            return Ok(Place::Here(session));
        }
        let record = self.store.find(named.key, self.clock.now()).await?;
        Ok(match record {
            Some(record) if is_of(&record, named).is_some() && self.is_elsewhere(&record) => Place::Elsewhere,
            _ => Place::Unknown,
        })
    }

    /// Where a connection is, for a request that opens it where it is open nowhere.
    pub(crate) async fn claim(&self, named: Named<'_>) -> Result<Place> {
        if let Some(session) = self.session(named) {
            return Ok(Place::Here(session));
        }
        // Nobody takes what is another's, not even to find out that it is.
        let found = self.store.find(named.key, self.clock.now()).await?;
        let Some(details) = found.as_ref().and_then(|record| is_of(record, named)) else {
            return Ok(Place::Unknown);
        };
        if found.as_ref().is_some_and(|record| record.node.as_ref() == Some(&self.node)) {
            // It was open here, and has ended.
            return Ok(Place::Unknown);
        }
        Ok(match self.hold(named.key).await? {
            ClaimOutcome::Held(record) => Place::Ready { id: record.id, stateful: details.stateful },
            ClaimOutcome::Elsewhere(_) => Place::Elsewhere,
            ClaimOutcome::Unknown => Place::Unknown,
        })
    }

    /// Opens a session and keeps it for as long as it lives; whether it is new: of two requests at the same time, one
    /// opens it. What is in the store is renewed meanwhile, and ends with it.
    pub(crate) fn open(self: &Arc<Self>, app: &Arc<App>, key: String, opening: Opening) -> (Arc<Session>, bool) {
        let relayed = opening.transport != Transport::WebSockets;
        let mut sessions = lock(&self.sessions);
        if let Some(session) = sessions.get(&key).filter(|session| !session.over().is_cancelled()) {
            return (Arc::clone(session), false);
        }
        let session = Session::open(app, opening);
        sessions.insert(key.clone(), Arc::clone(&session));
        drop(sessions);
        if relayed {
            tokio::spawn(relay::serve(Arc::clone(app), key.clone(), Arc::clone(&session)));
        }
        tokio::spawn(Arc::clone(self).keep(key, Arc::clone(&session)));
        (session, true)
    }

    async fn keep(self: Arc<Self>, key: String, session: Arc<Session>) {
        let mut renewals = tokio::time::interval(RENEW_EVERY);
        renewals.reset();
        loop {
            tokio::select! {
                () = session.over().cancelled() => break,
                _ = renewals.tick() => match self.hold(&key).await {
                    Ok(ClaimOutcome::Elsewhere(_)) => {
                        tracing::warn!("a connection was taken by another node");
                        session.over().cancel();
                    }
                    // A connection without a negotiation is in no store, and one that is over there lives on here.
                    Ok(ClaimOutcome::Held(_) | ClaimOutcome::Unknown) => {}
                    Err(error) => tracing::debug!(%error, "a connection could not be renewed"),
                },
            }
        }
        {
            let mut sessions = lock(&self.sessions);
            if sessions.get(&key).is_some_and(|kept| Arc::ptr_eq(kept, &session)) {
                sessions.remove(&key);
            }
        }
        if session.transport == Transport::LongPolling {
            // The last frames may be on their way to another node.
            tokio::time::sleep(LINGER).await;
        }
        if let Err(error) = self.store.close(&key, self.clock.now()).await {
            tracing::debug!(%error, "a connection ends in the store by its time");
        }
    }

    fn is_elsewhere(&self, record: &ConnectionRecord) -> bool {
        record.node.as_ref().is_some_and(|node| *node != self.node)
    }

    async fn hold(&self, key: &str) -> Result<ClaimOutcome> {
        let claim =
            Claim { token: key.into(), node: self.node.clone(), over: None, ttl: HELD_FOR, now: self.clock.now() };
        self.store.claim(claim).await
    }

    fn session(&self, named: Named<'_>) -> Option<Arc<Session>> {
        let found = lock(&self.sessions).get(named.key).cloned();
        found.filter(|session| {
            let own = session.hub == named.hub && session.principal == named.caller.principal.to_string();
            own && !session.over().is_cancelled()
        })
    }
}

/// What was negotiated, where the connection is the caller's, and of this hub.
fn is_of(record: &ConnectionRecord, named: Named<'_>) -> Option<Details> {
    let details: Details = serde_json::from_str(&record.details).ok()?;
    let own = record.principal == named.caller.principal.to_string() && details.hub == named.hub.name();
    own.then_some(details)
}

/// What a token is kept as.
pub(crate) fn key_of(token: &str) -> String {
    sha256_hex(token.as_bytes())
}

/// A text that nobody guesses.
pub(crate) fn random() -> String {
    URL_SAFE_NO_PAD.encode(&RandomMint.secret()[..16])
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
