//! A connection of a client at this node, whatever carries it.
//!
//! A task of its own reads what the client says and calls the hub ([`run`]). A transport brings bytes to it and takes
//! frames from its [`line::Line`]; with long polling, or after a stateful reconnect, one transport follows the other.

mod calls;
mod line;
mod peer;
mod run;

pub(crate) use calls::{Call, Reply};
pub(crate) use line::{Line, Next};
pub(crate) use peer::Peer;

use crate::app::App;
use crate::caller::Credential;
use crate::signalr::hubs::HubKind;
use crate::signalr::outbox::{Outlet, outbox};
use bytes::Bytes;
use line::{Acknowledgements, Opened, Outgoing};
use mainstay_core::Caller;
use mainstay_signalr::close::Ending;
use mainstay_signalr::negotiate::Transport;
use run::{Beginning, Run};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Pieces of what a client sends that may wait for the task.
const INBOX: usize = 8;

/// What a session is opened with.
pub(crate) struct Opening {
    /// The public id.
    pub id: String,
    pub hub: HubKind,
    pub caller: Caller,
    pub credential: Credential,
    pub transport: Transport,
    pub stateful: bool,
    /// Counts the session as a live stream.
    #[expect(dead_code, reason = "held, never looked at")]
    pub permit: OwnedSemaphorePermit,
}

/// A session, as transports see it.
pub(crate) struct Session {
    pub(crate) transport: Transport,
    pub(crate) hub: HubKind,
    pub(crate) principal: String,
    pub(crate) stateful: bool,
    inbox: mpsc::Sender<Arrived>,
    outlet: Outlet,
    line: Arc<AsyncMutex<Line>>,
    /// Ends the transport that is attached.
    attached: Mutex<CancellationToken>,
    /// Cancelled when the session is over.
    over: CancellationToken,
}

/// What reaches the task of a session.
pub(crate) enum Arrived {
    /// Bytes of the client.
    Bytes(Bytes),
    /// A transport is there, the first or another one, until the token is cancelled.
    Attached(CancellationToken),
}

impl Session {
    /// Opens a session: its task runs until it is over.
    pub(crate) fn open(app: &Arc<App>, opening: Opening) -> Arc<Self> {
        let rules = &app.config.signalr;
        let (outlet, drain) = outbox(rules.queue_bytes);
        let (inbox, arrivals) = mpsc::channel(INBOX);
        let acknowledgements = opening.stateful.then(|| Arc::new(Acknowledgements::new(rules.unacknowledged_bytes)));
        let opened = Arc::new(Opened::default());
        let outgoing = Outgoing {
            drain,
            acknowledgements: acknowledgements.clone(),
            opened: Arc::clone(&opened),
            // A poll that is answered is a sign of life itself.
            keep_alive: (opening.transport != Transport::LongPolling).then_some(rules.keep_alive),
        };
        let session = Arc::new(Self {
            transport: opening.transport,
            hub: opening.hub,
            principal: opening.caller.principal.to_string(),
            stateful: opening.stateful,
            inbox,
            outlet: outlet.clone(),
            line: Arc::new(AsyncMutex::new(Line::new(outgoing))),
            attached: Mutex::default(),
            over: CancellationToken::new(),
        });
        let beginning = Beginning { opening, arrivals, outlet, acknowledgements, opened, over: session.over.clone() };
        tokio::spawn(Run::new(Arc::clone(app), beginning).last());
        session
    }

    /// Brings bytes of the client, and waits where the session is busy. Whether it still takes them.
    pub(crate) async fn deliver(&self, bytes: Bytes) -> bool {
        self.inbox.send(Arrived::Bytes(bytes)).await.is_ok()
    }

    /// Attaches a transport, in place of the one before it: that one ends first.
    pub(crate) async fn attach(self: &Arc<Self>) -> Option<Attachment> {
        let superseded = CancellationToken::new();
        let before = {
            let mut attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *attached, superseded.clone())
        };
        before.cancel();
        let line = Arc::clone(&self.line).lock_owned().await;
        let gone = CancellationToken::new();
        // One that came later has cancelled this one while it waited.
        if superseded.is_cancelled() || self.inbox.send(Arrived::Attached(gone.clone())).await.is_err() {
            return None;
        }
        Some(Attachment { session: Arc::clone(self), line, superseded, _gone: gone.drop_guard() })
    }

    /// Whether a transport is attached now.
    pub(crate) fn is_attached(&self) -> bool {
        self.line.try_lock().is_err()
    }

    /// Ends the session.
    pub(crate) fn end(&self, ending: Ending) {
        self.outlet.end(ending);
    }

    /// Cancelled when the session is over.
    pub(crate) fn over(&self) -> &CancellationToken {
        &self.over
    }
}

/// A transport that has the session to itself, until it is dropped.
pub(crate) struct Attachment {
    pub(crate) session: Arc<Session>,
    pub(crate) line: OwnedMutexGuard<Line>,
    /// Cancelled when another transport takes its place.
    pub(crate) superseded: CancellationToken,
    _gone: DropGuard,
}

impl Attachment {
    /// The last frames have been written: nothing of the session is left.
    pub(crate) fn finish(self) {
        self.session.over.cancel();
    }
}
