//! `GET /v1/events/{stream}/live`.

use super::socket::{SseEvents, json, sse};
use crate::access::Standing;
use crate::app::App;
use crate::caller::Authenticated;
use crate::extract::{Path, Query};
use crate::live::{Joining, Listener, Place, Rooms, Seat, Wish, joined};
use crate::metrics::Carrier;
use crate::problem::Failure;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};
use mainstay_core::api::events::{EventPosition, FollowRoom, LiveMessage, StreamName};
use mainstay_core::{Caller, Error, Mint, RandomMint, Result};
use mainstay_hub::live::{Closed, Drain, Outlet, OutletParts};
use serde_json::json as value;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// Frames and bytes that are written at a time.
const MAX_FRAMES: usize = 256;
const BATCH_BYTES: usize = 64 * 1_024;
/// How long a browser waits before it comes back.
const RETRY: &[u8] = b"retry: 1000\n\n";

/// Follows a room, as server-sent events.
///
/// Begins where `from` or the `Last-Event-ID` header says, so that what was missed comes first; else with what is new. Events
/// without a name are those of the room, with their position as id. Named ones: `ready` (the stream has begun), `gap` (what
/// was missed must be fetched from where it is kept), `conflated` (events were left out because the client is slow), `bye`
/// (the server ends the stream: `stopping` and `slow` mean come back; `forbidden` and `credential` do not). A quiet room's
/// position moves on without an event. With `present` the caller shows in the room meanwhile. Problems: `events.stream_unknown`, `events.room_forbidden`.
#[utoipa::path(get, path = "/v1/events/{stream}/live", operation_id = "follow_room", tag = "events",
    params(("stream" = StreamName, Path, description = "The stream"), FollowRoom,
        ("last-event-id" = Option<String>, Header, description = "The position to resume from")),
    responses((status = 200, description = "Events", content_type = "text/event-stream"))
)]
pub(crate) async fn live(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(stream): Path<StreamName>,
    Query(follow): Query<FollowRoom>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let from = last_event_id(&headers)?.or(follow.from);
    let seat = app.seats.take(&caller, app.config.live.max_per_principal)?;
    let permit = app.admission.live()?;
    let place = (stream, follow.room);
    let parts = OutletParts {
        connection: RandomMint.event_id().to_string(),
        encoder: Arc::new(SseEvents),
        limit_bytes: app.config.live.queue_bytes,
        meter: app.services.metrics.delivery.meter(Carrier::Sse),
    };
    let (outlet, drain) = app.services.live.outlet(parts);
    let mut rooms = Rooms::default();
    let listener = Listener { app: &app, caller: &caller, outlet: &outlet };
    let wish = Wish { place: place.clone(), from, present: follow.present, info: None };
    let joining = rooms.prepare(listener, wish).await?;
    outlet.push(Bytes::from_static(RETRY));
    outlet.push(begun(place, &joining));
    rooms.begin(joining);
    let mut checks = tokio::time::interval_at(Instant::now() + Standing::CHECK_EVERY, Standing::CHECK_EVERY);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let follower = Follower {
        app,
        caller,
        outlet,
        drain,
        rooms,
        checks,
        alive: Instant::now(),
        ended: false,
        _counted: (permit, seat),
    };
    let body = Body::from_stream(stream::unfold(follower, |mut follower| async move {
        let bytes = follower.next().await?;
        Some((Ok::<_, Infallible>(bytes), follower))
    }));
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
        // nginx would otherwise hold events back until its buffer is full.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<EventPosition>> {
    let Some(header) = headers.get("last-event-id").filter(|header| !header.is_empty()) else {
        return Ok(None);
    };
    let text = header.to_str().map_err(|_| Error::invalid("header last-event-id: it is not a position"))?;
    text.parse().map(Some).map_err(|broken| Error::invalid(format!("header last-event-id: {broken}")))
}

/// The first event: where the stream begins, and whether something before it is missing.
fn begun((stream, room): Place, joining: &Joining) -> Bytes {
    let (position, id) = (joining.position().clone(), joining.position().to_string());
    match joining.gap() {
        Some(gap) => named("gap", Some(&id), &LiveMessage::Gap { stream, room, gap, position }),
        None => named("ready", Some(&id), &LiveMessage::Position { stream, room, position }),
    }
}

fn named(name: &str, id: Option<&str>, message: &impl serde::Serialize) -> Bytes {
    json(message).map(|json| sse(Some(name), id, &json)).unwrap_or_default()
}

fn bye(reason: &str) -> Bytes {
    named("bye", None, &value!({ "reason": reason }))
}

/// Somebody who follows a room.
struct Follower {
    app: Arc<App>,
    caller: Caller,
    outlet: Outlet,
    drain: Drain,
    rooms: Rooms,
    checks: Interval,
    /// When the last sign of life was given.
    alive: Instant,
    ended: bool,
    _counted: (OwnedSemaphorePermit, Seat),
}

impl Follower {
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let shutdown = self.app.shutdown.clone();
        loop {
            tokio::select! {
                batch = self.drain.batch(MAX_FRAMES, BATCH_BYTES) => return Some(match batch {
                    Ok(frames) => joined(&frames),
                    Err(Closed::Slow) => self.end("slow"),
                    Err(_) => self.end("stopping"),
                }),
                _ = self.checks.tick() => {
                    if let Some(bytes) = self.look_after().await {
                        return Some(bytes);
                    }
                }
                () = shutdown.cancelled() => return Some(self.end("stopping")),
            }
        }
    }

    async fn look_after(&mut self) -> Option<Bytes> {
        let listener = Listener { app: &self.app, caller: &self.caller, outlet: &self.outlet };
        if !self.rooms.check(listener).await.is_empty() {
            return Some(self.end("forbidden"));
        }
        self.rooms.renew(listener).await;
        if self.alive.elapsed() < self.app.config.live.keep_alive {
            return None;
        }
        self.alive = Instant::now();
        // What still waits for the client comes before the position that is behind it.
        let moved = if self.drain.is_empty() { self.rooms.positions().pop() } else { None };
        Some(match moved {
            // Without data it is no event, and yet the client remembers the id.
            Some((_, position)) => Bytes::from(format!("id: {position}\n\n")),
            None => Bytes::from_static(b":\n\n"),
        })
    }

    fn end(&mut self, reason: &str) -> Bytes {
        self.ended = true;
        bye(reason)
    }
}

/// The client is gone, and so is the caller from the room.
impl Drop for Follower {
    fn drop(&mut self) {
        let (app, caller, outlet) = (Arc::clone(&self.app), self.caller.clone(), self.outlet.clone());
        let mut rooms = std::mem::take(&mut self.rooms);
        if rooms.shows() {
            let tasks = app.services.sockets.clone();
            tasks.spawn(async move { rooms.leave_all(Listener { app: &app, caller: &caller, outlet: &outlet }).await });
        }
    }
}
