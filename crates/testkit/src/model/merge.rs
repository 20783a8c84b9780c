//! Importing a message with the state that it had elsewhere.

use super::state::{Delivered, Log, Stored};
use mainstay_core::api::InstanceId;
use mainstay_core::api::mail::{Imported, Receipt};
use mainstay_core::mail::Merge;

impl Log {
    /// Stores a message with its state, or adds what the stored one lacks. Returns the inboxes that changed.
    pub fn merge(&mut self, merge: Merge) -> (Imported, Vec<InstanceId>) {
        let Merge { append, receipts, settled, dry_run } = merge;
        if append.expires_at <= append.now {
            return (Imported::Unchanged, Vec::new());
        }
        let Some(stored) = self.find_mut(&append.id, append.now) else {
            return if dry_run {
                (Imported::Created, Vec::new())
            } else {
                self.create(Merge { append, receipts, settled, dry_run })
            };
        };
        if stored.append.document != append.document {
            return (Imported::Conflict, Vec::new());
        }
        if !lacks(stored, &receipts, settled) {
            return (Imported::Unchanged, Vec::new());
        }
        if dry_run {
            return (Imported::Updated, Vec::new());
        }
        add(stored, &receipts, settled);
        let changed: Vec<InstanceId> = stored.deliveries.iter().map(|d| d.receipt.recipient.clone()).collect();
        self.trim_all(&changed, append.limits.max_inbox);
        (Imported::Updated, changed)
    }

    fn create(&mut self, merge: Merge) -> (Imported, Vec<InstanceId>) {
        let Merge { append, receipts, settled, .. } = merge;
        let limits = append.limits;
        self.free_expired(&append.id, append.now);
        self.make_room(limits.max_messages);
        let recipients = self.recipients_of(&append);
        let stored = self.push(append, &recipients);
        add(stored, &receipts, settled);
        let changed: Vec<InstanceId> = stored.deliveries.iter().map(|d| d.receipt.recipient.clone()).collect();
        self.trim_all(&changed, limits.max_inbox);
        (Imported::Created, changed)
    }

    /// Trims several inboxes.
    pub fn trim_all(&mut self, inboxes: &[InstanceId], max_inbox: u32) {
        for inbox in inboxes {
            self.trim(inbox, max_inbox);
        }
    }
}

/// Whether the state has anything that the stored message lacks.
fn lacks(stored: &Stored, receipts: &[Receipt], settled: bool) -> bool {
    let news = |receipt: &Receipt| match stored.delivery(&receipt.recipient) {
        Some(delivered) => merged(delivered, receipt) != delivered.receipt,
        None => stored.is_broadcast(),
    };
    (settled && !stored.settled) || receipts.iter().any(news)
}

/// Adds to a stored message what it lacks.
fn add(stored: &mut Stored, receipts: &[Receipt], settled: bool) {
    stored.settled |= settled;
    for receipt in receipts {
        if stored.delivery(&receipt.recipient).is_none() && stored.is_broadcast() {
            stored.deliver(&receipt.recipient);
        }
        if let Some(delivered) = stored.delivery_mut(&receipt.recipient) {
            delivered.receipt = merged(delivered, receipt);
        }
    }
}

/// The stored receipt with what the given one adds; nothing that stands is replaced.
fn merged(delivered: &Delivered, given: &Receipt) -> Receipt {
    let stands = delivered.receipt.clone();
    let read_at = stands.read_at.or(given.read_at).or(given.ack.as_ref().map(|ack| ack.at));
    Receipt { read_at, ack: stands.ack.or_else(|| given.ack.clone()), recipient: stands.recipient }
}
