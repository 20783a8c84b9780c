//! A connection of a client at this node, whatever carries it.
//!
//! A task of its own reads what the client says and calls the hub ([`run`]). A transport brings bytes to it and takes
//! frames from its [`line::Line`]; with long polling, or after a stateful reconnect, one transport follows the other.

mod calls;
mod ending;
mod line;
mod peer;
mod run;

pub(crate) use calls::{Call, Reply};
pub(crate) use line::{Line, Next};
pub(crate) use peer::Peer;

use crate::app::App;
use crate::caller::Credential;
use crate::live::Seat;
use crate::metrics::Carrier;
use crate::signalr::hubs::{HubFrames, HubKind};
use bytes::Bytes;
use ending::Why;
use line::{Acknowledgements, Opened, Outgoing};
use mainstay_core::Caller;
use mainstay_hub::live::{Closed, Encode, Outlet, OutletParts};
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
    /// The session at a desktop that the connection says it is of.
    pub desktop: Option<String>,
    /// Counts the session as a live stream, and for its principal.
    #[expect(dead_code, reason = "held, never looked at")]
    pub counted: (OwnedSemaphorePermit, Seat),
}

/// A session, as transports see it.
pub(crate) struct Session {
    pub(crate) transport: Transport,
    pub(crate) hub: HubKind,
    pub(crate) principal: String,
    pub(crate) stateful: bool,
    inbox: mpsc::Sender<Arrived>,
    outlet: Outlet,
    why: Why,
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
        let frames = Arc::new(HubFrames::new(opening.hub));
        let encoder: Arc<dyn Encode> = Arc::clone(&frames) as _;
        let meter = app.services.metrics.delivery.meter(Carrier::SignalR);
        let parts = OutletParts { connection: opening.id.clone(), encoder, limit_bytes: rules.queue_bytes, meter };
        let (outlet, drain) = app.services.live.outlet(parts);
        let why = Why::default();
        let (inbox, arrivals) = mpsc::channel(INBOX);
        let acknowledgements = opening.stateful.then(|| Arc::new(Acknowledgements::new(rules.unacknowledged_bytes)));
        let opened = Arc::new(Opened::default());
        let outgoing = Outgoing {
            drain,
            why: why.clone(),
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
            why: why.clone(),
            line: Arc::new(AsyncMutex::new(Line::new(outgoing))),
            attached: Mutex::default(),
            over: CancellationToken::new(),
        });
        let over = session.over.clone();
        let beginning = Beginning { opening, arrivals, outlet, frames, why, acknowledgements, opened, over };
        app.services.sockets.spawn(Run::new(Arc::clone(app), beginning).last());
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
        self.why.tell(ending);
        self.outlet.close(Closed::Ended);
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
