//! The mail of one namespace, as the model keeps it.

use mainstay_core::api::mail::Receipt;
use mainstay_core::api::{Epoch, InstanceId, MessageId, Offset, Timestamp};
use mainstay_core::mail::{Append, Recipients};
use std::collections::BTreeMap;

/// The log of a namespace and what belongs to it.
pub(super) struct Log {
    pub epoch: Epoch,
    /// The last offset given out.
    pub head: Offset,
    /// By offset.
    pub messages: Vec<Stored>,
    /// Members, and when each was last seen.
    pub members: BTreeMap<InstanceId, Timestamp>,
    /// By inbox: the newest offset that left it unread.
    pub dropped_to: BTreeMap<InstanceId, Offset>,
    /// By the key of a request id.
    pub memos: BTreeMap<String, Memo>,
}

/// A message and its state.
pub(super) struct Stored {
    pub offset: Offset,
    pub append: Append,
    pub settled: bool,
    pub deliveries: Vec<Delivered>,
}

/// A message in one inbox, or once in it.
pub(super) struct Delivered {
    pub receipt: Receipt,
    pub in_inbox: bool,
}

/// The remembered result of a request id.
pub(super) struct Memo {
    pub fingerprint: String,
    pub id: MessageId,
    pub until: Timestamp,
}

impl Stored {
    pub fn is_broadcast(&self) -> bool {
        self.append.recipients == Recipients::Everyone
    }

    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.append.expires_at <= now
    }

    /// Whether an acknowledgement is missing from anyone.
    pub fn is_waiting(&self) -> bool {
        let missing = self.deliveries.is_empty() || self.deliveries.iter().any(|d| d.receipt.ack.is_none());
        self.append.requires_ack && !self.settled && missing
    }

    pub fn delivery(&self, recipient: &InstanceId) -> Option<&Delivered> {
        self.deliveries.iter().find(|d| d.receipt.recipient == *recipient)
    }

    pub fn delivery_mut(&mut self, recipient: &InstanceId) -> Option<&mut Delivered> {
        self.deliveries.iter_mut().find(|d| d.receipt.recipient == *recipient)
    }

    /// Whether the message is in this inbox.
    pub fn is_in(&self, inbox: &InstanceId) -> bool {
        self.delivery(inbox).is_some_and(|d| d.in_inbox)
    }

    /// Whether the message is in this inbox and waits for its acknowledgement.
    pub fn is_pending_in(&self, inbox: &InstanceId) -> bool {
        let open = |d: &Delivered| d.in_inbox && d.receipt.ack.is_none();
        self.append.requires_ack && !self.settled && self.delivery(inbox).is_some_and(open)
    }

    /// Whether the message is in this inbox and was not read there.
    pub fn is_unread_in(&self, inbox: &InstanceId) -> bool {
        let open = |d: &Delivered| d.in_inbox && d.receipt.read_at.is_none();
        !self.settled && self.delivery(inbox).is_some_and(open)
    }

    /// Puts the message into an inbox where it never was.
    pub fn deliver(&mut self, recipient: &InstanceId) {
        let receipt = Receipt { recipient: recipient.clone(), read_at: None, ack: None };
        self.deliveries.push(Delivered { receipt, in_inbox: true });
    }
}

impl Log {
    pub fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            head: Offset(0),
            messages: Vec::new(),
            members: BTreeMap::new(),
            dropped_to: BTreeMap::new(),
            memos: BTreeMap::new(),
        }
    }

    /// A message that exists and has not expired.
    pub fn find(&self, id: &MessageId, now: Timestamp) -> Option<&Stored> {
        self.messages.iter().find(|m| m.append.id == *id && !m.has_expired(now))
    }

    /// A message that exists and has not expired.
    pub fn find_mut(&mut self, id: &MessageId, now: Timestamp) -> Option<&mut Stored> {
        self.messages.iter_mut().find(|m| m.append.id == *id && !m.has_expired(now))
    }

    /// Whom a new message reaches, in order.
    pub fn recipients_of(&self, append: &Append) -> Vec<InstanceId> {
        match &append.recipients {
            Recipients::Named(named) => named.clone(),
            Recipients::Everyone => self.members.keys().filter(|member| **member != append.from).cloned().collect(),
        }
    }

    /// Stores a message at the end of the log and puts it into inboxes.
    pub fn push(&mut self, append: Append, recipients: &[InstanceId]) -> &mut Stored {
        let now_us = u64::try_from(append.now.as_millis()).unwrap_or(0) * 1_000;
        self.head = Offset(now_us.max(self.head.0 + 1));
        let mut stored = Stored { offset: self.head, append, settled: false, deliveries: Vec::new() };
        for recipient in recipients {
            stored.deliver(recipient);
        }
        let last = self.messages.len();
        self.messages.push(stored);
        &mut self.messages[last]
    }

    /// Deletes a message under this id that has expired, so that the id is free.
    pub fn free_expired(&mut self, id: &MessageId, now: Timestamp) {
        if let Some(at) = self.messages.iter().position(|m| m.append.id == *id && m.has_expired(now)) {
            self.delete(at);
        }
    }

    /// Deletes a message with its deliveries.
    pub fn delete(&mut self, at: usize) {
        let gone = self.messages.remove(at);
        for delivered in &gone.deliveries {
            let recipient = &delivered.receipt.recipient;
            if gone.is_unread_in(recipient) {
                self.raise_dropped(recipient, gone.offset);
            }
        }
    }

    /// Makes room for one more message, as far as that is possible. Returns `false` where the namespace is full and
    /// every message waits.
    pub fn make_room(&mut self, max_messages: u32) -> bool {
        let excess = (self.messages.len() + 1).saturating_sub(max_messages as usize);
        let deletable = self.deletable(excess);
        let is_made = excess == 0 || !deletable.is_empty();
        self.delete_all(deletable);
        is_made
    }

    pub fn raise_dropped(&mut self, inbox: &InstanceId, offset: Offset) {
        let dropped_to = self.dropped_to.entry(inbox.clone()).or_insert(offset);
        *dropped_to = (*dropped_to).max(offset);
    }

    fn deletable(&self, at_most: usize) -> Vec<usize> {
        let messages = self.messages.iter().enumerate();
        messages.filter(|(_, m)| !m.is_waiting()).map(|(at, _)| at).take(at_most).collect()
    }

    fn delete_all(&mut self, ascending: Vec<usize>) {
        for at in ascending.into_iter().rev() {
            self.delete(at);
        }
    }
}
