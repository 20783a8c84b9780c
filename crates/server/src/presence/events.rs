//! `GET /v1/presence/events`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::live::{self, Batch, Feed, Subscription};
use crate::problem::Failure;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::presence::{Presence, PresenceEvent};
use mainstay_core::presence::changes;
use mainstay_core::{Caller, Result, Scope, Topic};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Longest time between two reads while nothing is heard; longer than for mail, as a read is the whole list.
const SAFETY_READ: Duration = Duration::from_secs(15);
/// Least time until a change that only the passing of time brings is looked for: after a moment passed, never before.
const LEAST_WAIT: Duration = Duration::from_millis(10);

/// Follows the presence of the namespace, as server-sent events.
///
/// First the instances that are there, then `ready`, then every change. Events: `presence` (its `change` says
/// which), `ready`, `problem` (the store is away; the stream goes on by itself), `bye` (come back). A stream that is
/// taken up again begins anew.
#[utoipa::path(get, path = "/v1/presence/events", operation_id = "follow_presence", tag = "presence", responses(
    (status = 200, description = "Events", content_type = "text/event-stream", body = PresenceEvent)
))]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
) -> Result<Response, Failure> {
    caller.require(Scope::PresenceRead)?;
    let permit = app.admission.live()?;
    let watch = app.services.hub.watch(Topic::Presence(caller.namespace.clone()));
    let subscription = Subscription { app: Arc::clone(&app), watch, permit };
    let feed = PresenceFeed { app, caller, known: Presence { instances: Vec::new() }, ready: false };
    Ok(live::stream(feed, subscription).await?)
}

struct PresenceFeed {
    app: Arc<App>,
    caller: Caller,
    known: Presence,
    ready: bool,
}

#[derive(Serialize)]
struct ReadyNotice {
    instances: usize,
}

impl Feed for PresenceFeed {
    async fn read(&mut self) -> Result<Batch> {
        let service = &self.app.services.presence;
        let now = service.list(&self.caller).await?;
        let mut events: Vec<_> = changes(&self.known, &now).iter().map(|event| live::json("presence", event)).collect();
        if !self.ready {
            self.ready = true;
            events.push(live::json("ready", &ReadyNotice { instances: now.instances.len() }));
        }
        let due = service.next_change_ms(&now).map_or(SAFETY_READ, Duration::from_millis);
        self.known = now;
        Ok(Batch { events, wait: Some(due.clamp(LEAST_WAIT, SAFETY_READ)), end: None })
    }
}
