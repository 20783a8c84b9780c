//! Streams to live clients (server-sent events): read, wait, read again, until the client leaves or the server stops.

mod membership;
mod rooms;
mod rules;
mod seats;
pub(crate) mod socket;

use membership::Membership;
pub(crate) use rooms::{Joining, Listener, Place, Rooms, Said, Wish};
pub use rules::LiveRules;
pub(crate) use seats::{Seat, Seats};

use crate::app::App;
use crate::layers::timed_out;
use crate::problem;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{HeaderMap, HeaderName};
use mainstay_core::api::mail::MAX_WAIT_MS;
use mainstay_core::{Error, Result};
use mainstay_hub::{Wake, Watch};
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tracing::{Instrument, Span};

/// Longest time between two reads while nothing is heard: a wake-up that was lost costs no more than this.
pub(crate) const SAFETY_READ: Duration = Duration::from_secs(5);
/// Comment that keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// First pause after a read that failed; doubles with each one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Reads that may fail in a row before the stream ends: about ten minutes.
const MAX_FAILURES: u32 = 120;

/// Answers a call that may wait for what is new: within the bounds of live connections where it does wait, else within
/// those of any request.
///
/// # Errors
/// `request.invalid` for a wait that is too long, `server.timed_out`, `server.busy`; those of the call.
pub(crate) async fn poll<T, F>(app: &App, wait_ms: Option<u64>, call: impl FnOnce(Duration) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let wait_ms = wait_ms.unwrap_or(0);
    if wait_ms > MAX_WAIT_MS {
        return Err(Error::invalid(format!("wait_ms: {wait_ms}; wait at most {MAX_WAIT_MS} ms")));
    }
    let _permit = if wait_ms == 0 { app.admission.brief()? } else { app.admission.live()? };
    let limit_ms = wait_ms.saturating_add(app.config.request_timeout_ms);
    let answer = timeout(Duration::from_millis(limit_ms), call(Duration::from_millis(wait_ms))).await;
    answer.unwrap_or_else(|_| Err(timed_out(limit_ms)))
}

/// What a client that comes back has been told last, by its `Last-Event-ID`; nothing where it sends none.
pub(crate) fn last_event_id<T: FromStr>(headers: &HeaderMap, what: &str) -> Result<Option<T>> {
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let told = value.to_str().ok().and_then(|text| text.parse().ok());
    told.map(Some).ok_or_else(|| Error::invalid(format!("header last-event-id: it is not {what}")))
}

/// What a stream is made of.
pub(crate) trait Feed: Send + 'static {
    /// Reads what is new since the last read.
    fn read(&mut self) -> impl Future<Output = Result<Batch>> + Send;
}

/// What one read brought.
pub(crate) struct Batch {
    /// The events, in order.
    pub events: Vec<Event>,
    /// How long to wait for a wake-up before the next read; none where more can be read at once.
    pub wait: Option<Duration>,
    /// Why the stream ends with this batch; it goes on where absent.
    pub end: Option<&'static str>,
}

/// What a stream needs besides its feed.
pub(crate) struct Subscription {
    pub app: Arc<App>,
    /// Created before the feed's first read.
    pub watch: Watch,
    /// Counts the stream for as long as it lives.
    #[expect(dead_code, reason = "held, never looked at")]
    pub permit: OwnedSemaphorePermit,
}

struct Live<F> {
    feed: F,
    subscription: Subscription,
    queue: VecDeque<Event>,
    wait: Option<Duration>,
    failures: u32,
    ended: bool,
}

/// Reads once, so that a request that cannot be served is refused with a status, and then streams.
///
/// # Errors
/// Those of the first read.
pub(crate) async fn stream<F: Feed>(feed: F, subscription: Subscription) -> Result<Response> {
    let mut live = Live { feed, subscription, queue: VecDeque::new(), wait: None, failures: 0, ended: false };
    let first = live.read().await?;
    live.take(first);
    // The answer's body outlives the request's span, but what is logged about it belongs there.
    let span = Span::current();
    let events = stream::unfold(live, move |mut live| {
        let next = async move {
            let event = live.next().await?;
            Some((Ok::<_, Infallible>(event), live))
        };
        next.instrument(span.clone())
    });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // nginx would otherwise hold events back until its buffer is full.
    Ok(([(HeaderName::from_static("x-accel-buffering"), "no")], sse).into_response())
}

impl<F: Feed> Live<F> {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            if self.stopped().await {
                self.end("stopping");
                continue;
            }
            match self.read().await {
                Ok(batch) => self.take(batch),
                Err(error) => self.fail(&error),
            }
        }
    }

    /// Waits until it is time to read; returns whether the server stops instead.
    async fn stopped(&mut self) -> bool {
        let shutdown = self.subscription.app.shutdown.clone();
        let Some(wait) = self.wait else {
            return shutdown.is_cancelled();
        };
        let wake = shutdown.run_until_cancelled(self.subscription.watch.changed(wait)).await;
        matches!(wake, None | Some(Wake::Closed))
    }

    async fn read(&mut self) -> Result<Batch> {
        let limit_ms = self.subscription.app.config.request_timeout_ms;
        let read = tokio::time::timeout(Duration::from_millis(limit_ms), self.feed.read());
        read.await.unwrap_or_else(|_| Err(timed_out(limit_ms)))
    }

    fn take(&mut self, batch: Batch) {
        if self.failures > 0 {
            tracing::info!(failures = self.failures, "a live stream goes on");
            self.failures = 0;
        }
        self.wait = batch.wait;
        self.queue.extend(batch.events);
        if let Some(reason) = batch.end {
            self.end(reason);
        }
    }

    /// Tells the client once that there is trouble, and tries again from the same place.
    fn fail(&mut self, error: &Error) {
        self.failures += 1;
        if self.failures == 1 {
            problem::log(error);
            self.queue.push_back(json("problem", &*error.problem));
        }
        if !error.problem.retryable || self.failures >= MAX_FAILURES {
            self.end("failed");
        }
        let doublings = (self.failures - 1).min(16);
        self.wait = Some((FIRST_PAUSE * (1 << doublings)).min(LONGEST_PAUSE));
    }

    fn end(&mut self, reason: &'static str) {
        self.ended = true;
        self.queue.push_back(json("bye", &Bye { reason }));
    }
}

#[derive(Serialize)]
struct Bye {
    reason: &'static str,
}

/// Frames as one piece of bytes; a single one as it is.
pub(crate) fn joined(frames: &[Bytes]) -> Bytes {
    if let [frame] = frames {
        return frame.clone();
    }
    let mut joined = BytesMut::with_capacity(frames.iter().map(Bytes::len).sum());
    frames.iter().for_each(|frame| joined.extend_from_slice(frame));
    joined.freeze()
}

/// An event with a JSON document.
pub(crate) fn json(kind: &'static str, data: &impl Serialize) -> Event {
    // The documents are ours: text, numbers and lists, which JSON can always hold.
    let event = Event::default().event(kind);
    event.json_data(data).unwrap_or_else(|_| Event::default().event("problem"))
}
