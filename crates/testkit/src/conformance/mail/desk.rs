//! What the cases of mail write with: a namespace, and short words for long structures.

use crate::conformance::Bed;
use bytes::Bytes;
use mainstay_core::Stores;
use mainstay_core::api::mail::{Ack, InboxCounts};
use mainstay_core::api::{InstanceId, MessageId, MessageType, Namespace, Offset, Timestamp};
use mainstay_core::mail::{
    AckOutcome, Acknowledge, Append, Appended, InboxLimits, ListPage, ListQuery, MailStore, MarkRead, Merge,
    Recipients, RequestMemo, Row, TailPage, TailQuery,
};
use std::sync::Arc;

/// Ends the id at the head of a document; the rest is anything.
const END_OF_ID: u8 = 0x1f;
/// A minute, in milliseconds.
pub(crate) const MINUTE_MS: i64 = 60_000;
/// Most pages that are read before a listing counts as endless.
const MAX_PAGES: usize = 10_000;
/// When messages expire that no case wants to expire: 2240-01-01, after every purge of every case.
const KEPT_UNTIL_MS: i64 = 8_520_336_000_000;
/// Bounds that no case reaches by accident.
pub(crate) const ROOMY: InboxLimits = InboxLimits { max_inbox: 100_000, max_pending: 10_000, max_messages: 1_000_000 };

/// A namespace in a store.
#[derive(Clone)]
pub(crate) struct Desk {
    pub mail: Arc<dyn MailStore>,
    pub namespace: Namespace,
    /// The present of every call.
    pub now: Timestamp,
    /// The bounds of every append.
    pub limits: InboxLimits,
}

impl Desk {
    pub fn new(bed: &Bed) -> Self {
        Self::on(bed.stores(), bed.namespace(), bed.now())
    }

    pub fn on(stores: &Stores, namespace: Namespace, now: Timestamp) -> Self {
        Self { mail: stores.mail.clone(), namespace, now, limits: ROOMY }
    }

    /// The same namespace, later.
    pub fn later(&self, millis: i64) -> Self {
        Self { now: after(self.now, millis), ..self.clone() }
    }

    /// The same namespace under other bounds.
    pub fn bounded(&self, limits: InboxLimits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// A message from `lead` that asks for an acknowledgement and is kept for years.
    pub fn letter(&self, id: &str, to: &[&str]) -> Append {
        Append {
            namespace: self.namespace.clone(),
            id: message_id(id),
            from: instance("lead"),
            kind: kind("GENERAL"),
            thread: None,
            subject_folded: format!("about {}", id.to_lowercase()),
            requires_ack: true,
            timestamp: self.now,
            expires_at: Timestamp::from_millis(KEPT_UNTIL_MS),
            document: document(id, b"a document"),
            recipients: Recipients::Named(to.iter().map(|name| instance(name)).collect()),
            memo: None,
            limits: self.limits,
            now: self.now,
        }
    }

    /// The same that asks for nothing.
    pub fn note(&self, id: &str, to: &[&str]) -> Append {
        Append { requires_ack: false, ..self.letter(id, to) }
    }

    /// The same to everyone.
    pub fn broadcast(&self, id: &str) -> Append {
        Append { recipients: Recipients::Everyone, ..self.letter(id, &[]) }
    }

    pub async fn append(&self, append: Append) -> Appended {
        self.mail.append(append).await.expect("append")
    }

    /// Appends what must be stored.
    pub async fn store(&self, append: Append) -> Offset {
        let id = append.id.clone();
        match self.append(append).await {
            Appended::Stored { offset, .. } => offset,
            other => panic!("{id:?} was not stored: {other:?}"),
        }
    }

    pub async fn join(&self, name: &str) -> bool {
        self.mail.join(&self.namespace, &instance(name), self.now).await.expect("join")
    }

    pub async fn ack(&self, id: &str, recipient: &str) -> AckOutcome {
        self.ack_with(id, recipient, "done").await
    }

    pub async fn ack_with(&self, id: &str, recipient: &str, comment: &str) -> AckOutcome {
        let ack = Ack { by: instance(recipient), at: self.now, comment: Some(comment.into()) };
        self.acknowledge(id, recipient, ack).await
    }

    pub async fn acknowledge(&self, id: &str, recipient: &str, ack: Ack) -> AckOutcome {
        let (namespace, id, recipient) = (self.namespace.clone(), message_id(id), instance(recipient));
        self.mail.acknowledge(Acknowledge { namespace, id, recipient, ack }).await.expect("acknowledge")
    }

    pub async fn mark_read(&self, recipient: &str, ids: &[&str]) -> u32 {
        let ids = ids.iter().map(|id| message_id(id)).collect();
        let (namespace, recipient, now) = (self.namespace.clone(), instance(recipient), self.now);
        self.mail.mark_read(MarkRead { namespace, recipient, ids, now }).await.expect("mark_read")
    }

    /// The message as `viewer` sees it.
    pub async fn find_as(&self, id: &str, viewer: Option<&str>) -> Option<Row> {
        let viewer = viewer.map(instance);
        let found = self.mail.find(&self.namespace, &message_id(id), viewer.as_ref(), self.now).await;
        found.expect("find").map(|(_, row)| row)
    }

    pub async fn find(&self, id: &str) -> Option<Row> {
        self.find_as(id, None).await
    }

    /// A message that must be there.
    pub async fn row(&self, id: &str) -> Row {
        self.find(id).await.unwrap_or_else(|| panic!("{id:?} is not there"))
    }

    /// Counts of an inbox: total, unread, pending.
    pub async fn counts(&self, name: &str) -> (u64, u64, u64) {
        let counts = self.mail.counts(&self.namespace, &instance(name)).await.expect("counts");
        let InboxCounts { total, unread, pending } = counts;
        (total, unread, pending)
    }

    /// A query for all, newest first.
    pub fn all(&self) -> ListQuery {
        ListQuery::all(self.namespace.clone(), 100, self.now)
    }

    /// A query for an inbox, newest first.
    pub fn inbox(&self, name: &str) -> ListQuery {
        ListQuery { recipient: Some(instance(name)), ..self.all() }
    }

    /// A query for what waits in an inbox.
    pub fn pending(&self, name: &str) -> ListQuery {
        ListQuery { pending: true, ..self.inbox(name) }
    }

    pub async fn page(&self, query: &ListQuery) -> ListPage {
        let page = self.mail.list(query.clone()).await.expect("list");
        assert!(page.rows.len() <= query.limit as usize, "{} rows, asked for {}", page.rows.len(), query.limit);
        page
    }

    /// Every row of a listing, page after page.
    pub async fn rows(&self, query: ListQuery) -> Vec<Row> {
        let (mut query, mut rows) = (query, Vec::new());
        for _ in 0..MAX_PAGES {
            let page = self.page(&query).await;
            rows.extend(page.rows);
            let Some(next) = page.next else {
                return rows;
            };
            query.after = Some(next);
        }
        panic!("the listing does not end");
    }

    /// Every id of a listing, page after page.
    pub async fn list(&self, query: ListQuery) -> Vec<String> {
        ids(&self.rows(query).await)
    }

    /// A query for an inbox from its beginning.
    pub fn whole_inbox(&self, name: &str) -> TailQuery {
        TailQuery {
            namespace: self.namespace.clone(),
            recipient: instance(name),
            after: Offset(0),
            unread_only: false,
            kind: None,
            sender: None,
            limit: 100,
            now: self.now,
        }
    }

    pub async fn tail_page(&self, query: &TailQuery) -> TailPage {
        let page = self.mail.tail(query.clone()).await.expect("tail");
        assert!(page.rows.len() <= query.limit as usize, "{} rows, asked for {}", page.rows.len(), query.limit);
        assert!(page.position >= query.after || page.rows.is_empty(), "the position went back");
        page
    }

    /// All that follows in an inbox, as one page.
    pub async fn drain(&self, query: TailQuery) -> TailPage {
        let (mut query, mut rows) = (query, Vec::new());
        for _ in 0..MAX_PAGES {
            let page = self.tail_page(&query).await;
            query.after = page.position;
            rows.extend(page.rows.iter().cloned());
            if !page.more {
                return TailPage { rows, ..page };
            }
        }
        panic!("the inbox does not end");
    }

    /// The ids in an inbox, in the order of arrival.
    pub async fn tail(&self, name: &str) -> Vec<String> {
        ids(&self.drain(self.whole_inbox(name)).await.rows)
    }

    pub async fn unread(&self, name: &str) -> Vec<String> {
        let query = TailQuery { unread_only: true, ..self.whole_inbox(name) };
        ids(&self.drain(query).await.rows)
    }

    pub async fn dropped_to(&self, name: &str) -> Option<Offset> {
        self.tail_page(&self.whole_inbox(name)).await.dropped_to
    }

    /// Deletes everything that has expired and returns how much that was. Forgets no member.
    pub async fn purge(&self) -> u32 {
        self.purge_since(after(self.now, -365 * 24 * 60 * MINUTE_MS)).await
    }

    /// The same, and forgets members that were not seen since.
    pub async fn purge_since(&self, members_since: Timestamp) -> u32 {
        let mut purged = 0;
        for _ in 0..MAX_PAGES {
            match self.mail.purge(self.now, members_since, 7).await.expect("purge") {
                0 => return purged,
                deleted => purged += deleted,
            }
        }
        panic!("the purge does not end");
    }
}

/// A merge of a message that nobody has read.
pub(crate) fn merge(append: Append) -> Merge {
    Merge { append, receipts: Vec::new(), settled: false, dry_run: false }
}

/// A request id that is remembered for a day.
pub(crate) fn memo(key: &str, fingerprint: &str, now: Timestamp) -> Option<RequestMemo> {
    let until = after(now, 24 * 60 * MINUTE_MS);
    Some(RequestMemo { key: key.into(), fingerprint: fingerprint.into(), until })
}

pub(crate) fn after(time: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(time.as_millis() + millis)
}

pub(crate) fn instance(name: &str) -> InstanceId {
    InstanceId::parse(name).expect("a name of an instance")
}

pub(crate) fn message_id(id: &str) -> MessageId {
    MessageId::parse(id).expect("an id of a message")
}

pub(crate) fn kind(name: &str) -> MessageType {
    MessageType::parse(name).expect("a type of a message")
}

/// A document that says which message it is, and that is no text.
pub(crate) fn document(id: &str, rest: &[u8]) -> Bytes {
    Bytes::from([id.as_bytes(), &[END_OF_ID, 0xff, 0x00], rest].concat())
}

/// The id of the message in a row.
pub(crate) fn id_of(row: &Row) -> String {
    let end = row.document.iter().position(|byte| *byte == END_OF_ID).expect("a document written by `document`");
    String::from_utf8(row.document[..end].to_vec()).expect("an id is text")
}

pub(crate) fn ids(rows: &[Row]) -> Vec<String> {
    rows.iter().map(id_of).collect()
}
