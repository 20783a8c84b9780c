//! What the live layer counts.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub connections: AtomicI64,
    pub subscriptions: AtomicI64,
    pub queued_bytes: AtomicI64,
    pub deliveries: AtomicU64,
    pub conflated: AtomicU64,
    pub slow: AtomicU64,
    pub repeats: AtomicU64,
    pub gaps: AtomicU64,
}

/// What the live layer of a node has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveCounts {
    /// Connections now.
    pub connections: i64,
    /// Subscriptions to rooms now.
    pub subscriptions: i64,
    /// Bytes that wait for connections now.
    pub queued_bytes: i64,
    /// Events put into queues of connections.
    pub deliveries: u64,
    /// Events left out for slow connections, where the stream allows that.
    pub conflated: u64,
    /// Connections closed because they were slow.
    pub slow: u64,
    /// Events that were in a log twice and were delivered once.
    pub repeats: u64,
    /// Gaps that subscribers were told of.
    pub gaps: u64,
}

/// What a node holds of the logs that it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveHeld {
    /// Rooms that somebody is subscribed to.
    pub rooms: usize,
    /// Ids by which repeats are recognised.
    pub ids: usize,
}

impl Counts {
    /// So many bytes waited for a connection, and so many do now.
    pub(crate) fn queued(&self, before: usize, after: usize) {
        let signed = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
        self.queued_bytes.fetch_add(signed(after) - signed(before), Relaxed);
    }

    pub(crate) fn now(&self) -> LiveCounts {
        LiveCounts {
            connections: self.connections.load(Relaxed),
            subscriptions: self.subscriptions.load(Relaxed),
            queued_bytes: self.queued_bytes.load(Relaxed),
            deliveries: self.deliveries.load(Relaxed),
            conflated: self.conflated.load(Relaxed),
            slow: self.slow.load(Relaxed),
            repeats: self.repeats.load(Relaxed),
            gaps: self.gaps.load(Relaxed),
        }
    }
}
