//! One of the two stores that a sequence is played on, and its outcomes in words that both have in common.

use super::scribe::Request;
use crate::conformance::mail::desk::{Desk, id_of};
use mainstay_core::api::mail::Imported;
use mainstay_core::api::{Epoch, MessageId, Offset, Timestamp};
use mainstay_core::mail::{AckOutcome, Acknowledge, Append, Appended, MarkRead, Merge, Recipients, Row, TailQuery};
use std::collections::HashMap;

/// A store and what it has said.
pub(super) struct Side {
    desk: Desk,
    /// Which message has this offset.
    ids: HashMap<Offset, String>,
    /// Where each reading ended.
    bookmarks: Vec<Offset>,
    epoch: Option<Epoch>,
    last_offset: Offset,
}

impl Side {
    pub fn new(desk: Desk) -> Self {
        Self { desk, ids: HashMap::new(), bookmarks: Vec::new(), epoch: None, last_offset: Offset(0) }
    }

    /// Asks the store, and says what it answered.
    pub async fn play(&mut self, request: &Request) -> String {
        let namespace = self.desk.namespace.clone();
        match request {
            Request::Append(append) => self.append(Append { namespace, ..append.clone() }).await,
            Request::Merge(merge) => self.merge(merge).await,
            Request::Acknowledge(acknowledge) => {
                let asked = Acknowledge { namespace, ..acknowledge.clone() };
                match self.desk.mail.acknowledge(asked).await.expect("acknowledge") {
                    AckOutcome::Stands { row, epoch, already } => {
                        self.same_epoch(&epoch);
                        format!("stands, already {already}: {}", words(&Row { receipts: None, ..*row }))
                    }
                    other => format!("{other:?}"),
                }
            }
            Request::MarkRead(mark) => {
                let asked = MarkRead { namespace, ..mark.clone() };
                self.desk.mail.mark_read(asked).await.expect("mark_read").to_string()
            }
            Request::Join { instance, now } => {
                self.desk.mail.join(&namespace, instance, *now).await.expect("join").to_string()
            }
            Request::Find { id, viewer, now } => {
                let found = self.desk.mail.find(&namespace, id, viewer.as_ref(), *now).await.expect("find");
                found.map_or_else(
                    || "absent".into(),
                    |(epoch, row)| {
                        self.same_epoch(&epoch);
                        words(&row)
                    },
                )
            }
            Request::List(query) => {
                let rows = self.desk.rows(mainstay_core::mail::ListQuery { namespace, ..query.clone() }).await;
                all_words(&rows)
            }
            Request::Tail { query, from } => self.tail(TailQuery { namespace, ..query.clone() }, *from).await,
            Request::Numbers { instance, now } => self.numbers(instance.as_str(), *now).await,
            Request::Purge { now, members_since } => {
                // How much is left to purge is a store's own affair: it may delete what has expired at any time.
                self.at(*now).purge_since(*members_since).await;
                "purged".into()
            }
        }
    }

    async fn append(&mut self, append: Append) -> String {
        let (id, now) = (append.id.clone(), append.now);
        let everyone = append.recipients == Recipients::Everyone;
        match self.desk.append(append).await {
            Appended::Stored { offset, epoch, delivered } => {
                self.same_epoch(&epoch);
                self.arrived(offset, &id, now);
                format!("stored, delivered to {delivered}")
            }
            // Which of the members is named is not said.
            Appended::InboxFull(_) if everyone => "an inbox is full".into(),
            other => format!("{other:?}"),
        }
    }

    async fn merge(&mut self, merge: &Merge) -> String {
        let append = Append { namespace: self.desk.namespace.clone(), ..merge.append.clone() };
        let (id, now, dry_run) = (append.id.clone(), append.now, merge.dry_run);
        let imported = self.desk.mail.merge(Merge { append, ..merge.clone() }).await.expect("merge");
        if imported == Imported::Created && !dry_run {
            let row = self.at(now).row(id.as_str()).await;
            self.arrived(row.offset, &id, now);
        }
        format!("{imported:?}")
    }

    async fn tail(&mut self, query: TailQuery, from: Option<u8>) -> String {
        let bookmark = from.filter(|_| !self.bookmarks.is_empty());
        let after = bookmark.map_or(Offset(0), |number| self.bookmarks[usize::from(number) % self.bookmarks.len()]);
        let page = self.desk.drain(TailQuery { after, ..query }).await;
        self.same_epoch(&page.epoch);
        let ascending = page.rows.is_sorted_by(|a, b| a.offset < b.offset);
        let beyond = page.rows.first().is_none_or(|row| row.offset > after);
        self.bookmarks.push(page.position);
        let at_head = page.position == self.last_offset;
        format!("{}; ascending {ascending}, beyond {beyond}, at the head {at_head}", all_words(&page.rows))
    }

    /// Counts and numbers, after a purge.
    async fn numbers(&mut self, name: &str, now: Timestamp) -> String {
        let desk = self.at(now);
        desk.purge().await;
        let stats = desk.mail.stats(&desk.namespace).await.expect("stats");
        let dropped = desk.dropped_to(name).await;
        let dropped = dropped.map(|offset| self.ids.get(&offset).cloned().unwrap_or_else(|| "what never was".into()));
        format!("{:?}, dropped {dropped:?}, {stats:?}", desk.counts(name).await)
    }

    fn at(&self, now: Timestamp) -> Desk {
        Desk { now, ..self.desk.clone() }
    }

    fn arrived(&mut self, offset: Offset, id: &MessageId, now: Timestamp) {
        assert!(offset > self.last_offset, "{id} has the offset {offset}, {} was given before", self.last_offset);
        let now_us = u64::try_from(now.as_millis()).expect("after 1970") * 1_000;
        assert!(offset.0 >= now_us, "{id} has the offset {offset}, which is before the clock");
        self.last_offset = offset;
        self.ids.insert(offset, id.as_str().to_owned());
    }

    fn same_epoch(&mut self, epoch: &Epoch) {
        let known = self.epoch.get_or_insert_with(|| epoch.clone());
        assert_eq!(known, epoch, "the epoch changed");
    }
}

fn all_words(rows: &[Row]) -> String {
    rows.iter().map(words).collect::<Vec<_>>().join(" | ")
}

fn words(row: &Row) -> String {
    let Row { delivery, settled, receipt, receipts, .. } = row;
    let counts = format!("{}/{}/{}", delivery.delivered, delivery.read, delivery.acknowledged);
    format!("{} {counts} settled {settled} {receipt:?} {receipts:?}", id_of(row))
}
