//! What a router counts. Each event is counted once by each way that it took.

use super::Sent;
use crate::{ClientError, Result};
use mainstay_api::Code;
use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the events on one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransportCounts {
    /// Taken for the first time.
    pub sent: u64,
    /// Taken before, and so not again.
    pub duplicates: u64,
    /// Not taken, or not in time.
    pub failed: u64,
}

/// Why events went over the bridge after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fallbacks {
    /// The stream did not answer in time (`timeout`).
    pub timeout: u64,
    /// There was no connection, or it was lost (`connection_lost`).
    pub connection_lost: u64,
    /// The server or its store could not take the event (`redis_error`).
    pub store_error: u64,
}

/// What became of events that went both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DualWrites {
    /// Both took it.
    pub both: u64,
    /// The stream alone did.
    pub stream_only: u64,
    /// The bridge alone did.
    pub bridge_only: u64,
    /// Neither did.
    pub neither: u64,
}

/// Everything that a router has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouterCounts {
    /// The streams.
    pub streams: TransportCounts,
    /// The bridge.
    pub bridge: TransportCounts,
    /// Events that went over the bridge because a stream failed.
    pub fallbacks: Fallbacks,
    /// Events that went both ways.
    pub dual_writes: DualWrites,
}

/// A count that many raise.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub fn raise(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(super) struct WayCounts {
    sent: Count,
    duplicates: Count,
    failed: Count,
}

impl WayCounts {
    pub fn note(&self, outcome: &Result<Sent>) {
        match outcome {
            Ok(Sent { duplicate: false, .. }) => self.sent.raise(),
            Ok(_) => self.duplicates.raise(),
            Err(_) => self.failed.raise(),
        }
    }

    fn read(&self) -> TransportCounts {
        TransportCounts { sent: self.sent.read(), duplicates: self.duplicates.read(), failed: self.failed.read() }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub streams: WayCounts,
    pub bridge: WayCounts,
    timeout: Count,
    connection_lost: Count,
    store_error: Count,
    both: Count,
    stream_only: Count,
    bridge_only: Count,
    neither: Count,
}

impl Counts {
    pub fn fell_back(&self, error: &ClientError) {
        match error {
            ClientError::TimedOut { .. } => self.timeout.raise(),
            ClientError::Problem(problem) if problem.code == Code::TimedOut => self.timeout.raise(),
            ClientError::Connection { .. } => self.connection_lost.raise(),
            _ => self.store_error.raise(),
        }
    }

    pub fn wrote_both(&self, stream: bool, bridge: bool) {
        match (stream, bridge) {
            (true, true) => self.both.raise(),
            (true, false) => self.stream_only.raise(),
            (false, true) => self.bridge_only.raise(),
            (false, false) => self.neither.raise(),
        }
    }

    pub fn read(&self) -> RouterCounts {
        RouterCounts {
            streams: self.streams.read(),
            bridge: self.bridge.read(),
            fallbacks: Fallbacks {
                timeout: self.timeout.read(),
                connection_lost: self.connection_lost.read(),
                store_error: self.store_error.read(),
            },
            dual_writes: DualWrites {
                both: self.both.read(),
                stream_only: self.stream_only.read(),
                bridge_only: self.bridge_only.read(),
                neither: self.neither.read(),
            },
        }
    }
}
