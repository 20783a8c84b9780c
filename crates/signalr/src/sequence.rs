//! What a stateful reconnect needs: the sender keeps what is not acknowledged, the receiver knows what it has seen.
//!
//! Numbers are not sent: both sides count the messages that [`crate::Message::is_sequenced`], from 1. After a
//! reconnect each side first says with a `Sequence` which number comes next, and repeats from there.

use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt;

/// How much a sender keeps before it waits for an acknowledgement, as upstream.
pub const BUFFER_BYTES: usize = 100_000;

/// What one side has sent and does not yet know to have arrived.
#[derive(Debug)]
pub struct Sent {
    frames: VecDeque<Bytes>,
    bytes: usize,
    limit_bytes: usize,
    /// The number of the last message that was sent.
    last: u64,
}

/// What one side has received.
#[derive(Debug)]
pub struct Received {
    /// The number of the next message to arrive.
    next: u64,
    /// The highest number that has arrived.
    latest: u64,
    /// Whether the connection was cut, and the other side has not yet said where it goes on.
    awaits_sequence: bool,
}

/// What becomes of a message that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It is new.
    New,
    /// It was seen before the connection was cut. Its sender has not heard so: it is to be acknowledged again.
    Repeated,
    /// The other side has not said yet where it goes on: the message is dropped.
    TooEarly,
}

/// The other side goes on behind what has arrived: messages are lost, and the connection must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceTooHigh;

impl Sent {
    /// Nothing sent yet.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        Self { frames: VecDeque::new(), bytes: 0, limit_bytes, last: 0 }
    }

    /// Keeps a message that is sequenced, as it is written.
    pub fn push(&mut self, frame: Bytes) {
        self.last += 1;
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    /// Whether nothing more may be sent before something is acknowledged.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes > self.limit_bytes
    }

    /// How many bytes are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets what has arrived: everything up to this number. An old number changes nothing, and one that was never
    /// sent stands for all.
    pub fn acknowledge(&mut self, sequence_id: u64) {
        while self.first() <= sequence_id {
            let Some(frame) = self.frames.pop_front() else {
                return;
            };
            self.bytes -= frame.len();
        }
    }

    /// The number for the `Sequence` of a reconnect: that of the first message that is kept, or of the next one.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.last + 1 - self.frames.len() as u64
    }

    /// What is sent again after that.
    pub fn unacknowledged(&self) -> impl Iterator<Item = &Bytes> {
        self.frames.iter()
    }
}

impl Received {
    /// Nothing received yet.
    #[must_use]
    pub fn new() -> Self {
        Self { next: 1, latest: 0, awaits_sequence: false }
    }

    /// The connection was cut and is there again.
    pub fn reconnected(&mut self) {
        self.awaits_sequence = true;
    }

    /// Counts a message that is sequenced.
    pub fn arrived(&mut self) -> Arrival {
        if self.awaits_sequence {
            return Arrival::TooEarly;
        }
        let number = self.next;
        self.next += 1;
        if number <= self.latest {
            return Arrival::Repeated;
        }
        self.latest = number;
        Arrival::New
    }

    /// Whether a message that is not sequenced may be looked at.
    #[must_use]
    pub fn takes_others(&self) -> bool {
        !self.awaits_sequence
    }

    /// The other side says which number comes next.
    ///
    /// # Errors
    /// Where it is beyond the next one that can come.
    pub fn sequence(&mut self, sequence_id: u64) -> Result<(), SequenceTooHigh> {
        if sequence_id > self.next {
            return Err(SequenceTooHigh);
        }
        self.awaits_sequence = false;
        self.next = sequence_id.max(1);
        Ok(())
    }

    /// What an `Ack` says: everything up to here has arrived.
    #[must_use]
    pub fn latest(&self) -> u64 {
        self.latest
    }
}

impl Default for Sent {
    fn default() -> Self {
        Self::new(BUFFER_BYTES)
    }
}

impl Default for Received {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for SequenceTooHigh {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Sequence ID greater than amount of messages we've received.")
    }
}

impl std::error::Error for SequenceTooHigh {}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(sent: &Sent) -> Vec<&[u8]> {
        sent.unacknowledged().map(|frame| &frame[..]).collect()
    }

    fn sent(frames: &[&'static str]) -> Sent {
        let mut sent = Sent::new(10);
        frames.iter().for_each(|frame| sent.push(Bytes::from_static(frame.as_bytes())));
        sent
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again() {
        let mut sent = sent(&["one", "two", "three"]);
        assert_eq!(sent.first(), 1);
        sent.acknowledge(1);
        assert_eq!((sent.first(), frames(&sent)), (2, vec![&b"two"[..], b"three"]));
        sent.acknowledge(1);
        sent.acknowledge(0);
        assert_eq!(sent.first(), 2);
        sent.acknowledge(3);
        assert_eq!((sent.first(), frames(&sent), sent.bytes()), (4, vec![], 0));
        sent.acknowledge(u64::MAX);
        assert_eq!(sent.first(), 4);
    }

    #[test]
    fn nothing_sent_begins_at_1() {
        assert_eq!(Sent::default().first(), 1);
    }

    #[test]
    fn a_full_buffer_waits_until_something_has_arrived() {
        let mut sent = sent(&["12345", "67890"]);
        assert!(!sent.is_full());
        sent.push(Bytes::from_static(b"x"));
        assert!(sent.is_full());
        sent.acknowledge(1);
        assert!(!sent.is_full());
    }

    #[test]
    fn a_repeated_message_is_not_new() {
        let mut received = Received::new();
        assert_eq!([received.arrived(), received.arrived()], [Arrival::New, Arrival::New]);
        received.reconnected();
        assert_eq!((received.arrived(), received.takes_others()), (Arrival::TooEarly, false));
        assert_eq!(received.sequence(1), Ok(()));
        let again = [received.arrived(), received.arrived(), received.arrived()];
        assert_eq!(again, [Arrival::Repeated, Arrival::Repeated, Arrival::New]);
        assert_eq!(received.latest(), 3);
    }

    #[test]
    fn a_sequence_beyond_the_next_message_is_fatal() {
        let mut received = Received::new();
        received.arrived();
        received.reconnected();
        assert_eq!(received.sequence(3), Err(SequenceTooHigh));
        assert_eq!(received.sequence(2), Ok(()));
        assert_eq!(received.arrived(), Arrival::New);
    }

    #[test]
    fn a_sequence_of_0_is_the_beginning() {
        let mut received = Received::new();
        received.arrived();
        assert_eq!(received.sequence(0), Ok(()));
        assert_eq!((received.arrived(), received.arrived()), (Arrival::Repeated, Arrival::New));
    }
}
