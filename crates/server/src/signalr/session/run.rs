//! The task of a session: the handshake, then messages, until somebody ends it.

use super::calls::Calls;
use super::ending::Why;
use super::line::{Acknowledgements, Opened, Spoken};
use super::peer::Known;
use super::{Arrived, Opening, Peer};
use crate::access::Standing;
use crate::app::App;
use crate::signalr::hubs::{self, HubFrames};
use bytes::BytesMut;
use mainstay_hub::live::{Closed, Outlet};
use mainstay_signalr::close::Ending;
use mainstay_signalr::handshake::{self, Agreed, LATEST_VERSION, Refused};
use mainstay_signalr::negotiate::Transport;
use mainstay_signalr::sequence::{Arrival, Received};
use mainstay_signalr::{Message, Reader};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// How long the last frames may take to reach the client.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a task begins with.
pub(super) struct Beginning {
    pub opening: Opening,
    pub arrivals: mpsc::Receiver<Arrived>,
    pub outlet: Outlet,
    pub frames: Arc<HubFrames>,
    pub why: Why,
    pub acknowledgements: Option<Arc<Acknowledgements>>,
    pub opened: Arc<Opened>,
    pub over: CancellationToken,
}

/// The state of the task.
pub(super) struct Run {
    app: Arc<App>,
    beginning: Beginning,
    stage: Stage,
    standing: Standing,
    checks: Interval,
    started: Instant,
    /// When something was last heard of the client.
    heard: Instant,
    /// Whether the client pings, so that its silence means something.
    pings: bool,
    /// The transport that is attached, until its token is cancelled.
    attached: Option<CancellationToken>,
    /// Since when there is none.
    detached: Instant,
}

enum Stage {
    Handshake(BytesMut),
    Open(Box<Open>),
}

struct Open {
    reader: Reader,
    peer: Arc<Peer>,
    calls: Calls,
    /// What has arrived, where both sides count messages.
    received: Option<Received>,
    spoken: Spoken,
}

impl Run {
    pub(super) fn new(app: Arc<App>, beginning: Beginning) -> Self {
        let Opening { credential, caller, .. } = &beginning.opening;
        let standing = Standing::new(Arc::clone(&app), credential.clone(), caller.clone());
        let now = Instant::now();
        let mut checks = tokio::time::interval_at(now + Standing::CHECK_EVERY, Standing::CHECK_EVERY);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            app,
            beginning,
            stage: Stage::Handshake(BytesMut::new()),
            standing,
            checks,
            started: now,
            heard: now,
            pings: false,
            attached: None,
            detached: now,
        }
    }

    pub(super) async fn last(mut self) {
        let ending = self.talk().await;
        tracing::debug!(connection = self.beginning.opening.id, ?ending, "a SignalR connection ends");
        if matches!(self.stage, Stage::Handshake(_)) {
            self.beginning.opened.tell(Err(Refused::TimedOut.response()));
        }
        self.beginning.why.tell(ending);
        self.beginning.outlet.close(Closed::Ended);
        self.leave().await;
        // The transport writes what waits, and why it ends; with long polling the next poll has to come for it.
        let polled = self.beginning.opening.transport == Transport::LongPolling;
        let patience = match polled && !self.app.shutdown.is_cancelled() {
            true => self.app.config.signalr.disconnect_timeout,
            false => FAREWELL,
        };
        if polled || self.attached.is_some() {
            let _in_time = tokio::time::timeout(patience, self.beginning.over.cancelled()).await;
        }
        self.beginning.over.cancel();
    }

    /// The hub hears that the client has gone. Calls that are under way end before.
    async fn leave(&mut self) {
        let Stage::Open(open) = std::mem::replace(&mut self.stage, Stage::Handshake(BytesMut::new())) else { return };
        let peer = Arc::clone(&open.peer);
        drop(open);
        if tokio::time::timeout(FAREWELL, hubs::disconnected(&peer)).await.is_err() {
            tracing::debug!(connection = peer.id, "a connection could not leave its rooms in time");
        }
    }

    /// Hears the client until the session is to end.
    async fn talk(&mut self) -> Ending {
        let (shutdown, over) = (self.app.shutdown.clone(), self.beginning.over.clone());
        let outlet = self.beginning.outlet.clone();
        loop {
            let deadline = self.deadline();
            let accepts = match &self.stage {
                Stage::Handshake(_) => true,
                Stage::Open(open) => open.calls.accepts(),
            };
            let stepped = tokio::select! {
                () = shutdown.cancelled() => Err(Ending::Stopping),
                closed = outlet.wait_closed() => Err(self.beginning.why.of(closed)),
                () = over.cancelled() => Err(Ending::Done),
                arrived = self.beginning.arrivals.recv(), if accepts => match arrived {
                    Some(arrived) => self.arrived(arrived),
                    None => Err(Ending::Done),
                },
                stepped = step(&mut self.stage) => stepped.map_err(Ending::Refused).and_then(|()| self.read()),
                () = gone(self.attached.as_ref()) => self.gone(),
                () = tokio::time::sleep_until(deadline) => self.passed(),
                _ = self.checks.tick() => self.look_after().await,
            };
            if let Err(ending) = stepped {
                return ending;
            }
        }
    }

    /// Looks whether the credential, and what the client may hear with it, is what it was.
    async fn look_after(&mut self) -> Result<(), Ending> {
        if !self.standing.holds().await {
            return Err(Ending::CredentialEnded);
        }
        match &self.stage {
            Stage::Open(open) => open.peer.look_after().await.map_err(Ending::Refused),
            Stage::Handshake(_) => Ok(()),
        }
    }

    /// Whether the session survives the loss of its transport.
    fn survives(&self) -> bool {
        let counted = matches!(&self.stage, Stage::Open(open) if open.spoken.stateful);
        counted || self.beginning.opening.transport == Transport::LongPolling
    }

    fn gone(&mut self) -> Result<(), Ending> {
        self.attached = None;
        self.detached = Instant::now();
        if self.survives() { Ok(()) } else { Err(Ending::Done) }
    }

    /// The next time at which something must have happened.
    fn deadline(&self) -> Instant {
        let rules = &self.app.config.signalr;
        let handshake = matches!(self.stage, Stage::Handshake(_)).then(|| self.started + rules.handshake_timeout);
        let detached = self.attached.is_none().then(|| self.detached + rules.disconnect_timeout);
        let silent = (self.pings && self.attached.is_some()).then(|| self.heard + rules.client_timeout);
        let far = self.started.max(self.heard) + Duration::from_secs(86_400);
        [handshake, detached, silent].into_iter().flatten().min().unwrap_or(far)
    }

    /// A deadline has come.
    fn passed(&self) -> Result<(), Ending> {
        if self.deadline() > Instant::now() {
            return Ok(());
        }
        Err(if self.attached.is_none() { Ending::Done } else { Ending::Silent })
    }

    fn arrived(&mut self, arrived: Arrived) -> Result<(), Ending> {
        match arrived {
            Arrived::Attached(gone) => {
                self.attached = Some(gone);
                self.heard = Instant::now();
                if let Stage::Open(open) = &mut self.stage {
                    open.reconnected(&self.app);
                }
                Ok(())
            }
            Arrived::Bytes(bytes) => {
                self.heard = Instant::now();
                self.take(&bytes)
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        match &mut self.stage {
            Stage::Handshake(buffer) => {
                buffer.extend_from_slice(bytes);
                let transport = self.beginning.opening.transport.transfer_format();
                let agreed = handshake::read(buffer)
                    .and_then(|request| request.map(|request| handshake::agree(request, transport)).transpose());
                match agreed {
                    Ok(None) => return Ok(()),
                    Ok(Some(agreed)) => {
                        let rest = std::mem::take(buffer);
                        self.open(agreed, rest);
                    }
                    Err(refused) => {
                        self.beginning.opened.tell(Err(refused.response()));
                        return Err(Ending::Done);
                    }
                }
            }
            Stage::Open(open) => open.reader.push(bytes),
        }
        self.read()
    }

    fn open(&mut self, agreed: Agreed, rest: BytesMut) {
        let Agreed { protocol, version } = agreed;
        let Beginning { opening, outlet, frames, opened, .. } = &self.beginning;
        frames.speak(protocol);
        let spoken = Spoken { protocol, stateful: opening.stateful && version >= LATEST_VERSION };
        opened.tell(Ok(spoken));
        let peer = Arc::new(Peer::new(Known {
            app: Arc::clone(&self.app),
            caller: opening.caller.clone(),
            id: opening.id.clone(),
            hub: opening.hub,
            desktop: opening.desktop.clone(),
            protocol,
            outlet: outlet.clone(),
        }));
        let rules = &self.app.config.signalr;
        self.stage = Stage::Open(Box::new(Open {
            reader: Reader::new(protocol, rules.limits, rest),
            calls: Calls::new(Arc::clone(&peer), rules.max_calls),
            peer,
            received: spoken.stateful.then(Received::new),
            spoken,
        }));
    }

    /// Takes the messages that are whole.
    fn read(&mut self) -> Result<(), Ending> {
        let Stage::Open(open) = &mut self.stage else { return Ok(()) };
        loop {
            // What does not fit now stays in the reader, and nothing more arrives until it does.
            if !open.calls.accepts() {
                return Ok(());
            }
            let Some(message) = open.reader.next_message().map_err(|cause| Ending::Invalid(cause.to_string()))? else {
                return Ok(());
            };
            self.pings |= message == Message::Ping;
            if open.is_new(&message, self.beginning.acknowledgements.as_deref()) {
                open.take(message, self.beginning.acknowledgements.as_deref())?;
            }
        }
    }
}

impl Open {
    /// Another transport carries on, or the next poll has come.
    fn reconnected(&mut self, app: &App) {
        if let Some(received) = &mut self.received {
            received.reconnected();
            // The part of a message that came over the old one is sent again.
            self.reader = Reader::new(self.spoken.protocol, app.config.signalr.limits, BytesMut::new());
        }
    }

    /// Whether a message is to be looked at, where both sides count them.
    fn is_new(&mut self, message: &Message, acknowledgements: Option<&Acknowledgements>) -> bool {
        let (Some(received), Some(acknowledgements)) = (&mut self.received, acknowledgements) else {
            return true;
        };
        if !message.is_sequenced() {
            return received.takes_others() || matches!(message, Message::Sequence { .. });
        }
        match received.arrived() {
            Arrival::TooEarly => false,
            arrival => {
                acknowledgements.arrived(received.latest());
                arrival == Arrival::New
            }
        }
    }

    fn take(&mut self, message: Message, acknowledgements: Option<&Acknowledgements>) -> Result<(), Ending> {
        match message {
            Message::Invocation(invocation) => self.calls.invoke(invocation, false),
            Message::StreamInvocation(invocation) => self.calls.invoke(invocation, true),
            Message::StreamItem { invocation_id, item, .. } => self.calls.item(&invocation_id, item),
            Message::Completion(completion) => self.calls.completed(completion),
            Message::CancelInvocation { invocation_id, .. } => self.calls.cancel(&invocation_id),
            Message::Ping => {}
            Message::Close { .. } => return Err(Ending::Done),
            Message::Ack { sequence_id } => {
                acknowledgements.into_iter().for_each(|sent| sent.acknowledge(sequence_id));
            }
            Message::Sequence { sequence_id } => {
                if let Some(received) = &mut self.received {
                    received.sequence(sequence_id).map_err(|cause| Ending::Invalid(cause.to_string()))?;
                }
            }
        }
        Ok(())
    }
}

/// Goes on with the calls of the client.
async fn step(stage: &mut Stage) -> Result<(), String> {
    match stage {
        Stage::Open(open) => open.calls.step().await,
        Stage::Handshake(_) => std::future::pending().await,
    }
}

async fn gone(attached: Option<&CancellationToken>) {
    match attached {
        Some(gone) => gone.cancelled().await,
        None => std::future::pending().await,
    }
}
