//! Messages for these tests.

use mainstay_core::api::{InstanceId, MessageId, MessageType, Namespace, Offset, Timestamp};
use mainstay_core::mail::{Append, InboxLimits, Recipients, TailQuery};
use mainstay_core::{Result, Stores};
use mainstay_sqlite::{Location, SqliteOptions};
use std::path::Path;

/// The time at which these tests live.
const NOW_MS: i64 = 1_800_000_000_000;

pub fn now() -> Timestamp {
    Timestamp::from_millis(NOW_MS)
}

pub fn instance(name: &str) -> InstanceId {
    InstanceId::parse(name).unwrap()
}

pub fn message(id: &str) -> MessageId {
    MessageId::parse(id).unwrap()
}

/// A message from `from` to `to` that asks for an acknowledgement.
pub fn letter(id: &str, from: &str, to: &str) -> Append {
    Append {
        namespace: Namespace::default(),
        id: message(id),
        from: instance(from),
        kind: MessageType::parse("GENERAL").unwrap(),
        thread: None,
        subject_folded: "hello".into(),
        requires_ack: true,
        timestamp: now(),
        expires_at: Timestamp::from_millis(NOW_MS + 1_000_000),
        document: id.as_bytes().to_vec().into(),
        recipients: Recipients::Named(vec![instance(to)]),
        memo: None,
        limits: InboxLimits { max_inbox: 100_000, max_pending: 100_000, max_messages: 1_000_000 },
        now: now(),
    }
}

pub fn options(path: &Path) -> SqliteOptions {
    SqliteOptions::new(Location::File(path.to_owned()))
}

pub async fn open(path: &Path) -> Result<Stores> {
    mainstay_sqlite::open(options(path)).await
}

/// The documents in an inbox, in the order of arrival.
pub async fn inbox(stores: &Stores, name: &str) -> Vec<String> {
    let mut documents = Vec::new();
    let mut after = Offset(0);
    loop {
        let query = TailQuery {
            namespace: Namespace::default(),
            recipient: instance(name),
            after,
            unread_only: false,
            kind: None,
            sender: None,
            limit: 1_000,
            now: now(),
        };
        let page = stores.mail.tail(query).await.unwrap();
        documents.extend(page.rows.iter().map(|row| String::from_utf8(row.document.to_vec()).unwrap()));
        if !page.more {
            return documents;
        }
        after = page.position;
    }
}
