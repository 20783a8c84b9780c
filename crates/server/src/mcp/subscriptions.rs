//! Telling clients that a resource has changed: `subscriptions/listen` of the current protocol, and
//! `resources/subscribe` of the earlier ones.

use super::backend::{Backend, Watched};
use super::guidance;
use super::resources::{self, Named};
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::SubscriptionContext;
use rmcp::{ErrorData, Peer, RoleServer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Most resources of one subscription; there are no more to subscribe to.
pub(super) const MAX_URIS: usize = 8;

/// How a client of an earlier protocol is told of changes.
#[derive(Clone)]
pub(super) enum Push {
    /// Over its connection, which remembers what it subscribed to.
    Connection(Arc<Subscribed>),
    /// Over the stream of the endpoint (`GET`), which tells each caller of all that it could subscribe to: nothing
    /// has to be remembered, and any node can serve it.
    Stream,
}

/// What the caller watches by subscribing to a URI; `None` where it cannot.
pub(super) fn watched(backend: &dyn Backend, uri: &str) -> Option<Watched> {
    let watched = Named::parse(uri, backend.instance())?.watched(backend.instance())?;
    backend.allows(watched.needs()).is_ok().then_some(watched)
}

/// Why a URI cannot be subscribed to.
pub(super) async fn refusal(backend: &dyn Backend, uri: &str) -> ErrorData {
    if Named::parse(uri, backend.instance()).is_none() {
        return resources::not_found(uri, "There is no such resource.");
    }
    let needs = [Watched::Mailbox, Watched::Presence].map(Watched::needs);
    if let Some(problem) = needs.into_iter().find_map(|needs| backend.allows(needs).err()) {
        backend.refused(problem.code).await;
        return guidance::protocol(&problem);
    }
    let message = format!(
        "{uri} cannot be subscribed to. Subscribe to {} (your own mailbox; it needs an instance name) or {}.",
        resources::OWN_MAILBOX,
        resources::PRESENCE
    );
    ErrorData::invalid_params(message, None)
}

/// The URIs that a caller can subscribe to, by what they watch.
pub(super) fn uris(backend: &dyn Backend) -> Vec<(Watched, Vec<String>)> {
    let mut uris = vec![(Watched::Presence, vec![resources::PRESENCE.to_owned()])];
    if let Some(name) = backend.instance() {
        let own = vec![resources::OWN_MAILBOX.to_owned(), resources::mailbox_uri(name)];
        uris.push((Watched::Mailbox, own));
    }
    uris.retain(|(watched, _)| backend.allows(watched.needs()).is_ok());
    uris
}

/// Changes of several things, as one stream of what changed.
pub(super) fn changes(
    backend: &dyn Backend,
    watched: impl IntoIterator<Item = Watched>,
) -> SelectAll<BoxStream<'static, Watched>> {
    watched.into_iter().map(|what| backend.changes(what).map(move |()| what).boxed()).collect()
}

/// Serves one `subscriptions/listen` until the client ends it, or the server stops.
pub(super) async fn listen(backend: &dyn Backend, context: &SubscriptionContext, stopping: &CancellationToken) {
    let mut by_watched: BTreeMap<Watched, Vec<&String>> = BTreeMap::new();
    for uri in context.accepted().resource_subscriptions.iter().flatten() {
        if let Some(what) = watched(backend, uri) {
            by_watched.entry(what).or_default().push(uri);
        }
    }
    let mut changes = changes(backend, by_watched.keys().copied());
    loop {
        let what = tokio::select! {
            () = context.cancelled() => return,
            () = stopping.cancelled() => return,
            Some(what) = changes.next() => what,
        };
        for uri in by_watched.get(&what).into_iter().flatten() {
            if context.sink().notify_resource_updated(uri.as_str()).await.is_err() {
                return;
            }
        }
    }
}

/// What the client of one connection has subscribed to.
#[derive(Default)]
pub(super) struct Subscribed(Mutex<BTreeMap<Watched, Watching>>);

struct Watching {
    uris: BTreeSet<String>,
    ended: CancellationToken,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

impl Subscribed {
    /// Adds a subscription; the first one of a kind starts the task that tells the client.
    pub(super) fn add(
        self: &Arc<Self>,
        uri: String,
        watched: Watched,
        start: impl FnOnce() -> (BoxStream<'static, ()>, Peer<RoleServer>),
    ) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watching) = table.get_mut(&watched) {
            watching.uris.insert(uri);
            return;
        }
        let ended = CancellationToken::new();
        table.insert(watched, Watching { uris: BTreeSet::from([uri]), ended: ended.clone() });
        drop(table);
        let (changes, peer) = start();
        // The task does not keep the table alive: when the connection is gone, so are its tasks.
        let table = Arc::downgrade(self);
        let uris = move || table.upgrade().map(|table| table.uris(watched)).unwrap_or_default();
        tokio::spawn(ended.run_until_cancelled_owned(tell(changes, peer, uris)));
    }

    /// Takes a subscription away; the last one of a kind ends its task.
    pub(super) fn remove(&self, uri: &str) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.retain(|_, watching| {
            watching.uris.remove(uri);
            !watching.uris.is_empty()
        });
    }

    fn uris(&self, watched: Watched) -> Vec<String> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.get(&watched).map(|watching| watching.uris.iter().cloned().collect()).unwrap_or_default()
    }
}

async fn tell(mut changes: BoxStream<'static, ()>, peer: Peer<RoleServer>, uris: impl Fn() -> Vec<String>) {
    while changes.next().await.is_some() {
        for uri in uris() {
            if peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await.is_err() {
                return;
            }
        }
    }
}
