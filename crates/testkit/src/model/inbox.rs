//! What belongs to one inbox: its bound, its counts, its members.

use super::state::Log;
use mainstay_core::api::mail::InboxCounts;
use mainstay_core::api::{InstanceId, Timestamp};
use mainstay_core::mail::{MAX_BROADCASTS_ON_JOIN, MarkRead};

impl Log {
    pub fn counts(&self, inbox: &InstanceId) -> InboxCounts {
        let count = |matches: &dyn Fn(&super::state::Stored) -> bool| {
            self.messages.iter().filter(|message| matches(message)).count() as u64
        };
        InboxCounts {
            total: count(&|m| m.is_in(inbox)),
            unread: count(&|m| m.is_unread_in(inbox)),
            pending: count(&|m| m.is_pending_in(inbox)),
        }
    }

    /// How many messages that have not expired wait for an acknowledgement in an inbox.
    pub fn live_pending(&self, inbox: &InstanceId, now: Timestamp) -> usize {
        self.messages.iter().filter(|message| message.is_pending_in(inbox) && !message.has_expired(now)).count()
    }

    /// Lets the oldest messages that wait for nothing leave an inbox that holds too many.
    pub fn trim(&mut self, inbox: &InstanceId, max_inbox: u32) {
        while self.counts(inbox).total > u64::from(max_inbox) {
            let leaving = self.messages.iter_mut().find(|m| m.is_in(inbox) && !m.is_pending_in(inbox));
            let Some(message) = leaving else {
                return;
            };
            let (offset, unread) = (message.offset, message.is_unread_in(inbox));
            if let Some(delivered) = message.delivery_mut(inbox) {
                delivered.in_inbox = false;
            }
            if unread {
                self.raise_dropped(inbox, offset);
            }
        }
    }

    /// Marks what is unread in an inbox as read and returns how many that were.
    pub fn mark_read(&mut self, mark: &MarkRead) -> u32 {
        let mut marked = 0;
        for id in &mark.ids {
            let unread = self.find_mut(id, mark.now).filter(|message| message.is_unread_in(&mark.recipient));
            let Some(delivered) = unread.and_then(|message| message.delivery_mut(&mark.recipient)) else {
                continue;
            };
            delivered.receipt.read_at = Some(mark.now);
            marked += 1;
        }
        marked
    }

    /// Makes an instance a member and delivers the newest broadcasts. Returns whether it was not a member before.
    pub fn join(&mut self, instance: &InstanceId, now: Timestamp) -> bool {
        if self.members.insert(instance.clone(), now).is_some() {
            return false;
        }
        let missed = self.messages.iter_mut().rev().filter(|m| {
            m.is_broadcast() && !m.has_expired(now) && m.append.from != *instance && m.delivery(instance).is_none()
        });
        for message in missed.take(MAX_BROADCASTS_ON_JOIN as usize) {
            message.deliver(instance);
        }
        true
    }
}
