//! What goes out to a client, in the order in which it goes: frames, and what the protocol itself says between them.

use super::ending::Why;
use bytes::Bytes;
use mainstay_hub::live::{Closed, Drain};
use mainstay_signalr::close::Ending;
use mainstay_signalr::sequence::Sent;
use mainstay_signalr::{Message, Protocol, handshake};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How much is handed to a transport at a time, but for a single frame that is longer.
const MAX_FRAMES: usize = 256;
const BATCH_BYTES: usize = 64 * 1_024;
/// Acknowledgements are this far apart.
const ACKNOWLEDGE_EVERY: Duration = Duration::from_secs(1);

/// What a line is made of.
pub(crate) struct Outgoing {
    pub drain: Drain,
    pub why: Why,
    pub acknowledgements: Option<Arc<Acknowledgements>>,
    pub opened: Arc<Opened>,
    /// After how much silence it pings; never where the transport keeps itself alive.
    pub keep_alive: Option<Duration>,
}

/// The outgoing side of a session. A transport has it to itself for as long as it is attached.
pub(crate) struct Line {
    outgoing: Outgoing,
    /// Known from the handshake on.
    agreed: Option<Spoken>,
    /// What goes out before everything else.
    first: Vec<Bytes>,
    acknowledged_at: Option<Instant>,
    acknowledged: u64,
}

/// What a handshake agreed on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spoken {
    pub protocol: Protocol,
    /// Whether both sides count messages.
    pub stateful: bool,
}

/// What a transport has to write next.
pub(crate) enum Next {
    /// These frames.
    Frames(Vec<Bytes>),
    /// These frames, and then nothing more.
    Last(Vec<Bytes>, Ending),
}

/// What both directions of a stateful connection know of each other.
pub(crate) struct Acknowledgements {
    sent: Mutex<Sent>,
    freed: Notify,
    /// The highest number that has arrived from the client.
    arrived: AtomicU64,
    due: Notify,
}

impl Acknowledgements {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        let sent = Mutex::new(Sent::new(limit_bytes));
        Self { sent, freed: Notify::new(), arrived: AtomicU64::new(0), due: Notify::new() }
    }

    /// The client has everything up to this number.
    pub(crate) fn acknowledge(&self, sequence_id: u64) {
        self.sent().acknowledge(sequence_id);
        self.freed.notify_one();
    }

    /// A message of the client has arrived, which it is to hear of.
    pub(crate) fn arrived(&self, number: u64) {
        self.arrived.store(number, Ordering::Relaxed);
        self.due.notify_one();
    }

    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the client has taken enough for more to be sent.
    async fn free(&self) {
        while self.sent().is_full() {
            self.freed.notified().await;
        }
    }
}

impl Line {
    pub(crate) fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, agreed: None, first: Vec::new(), acknowledged_at: None, acknowledged: 0 }
    }

    /// The transport is another one of the same connection: says where it goes on, and again what may not have arrived.
    pub(crate) fn resume(&mut self) {
        let Some(Spoken { protocol, stateful: true }) = self.agreed else {
            return;
        };
        if let Some(acknowledgements) = &self.outgoing.acknowledgements {
            let sent = acknowledgements.sent();
            let sequence = encode(protocol, &Message::Sequence { sequence_id: sent.first() });
            self.first = std::iter::once(sequence).chain(sent.unacknowledged().cloned()).collect();
        }
    }

    /// Whether its frames are text.
    pub(crate) fn is_text(&self) -> bool {
        // The handshake is text whatever follows it.
        self.agreed.is_none_or(|spoken| spoken.protocol == Protocol::Json)
    }

    /// Waits for what is to be written. Given up half-way, it has taken nothing.
    pub(crate) async fn next(&mut self) -> Next {
        if !self.first.is_empty() {
            return Next::Frames(std::mem::take(&mut self.first));
        }
        let Some(Spoken { protocol, stateful }) = self.agreed else {
            return match self.outgoing.opened.wait().await {
                Ok(spoken) => {
                    self.agreed = Some(spoken);
                    Next::Frames(vec![handshake::accepted()])
                }
                Err(refusal) => Next::Last(vec![refusal], Ending::Done),
            };
        };
        let Outgoing { drain, why, acknowledgements, keep_alive, .. } = &mut self.outgoing;
        let acknowledgements = acknowledgements.as_deref().filter(|_| stateful);
        tokio::select! {
            batch = batch(drain, acknowledgements) => match batch {
                Ok(frames) => Next::Frames(frames),
                Err(closed) => {
                    let ending = why.of(closed);
                    Next::Last(vec![encode(protocol, &ending.message())], ending)
                }
            },
            number = due(acknowledgements, self.acknowledged_at, self.acknowledged) => {
                self.acknowledged_at = Some(Instant::now());
                self.acknowledged = number;
                Next::Frames(vec![encode(protocol, &Message::Ack { sequence_id: number })])
            }
            () = silence(*keep_alive) => Next::Frames(vec![encode(protocol, &Message::Ping)]),
        }
    }
}

/// Takes what waits, and keeps it until the client has it, where that is asked for.
async fn batch(drain: &mut Drain, acknowledgements: Option<&Acknowledgements>) -> Result<Vec<Bytes>, Closed> {
    let Some(acknowledgements) = acknowledgements else {
        return drain.batch(MAX_FRAMES, BATCH_BYTES).await;
    };
    acknowledgements.free().await;
    let frames = drain.batch(MAX_FRAMES, BATCH_BYTES).await?;
    let mut sent = acknowledgements.sent();
    frames.iter().for_each(|frame| sent.push(frame.clone()));
    Ok(frames)
}

/// The number to acknowledge, once there is one and the last one is old enough.
async fn due(acknowledgements: Option<&Acknowledgements>, last: Option<Instant>, acknowledged: u64) -> u64 {
    let Some(acknowledgements) = acknowledgements else {
        return std::future::pending().await;
    };
    if let Some(last) = last {
        tokio::time::sleep_until(last + ACKNOWLEDGE_EVERY).await;
    }
    loop {
        let number = acknowledgements.arrived.load(Ordering::Relaxed);
        if number > acknowledged {
            return number;
        }
        acknowledgements.due.notified().await;
    }
}

async fn silence(keep_alive: Option<Duration>) {
    match keep_alive {
        Some(keep_alive) => tokio::time::sleep(keep_alive).await,
        None => std::future::pending().await,
    }
}

/// A message of the protocol itself, which holds no value and so has a form in both.
fn encode(protocol: Protocol, message: &Message) -> Bytes {
    protocol.encode(message).unwrap_or_default()
}

/// How the handshake came out, for the side that writes.
#[derive(Default)]
pub(crate) struct Opened {
    outcome: Mutex<Option<Result<Spoken, Bytes>>>,
    told: Notify,
}

impl Opened {
    /// Says what is spoken, or with which answer the handshake is refused. The first word stands.
    pub(crate) fn tell(&self, outcome: Result<Spoken, Bytes>) {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(outcome);
        self.told.notify_one();
    }

    async fn wait(&self) -> Result<Spoken, Bytes> {
        loop {
            if let Some(outcome) = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                return outcome;
            }
            self.told.notified().await;
        }
    }
}
