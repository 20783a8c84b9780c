//! Listings and inboxes.

use super::state::{Log, Stored};
use mainstay_core::api::mail::{Delivery, MailStats, Receipt};
use mainstay_core::api::{InstanceId, Offset};
use mainstay_core::mail::{ListPage, ListQuery, MAX_PAGE_BYTES, Place, Row, TailPage, TailQuery};

impl Stored {
    /// The message with the viewer's receipt, and with every receipt where they are asked for.
    pub fn row(&self, viewer: Option<&InstanceId>, receipts: bool) -> Row {
        let count = |matches: fn(&Receipt) -> bool| {
            let matching = self.deliveries.iter().filter(|d| matches(&d.receipt)).count();
            u32::try_from(matching).unwrap_or(u32::MAX)
        };
        let mut all: Vec<Receipt> = self.deliveries.iter().map(|d| d.receipt.clone()).collect();
        all.sort_by(|a, b| a.recipient.cmp(&b.recipient));
        Row {
            offset: self.offset,
            document: self.append.document.clone(),
            delivery: Delivery {
                delivered: count(|_| true),
                read: count(|receipt| receipt.read_at.is_some()),
                acknowledged: count(|receipt| receipt.ack.is_some()),
            },
            settled: self.settled,
            receipt: viewer.and_then(|viewer| self.delivery(viewer)).map(|d| d.receipt.clone()),
            receipts: receipts.then_some(all),
        }
    }

    fn place(&self) -> Place {
        Place { timestamp: self.append.timestamp, offset: self.offset }
    }

    fn matches(&self, query: &ListQuery) -> bool {
        let append = &self.append;
        let named = query.recipient.as_ref().filter(|recipient| !recipient.is_all());
        let broadcasts = query.recipient.as_ref().is_some_and(InstanceId::is_all);
        let pending = named.map_or_else(|| self.is_waiting(), |recipient| self.is_pending_in(recipient));
        !self.has_expired(query.now)
            && named.is_none_or(|recipient| self.is_in(recipient))
            && (!broadcasts || self.is_broadcast())
            && (!query.pending || pending)
            && query.sender.as_ref().is_none_or(|sender| append.from == *sender)
            && query.kind.as_ref().is_none_or(|kind| append.kind == *kind)
            && query.thread.as_ref().is_none_or(|thread| append.thread.as_ref() == Some(thread))
            && query.since.is_none_or(|since| append.timestamp >= since)
            && query.until.is_none_or(|until| append.timestamp < until)
            && query.subject_folded.as_ref().is_none_or(|text| append.subject_folded.contains(text))
    }
}

impl Log {
    pub fn list(&self, query: &ListQuery) -> ListPage {
        let mut found: Vec<&Stored> = self.messages.iter().filter(|message| message.matches(query)).collect();
        found.sort_by_key(|message| message.place());
        if !query.oldest_first {
            found.reverse();
        }
        found.retain(|message| match query.after {
            Some(after) if query.oldest_first => message.place() > after,
            Some(after) => message.place() < after,
            None => true,
        });
        let page = fitting(&found, query.limit);
        let next = if page.len() < found.len() { page.last().map(|message| message.place()) } else { None };
        let rows = page.iter().map(|message| message.row(query.viewer.as_ref(), query.receipts)).collect();
        ListPage { epoch: self.epoch.clone(), rows, next }
    }

    pub fn tail(&self, query: &TailQuery) -> TailPage {
        let wanted = |message: &&Stored| {
            message.offset > query.after
                && !message.has_expired(query.now)
                && message.is_in(&query.recipient)
                && (!query.unread_only || message.is_unread_in(&query.recipient))
                && query.kind.as_ref().is_none_or(|kind| message.append.kind == *kind)
                && query.sender.as_ref().is_none_or(|sender| message.append.from == *sender)
        };
        let found: Vec<&Stored> = self.messages.iter().filter(wanted).collect();
        let page = fitting(&found, query.limit);
        let more = query.limit > 0 && page.len() < found.len();
        let position = if more { page.last().map_or(Offset(0), |message| message.offset) } else { self.head };
        TailPage {
            epoch: self.epoch.clone(),
            rows: page.iter().map(|message| message.row(Some(&query.recipient), false)).collect(),
            position,
            more,
            dropped_to: self.dropped_to.get(&query.recipient).copied(),
            member: self.members.contains_key(&query.recipient),
        }
    }

    pub fn stats(&self) -> MailStats {
        let mut stats = MailStats {
            total_messages: self.messages.len() as u64,
            pending_messages: self.messages.iter().filter(|message| message.is_waiting()).count() as u64,
            instances: self.members.len() as u64,
            ..MailStats::default()
        };
        for message in &self.messages {
            *stats.messages_by_type.entry(message.append.kind.to_string()).or_default() += 1;
        }
        stats
    }
}

/// The messages that fit on one page: as many as asked for, within its bytes, and at least one.
fn fitting<'a>(found: &'a [&'a Stored], limit: u32) -> &'a [&'a Stored] {
    let mut bytes = 0;
    let fits = |message: &&&Stored| {
        let first = bytes == 0;
        bytes += message.append.document.len();
        first || bytes <= MAX_PAGE_BYTES
    };
    let count = found.iter().take(limit as usize).take_while(fits).count();
    &found[..count]
}
