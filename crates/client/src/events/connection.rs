//! One server-sent event stream after the other, with growing pauses between them.

use crate::call::Call;
use crate::retry::{Attempts, BackOff};
use crate::{Client, ClientError, Result};
use bytes::Bytes;
use eventsource_stream::{Event, Eventsource};
use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use http_body_util::BodyExt;
use mainstay_api::Problem;
use mainstay_api::errors::Applied;
use std::time::Duration;

/// Largest event that is read, in bytes: a message with its body, twice over for escapes.
const MAX_EVENT_BYTES: usize = 4 * 1_024 * 1_024;

/// What a stream of events comes to.
pub(super) enum Next {
    /// An event.
    Event(Event),
    /// The connection is lost; the next call opens another.
    Lost(ClientError),
    /// The server refuses for good.
    Refused(ClientError),
}

/// The connection under a live stream.
pub(super) struct Connection {
    client: Client,
    events: Option<BoxStream<'static, Result<Event>>>,
    back_off: BackOff,
    pause: Option<Duration>,
    /// Before the first success, failures are those of a call: a wrong address must not wait for ever.
    was_open: bool,
}

impl Connection {
    pub(super) fn new(client: Client) -> Self {
        Self { client, events: None, back_off: BackOff::default(), pause: None, was_open: false }
    }

    /// Whether the next event comes from the connection there is; else [`Self::next`] needs a request.
    pub(super) fn is_open(&self) -> bool {
        self.events.is_some()
    }

    /// The next event. `request` opens a new connection, from where the reader is by now.
    pub(super) async fn next(&mut self, request: Option<Call>) -> Next {
        if let Some(call) = request.filter(|_| self.events.is_none()) {
            if let Some(pause) = self.pause.take() {
                tokio::time::sleep(pause).await;
            }
            match self.open(call.events()).await {
                Ok(events) => self.events = Some(events),
                Err(error) if self.was_open && error.is_retryable() => return self.lose(error),
                Err(error) => return Next::Refused(error),
            }
        }
        let event = match self.events.as_mut() {
            Some(events) => events.next().await,
            None => None,
        };
        match event {
            Some(Ok(event)) if event.event == "bye" => self.lose(ended("the server is stopping")),
            Some(Ok(event)) if event.event == "problem" => match serde_json::from_str::<Problem>(&event.data) {
                // The server itself goes on trying; the connection stays.
                Ok(problem) if problem.retryable => Next::Lost(ClientError::Problem(Box::new(problem))),
                Ok(problem) => Next::Refused(ClientError::Problem(Box::new(problem))),
                Err(_) => Next::Event(event),
            },
            Some(Ok(event)) => {
                self.back_off.reset();
                Next::Event(event)
            }
            Some(Err(error)) => self.lose(error),
            None => self.lose(ended("the server ended the stream")),
        }
    }

    fn lose(&mut self, error: ClientError) -> Next {
        self.events = None;
        self.pause = Some(self.back_off.next(error.retry_after_ms()));
        Next::Lost(error)
    }

    async fn open(&mut self, call: Call) -> Result<BoxStream<'static, Result<Event>>> {
        let retry_for_ms = if self.was_open { 0 } else { self.client.options().retry_for_ms };
        let mut attempts = Attempts::within(retry_for_ms);
        let body = loop {
            match self.client.open(&call).await {
                Ok(body) => break body,
                Err(error) => match attempts.pause_after(&error) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error),
                },
            }
        };
        self.was_open = true;
        let idle = Duration::from_millis(self.client.options().idle_timeout_ms);
        let events = bounded(chunks(body, idle)).eventsource().map(|event| {
            event.map_err(|cause| match cause {
                eventsource_stream::EventStreamError::Transport(error) => error,
                other => ended(&other.to_string()),
            })
        });
        Ok(events.boxed())
    }
}

/// The data of a body; an error where nothing comes for too long, not even a sign of life.
fn chunks(body: crate::Body, idle: Duration) -> impl Stream<Item = Result<Bytes>> {
    unfold(Some(body), move |body| async move {
        let mut body = body?;
        loop {
            let frame = match tokio::time::timeout(idle, body.frame()).await {
                Err(_) => return Some((Err(ended("the server has fallen silent")), None)),
                Ok(frame) => frame?,
            };
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(data)) => return Some((Ok(data), Some(body))),
                Ok(Err(_trailers)) => {}
                Err(cause) => return Some((Err(ended(&cause.to_string())), None)),
            }
        }
    })
}

/// Ends a stream whose current event grows beyond the bound: the parser keeps an unfinished event in memory.
fn bounded(chunks: impl Stream<Item = Result<Bytes>>) -> impl Stream<Item = Result<Bytes>> {
    chunks.scan(0_usize, |unfinished_bytes, chunk| {
        let checked = chunk.and_then(|data| {
            let end_of_event = data.windows(2).rposition(|pair| pair == b"\n\n");
            *unfinished_bytes = match end_of_event {
                Some(at) => data.len() - at,
                None => *unfinished_bytes + data.len(),
            };
            if *unfinished_bytes > MAX_EVENT_BYTES { Err(ended("an event is too large")) } else { Ok(data) }
        });
        std::future::ready(Some(checked))
    })
}

fn ended(cause: &str) -> ClientError {
    ClientError::Connection { detail: "the stream broke off".into(), cause: cause.into(), applied: Applied::No }
}
