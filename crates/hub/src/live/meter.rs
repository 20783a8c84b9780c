//! What is measured of live delivery.

use super::outlet::Closed;

/// Told what becomes of the connections of one kind, and of their events.
pub trait Meter: Send + Sync {
    /// A connection has begun.
    fn opened(&self);

    /// It has ended, and why.
    fn ended(&self, closed: Closed);

    /// Events were given to whoever writes them to the client.
    fn delivered(&self, stamps: &[Stamp]);
}

/// What is remembered of an event until it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// When it was stored, in milliseconds since 1970.
    pub stored_ms: u64,
    /// The place of its type among the known ones.
    pub known: Option<u8>,
}

/// Measures nothing.
impl Meter for () {
    fn opened(&self) {}

    fn ended(&self, _closed: Closed) {}

    fn delivered(&self, _stamps: &[Stamp]) {}
}
