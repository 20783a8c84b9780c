//! Requests of a connection that another node holds: they go there by way of the store, and so do the answers.
//!
//! What goes to the node that holds the connection begins with a letter: `d` and bytes of the client, `p` and the id of a
//! poll, `e` for the end. What comes back is the id of the poll, a letter (`t` text, `b` binary, `n` nothing, `o` over), and
//! the frames.

use super::connections::random;
use super::polling::{self, Polled};
use super::session::Session;
use super::unknown;
use crate::app::App;
use crate::problem::Failure;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use mainstay_core::api::Code;
use mainstay_core::events::{Direction, Receive, Relay, RelayOutcome, Relayed};
use mainstay_core::{Error, Result, Topic};
use mainstay_hub::Wake;
use mainstay_signalr::close::Ending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Most bytes that wait on their way, in each direction.
const MAX_WAITING_BYTES: usize = 1_024 * 1_024;
/// Longest time between two looks while nothing is heard: a wake-up that was lost costs no more than this.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Bytes of the id of a poll.
const ID_BYTES: usize = 22;

/// Sends bytes of the client to the node that holds its connection.
pub(super) async fn send(app: &App, key: &str, bytes: &[u8]) -> Result<(), Failure> {
    post(app, key, Direction::In, [b"d", bytes].concat()).await
}

/// Ends the connection at the node that holds it.
pub(super) async fn end(app: &App, key: &str) -> Result<(), Failure> {
    post(app, key, Direction::In, b"e".to_vec()).await
}

/// Polls at the node that holds the connection.
pub(super) async fn poll(app: &App, key: &str) -> Result<Response, Failure> {
    let _permit = app.admission.live()?;
    let mut watch = app.services.hub.watch(Topic::Connection(key.to_owned()));
    let id = random();
    post(app, key, Direction::In, [b"p", id.as_bytes()].concat()).await?;
    // The other node answers when the time is up; a little later it will not any more.
    let until = Instant::now() + app.config.signalr.poll_timeout + LOOK_EVERY;
    loop {
        let Some(waiting) = receive(app, key, Direction::Out, 0).await? else {
            return Ok(Polled::Over.into_response());
        };
        if let Some((number, polled)) = waiting.iter().find_map(|piece| answer(piece, &id)) {
            // What stands before it is for polls that nobody waits for any more.
            receive(app, key, Direction::Out, number).await?;
            return Ok(polled.into_response());
        }
        let left = until.saturating_duration_since(Instant::now()).min(LOOK_EVERY);
        let heard = app.shutdown.run_until_cancelled(watch.changed(left)).await;
        match heard {
            Some(Wake::Changed | Wake::TimedOut) if Instant::now() < until => {}
            _ => return Ok(Polled::Nothing.into_response()),
        }
    }
}

/// Serves what comes by way of other nodes to a session of this one, until it is over.
pub(super) async fn serve(app: Arc<App>, key: String, session: Arc<Session>) {
    let mut watch = app.services.hub.watch(Topic::Connection(key.clone()));
    let mut after = 0;
    loop {
        match receive(&app, &key, Direction::In, after).await {
            Ok(Some(pieces)) => {
                for Relayed { number, bytes } in pieces {
                    after = number;
                    take(&app, &key, &session, bytes).await;
                }
            }
            // What is not in the store is not reached by way of it; the session itself lives on.
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "what other nodes relay could not be read"),
        }
        let heard = session.over().run_until_cancelled(watch.changed(LOOK_EVERY)).await;
        if !matches!(heard, Some(Wake::Changed | Wake::TimedOut)) {
            return;
        }
    }
}

async fn take(app: &Arc<App>, key: &str, session: &Arc<Session>, bytes: Bytes) {
    match bytes.first() {
        Some(b'd') => drop(session.deliver(bytes.slice(1..)).await),
        Some(b'e') => session.end(Ending::Done),
        Some(b'p') => {
            let (app, key, session) = (Arc::clone(app), key.to_owned(), Arc::clone(session));
            let id = bytes.slice(1..);
            // A poll waits; what the client sends meanwhile goes past it.
            tokio::spawn(async move {
                let polled = polling::poll(&session, app.config.signalr.poll_timeout).await;
                let (letter, frames) = match polled {
                    Polled::Nothing => (b"n", Bytes::new()),
                    Polled::Over => (b"o", Bytes::new()),
                    Polled::Frames { bytes, is_text: true } => (b"t", bytes),
                    Polled::Frames { bytes, is_text: false } => (b"b", bytes),
                };
                if post(&app, &key, Direction::Out, [&id[..], letter, &frames].concat()).await.is_err() {
                    session.end(Ending::Failed);
                }
            });
        }
        _ => tracing::debug!("another node relayed what is not understood"),
    }
}

/// The answer to a poll, where a piece is that.
fn answer(piece: &Relayed, id: &str) -> Option<(u64, Polled)> {
    let (of, rest) = piece.bytes.split_at_checked(ID_BYTES)?;
    if of != id.as_bytes() {
        return None;
    }
    let letter = rest.first()?;
    let bytes = piece.bytes.slice(ID_BYTES + 1..);
    let polled = match letter {
        b'n' => Polled::Nothing,
        b't' => Polled::Frames { bytes, is_text: true },
        b'b' => Polled::Frames { bytes, is_text: false },
        _ => Polled::Over,
    };
    Some((piece.number, polled))
}

async fn post(app: &App, key: &str, direction: Direction, bytes: Vec<u8>) -> Result<(), Failure> {
    let connections = &app.connections;
    let now = connections.clock.now();
    let relay = Relay { token: key.to_owned(), direction, bytes: bytes.into(), max_bytes: MAX_WAITING_BYTES, now };
    match connections.store.send(relay).await? {
        RelayOutcome::Waiting(_) => Ok(()),
        RelayOutcome::Unknown => Err(unknown()),
        RelayOutcome::Full => Err(Failure(
            Error::new(
                Code::Overloaded,
                "the node that holds the connection has not taken what was sent before",
                "Repeat the call in a moment.",
            )
            .retry_after_ms(1_000),
        )),
    }
}

async fn receive(app: &App, key: &str, direction: Direction, after: u64) -> Result<Option<Vec<Relayed>>> {
    let connections = &app.connections;
    let now = connections.clock.now();
    let receive = Receive { token: key.to_owned(), direction, after, max_bytes: MAX_WAITING_BYTES, now };
    connections.store.receive(receive).await
}
