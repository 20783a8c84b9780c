//! What the cases of conversations write with: an owner, and short words for long structures.

use crate::conformance::Bed;
use bytes::Bytes;
use mainstay_core::api::conversations::{Retention, RetentionMode, Status};
use mainstay_core::api::{ConversationId, Namespace, Subject, Timestamp};
use mainstay_core::conversations::{
    Append, Appended, ConversationLimits, ConversationStore, Create, Created, Fork, Forked, From, Lifetime, ListQuery,
    Lookup, MessageRow, MessagesPage, MessagesQuery, Owner, Patch, Patched, Record, Renew, Summary, Take, Taken,
    TurnKept, Written,
};
use mainstay_core::mail::RequestMemo;
use std::sync::Arc;

/// A lifetime that ends after an hour without use.
pub(super) const HOUR_MS: i64 = 3_600_000;

/// The conversations of one owner, at a moment.
#[derive(Clone)]
pub(super) struct Talk {
    pub store: Arc<dyn ConversationStore>,
    pub owner: Owner,
    pub now: Timestamp,
    pub limits: ConversationLimits,
    pub max_conversations: u32,
    pub lifetime: Lifetime,
}

impl Talk {
    pub fn new(bed: &Bed) -> Self {
        Self::at(bed, bed.now())
    }

    pub fn at(bed: &Bed, now: Timestamp) -> Self {
        Self {
            store: bed.stores().conversations.clone(),
            owner: Owner { namespace: bed.namespace(), subject: Subject::local("ada") },
            now,
            limits: ConversationLimits { max_messages: 100_000, max_bytes: 64 * 1_024 * 1_024 },
            max_conversations: 10_000,
            lifetime: lifetime(RetentionMode::Sliding, false),
        }
    }

    /// The same owner, later.
    pub fn later(&self, millis: i64) -> Self {
        Self { now: Timestamp::from_millis(self.now.as_millis() + millis), ..self.clone() }
    }

    /// Another user of the same tenant.
    pub fn of(&self, user: &str) -> Self {
        let owner = Owner { subject: Subject::local(user), ..self.owner.clone() };
        Self { owner, ..self.clone() }
    }

    /// The same user in another namespace.
    pub fn within(&self, namespace: Namespace) -> Self {
        Self { owner: Owner { namespace, ..self.owner.clone() }, ..self.clone() }
    }

    pub fn lookup(&self, name: &str) -> Lookup {
        Lookup { owner: self.owner.clone(), id: id(name), now: self.now }
    }

    pub fn beginning(&self, name: &str) -> Create {
        Create {
            at: self.lookup(name),
            status: Status::Active,
            head: Bytes::from(format!("head of {name}")),
            body: Bytes::from(format!("body of {name}")),
            workflow: None,
            lifetime: self.lifetime,
            max_conversations: self.max_conversations,
            memo: None,
        }
    }

    pub async fn create(&self, name: &str) -> Created {
        self.store.create(self.beginning(name)).await.expect("create")
    }

    /// Begins a conversation and says these messages.
    pub async fn with(&self, name: &str, texts: &[&str]) {
        assert_eq!(self.create(name).await, Created::Created);
        if !texts.is_empty() {
            self.say(name, texts).await;
        }
    }

    pub fn append(&self, name: &str, texts: &[&str]) -> Append {
        Append {
            at: self.lookup(name),
            documents: texts.iter().map(|text| Bytes::from((*text).to_owned())).collect(),
            pending: false,
            expected_version: None,
            fence: None,
            settle: None,
            workflow: None,
            release: false,
            limits: self.limits,
            memo: None,
        }
    }

    pub async fn try_append(&self, append: Append) -> Appended {
        self.store.append(append).await.expect("append")
    }

    pub async fn say(&self, name: &str, texts: &[&str]) -> Written {
        stored(self.try_append(self.append(name, texts)).await)
    }

    pub async fn find(&self, name: &str) -> Option<Record> {
        self.store.find(&self.lookup(name)).await.expect("find")
    }

    pub async fn summary(&self, name: &str) -> Summary {
        self.find(name).await.unwrap_or_else(|| panic!("{name} is not there")).summary
    }

    pub async fn page(&self, name: &str, from: From, limit: u32) -> Option<MessagesPage> {
        let query = MessagesQuery { at: self.lookup(name), from, limit };
        self.store.messages(query).await.expect("messages")
    }

    pub async fn rows(&self, name: &str) -> Vec<MessageRow> {
        self.page(name, From::After(0), 1_000).await.map(|page| page.rows).unwrap_or_default()
    }

    pub async fn texts(&self, name: &str) -> Vec<String> {
        texts(&self.rows(name).await)
    }

    /// Every conversation of a list, page by page.
    pub async fn list(&self, status: Option<Status>, limit: u32) -> Vec<Summary> {
        let (mut rows, mut after) = (Vec::new(), None);
        for _ in 0..1_000 {
            let query = ListQuery { owner: self.owner.clone(), status, limit, after, now: self.now };
            let page = self.store.list(query).await.expect("list");
            assert!(page.rows.len() <= limit as usize);
            rows.extend(page.rows);
            after = page.next;
            if after.is_none() {
                return rows;
            }
        }
        panic!("a list without an end");
    }

    pub async fn names(&self) -> Vec<String> {
        self.list(None, 100).await.into_iter().map(|row| row.id.into()).collect()
    }

    pub fn change(&self, name: &str, expected_version: u64) -> Patch {
        Patch {
            at: self.lookup(name),
            expected_version,
            status: Status::Completed,
            head: Bytes::from_static(b"another head"),
            body: Bytes::from_static(b"another body"),
            workflow: None,
            lifetime: None,
        }
    }

    pub async fn patch(&self, patch: Patch) -> Patched {
        self.store.patch(patch).await.expect("patch")
    }

    pub async fn delete(&self, name: &str) -> bool {
        self.store.delete(&self.lookup(name)).await.expect("delete")
    }

    pub async fn take(&self, name: &str, ttl_ms: u64) -> Taken {
        let take = Take { at: self.lookup(name), holder: Some("ada's laptop".into()), ttl_ms, key: None };
        self.store.take_turn(take).await.expect("take")
    }

    /// Takes a turn that nobody has.
    pub async fn turn(&self, name: &str, ttl_ms: u64) -> u64 {
        match self.take(name, ttl_ms).await {
            Taken::Taken { fence, .. } => fence,
            other => panic!("the turn of {name}: {other:?}"),
        }
    }

    pub async fn renew(&self, name: &str, fence: u64, ttl_ms: u64) -> TurnKept {
        self.store.renew_turn(Renew { at: self.lookup(name), fence, ttl_ms }).await.expect("renew")
    }

    pub async fn end(&self, name: &str, fence: u64) -> TurnKept {
        self.store.end_turn(&self.lookup(name), fence).await.expect("end")
    }

    pub async fn fork(&self, source: &str, name: &str, up_to: u64) -> Forked {
        let fork = Fork { create: self.beginning(name), source: id(source), up_to };
        self.store.fork(fork).await.expect("fork")
    }

    /// Erases everything, and says how many conversations.
    pub async fn erase(&self) -> u32 {
        let mut erased = 0;
        loop {
            match self.store.erase(&self.owner, 2).await.expect("erase") {
                0 => return erased,
                some => erased += some,
            }
        }
    }

    pub fn memo(&self, key: &str, fingerprint: &str) -> RequestMemo {
        RequestMemo {
            key: key.into(),
            fingerprint: fingerprint.into(),
            until: Timestamp::from_millis(self.now.as_millis() + 24 * HOUR_MS),
        }
    }
}

pub(super) fn id(name: &str) -> ConversationId {
    ConversationId::parse(name).expect("an id of a conversation")
}

pub(super) fn lifetime(mode: RetentionMode, pinned: bool) -> Lifetime {
    Lifetime { retention: Retention { mode, ttl_ms: HOUR_MS.unsigned_abs() }, pinned }
}

pub(super) fn texts(rows: &[MessageRow]) -> Vec<String> {
    rows.iter().map(|row| String::from_utf8_lossy(&row.document).into_owned()).collect()
}

pub(super) fn stored(appended: Appended) -> Written {
    match appended {
        Appended::Stored { written, .. } => written,
        other => panic!("not stored: {other:?}"),
    }
}
