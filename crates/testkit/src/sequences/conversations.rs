//! Sequences of conversations.

use super::same;
use crate::conformance::{Bed, Window};
use crate::model;
use bytes::Bytes;
use mainstay_core::api::conversations::{Retention, RetentionMode, Status};
use mainstay_core::api::{ConversationId, Namespace, Subject, Timestamp};
use mainstay_core::conversations::{
    Append, ConversationLimits, ConversationStore, Create, Fork, From, Lifetime, ListQuery, Lookup, MessagesQuery,
    Owner, Patch, Renew, Settle, Take,
};
use mainstay_core::mail::RequestMemo;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::prop_oneof;
use std::sync::Arc;

const USERS: [&str; 2] = ["ada", "ada:{b}%"];
const IDS: [&str; 4] = ["c1", "C1", "a:{b}*", "é 🦀\n"];
/// Small, so that an owner, and a conversation, are full now and then.
const MAX_CONVERSATIONS: u32 = 3;
const LIMITS: ConversationLimits = ConversationLimits { max_messages: 9, max_bytes: 60 };
/// Conversations on a page, and in a step of an erasure; fewer than there are.
const STEP: u32 = 2;

/// A conversation of a user, by numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    user: usize,
    id: usize,
}

/// A lifetime, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    seconds: u8,
    fixed: bool,
    pinned: bool,
}

/// One operation.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Create { of: Target, life: Life, memo: Option<u8> },
    Append { of: Target, messages: u8, step: Step, memo: Option<u8> },
    Recall { of: Target, memo: u8 },
    Patch { of: Target, status: usize, life: Option<Life>, stale: bool },
    Take { of: Target, seconds: u8, key: Option<u8> },
    Renew { of: Target, seconds: u8, fence: u64 },
    End { of: Target, fence: u64 },
    Fork { of: Target, to: usize, up_to: u8, life: Life, memo: Option<u8> },
    Messages { of: Target, after: Option<u8>, before: u8 },
    Touch { of: Target },
    Delete { of: Target },
    Erase { user: usize },
    List { user: usize, status: Option<usize> },
    Purge,
    Wait { seconds: u8 },
}

/// What an append does besides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// Whether the fence is that of the running turn, another one, or none.
    fence: Option<bool>,
    pending: bool,
    settle: Option<bool>,
    release: bool,
    workflow: bool,
    /// Whether the version expected is the one that stands, another one, or none.
    expected: Option<bool>,
}

/// Draws an operation.
pub(crate) fn operation() -> BoxedStrategy<Operation> {
    let of = || (0..USERS.len(), 0..IDS.len()).prop_map(|(user, id)| Target { user, id });
    let life = || {
        (1..90_u8, any::<bool>(), proptest::bool::weighted(0.2)).prop_map(|(seconds, fixed, pinned)| Life {
            seconds,
            fixed,
            pinned,
        })
    };
    let memo = || option::of(0..2_u8);
    let step =
        (option::of(proptest::bool::weighted(0.8)), any::<bool>(), option::of(any::<bool>()), any::<[bool; 2]>())
            .prop_flat_map(|(fence, pending, settle, [release, workflow])| {
                option::weighted(0.3, any::<bool>()).prop_map(move |expected| Step {
                    fence,
                    pending: pending && fence.is_some(),
                    settle: settle.filter(|_| fence.is_some()),
                    release: release && fence.is_some(),
                    workflow,
                    expected,
                })
            });
    prop_oneof![
        6 => (of(), life(), memo()).prop_map(|(of, life, memo)| Operation::Create { of, life, memo }),
        9 => (of(), 0..4_u8, step, memo()).prop_map(|(of, messages, step, memo)| {
            // What writes no message is remembered by nobody.
            Operation::Append { of, messages, step, memo: memo.filter(|_| messages > 0) }
        }),
        2 => (of(), 0..2_u8).prop_map(|(of, memo)| Operation::Recall { of, memo }),
        3 => (of(), 0..4_usize, option::of(life()), proptest::bool::weighted(0.2))
            .prop_map(|(of, status, life, stale)| Operation::Patch { of, status, life, stale }),
        4 => (of(), 1..60_u8, memo()).prop_map(|(of, seconds, key)| Operation::Take { of, seconds, key }),
        2 => (of(), 1..60_u8, 0..4_u64).prop_map(|(of, seconds, fence)| Operation::Renew { of, seconds, fence }),
        2 => (of(), 0..4_u64).prop_map(|(of, fence)| Operation::End { of, fence }),
        3 => (of(), 0..IDS.len(), 0..5_u8, life(), memo())
            .prop_map(|(of, to, up_to, life, memo)| Operation::Fork { of, to, up_to, life, memo }),
        3 => (of(), option::of(0..9_u8), 0..9_u8)
            .prop_map(|(of, after, before)| Operation::Messages { of, after, before }),
        2 => of().prop_map(|of| Operation::Touch { of }),
        2 => of().prop_map(|of| Operation::Delete { of }),
        1 => (0..USERS.len()).prop_map(|user| Operation::Erase { user }),
        3 => (0..USERS.len(), option::of(0..4_usize)).prop_map(|(user, status)| Operation::List { user, status }),
        1 => Just(Operation::Purge),
        4 => (0..40_u8).prop_map(|seconds| Operation::Wait { seconds }),
    ]
    .boxed()
}

/// Plays a sequence on the store of a bed and on a new model.
pub(super) async fn play(bed: Arc<Bed>, operations: Vec<Operation>) -> Result<(), String> {
    let window = bed.window().await;
    let store = Side { store: bed.stores().conversations.clone(), namespace: bed.namespace() };
    let model = Side { store: model::stores().conversations, namespace: bed.namespace() };
    let mut now = window.start;
    for (number, operation) in operations.iter().enumerate() {
        if let Operation::Wait { seconds } = operation {
            now = later(now, *seconds, &window);
            continue;
        }
        let (in_store, in_model) = (store.play(operation, now).await, model.play(operation, now).await);
        let what = format!("operation {number}, {operation:?}");
        same(&what, &in_store, &in_model)?;
        same(&format!("after {what}"), &store.everything(now).await, &model.everything(now).await)?;
    }
    Ok(())
}

fn later(now: Timestamp, seconds: u8, window: &Window) -> Timestamp {
    Timestamp::from_millis(now.as_millis() + i64::from(seconds) * 1_000).min(window.end())
}

/// One of the two stores.
struct Side {
    store: Arc<dyn ConversationStore>,
    namespace: Namespace,
}

impl Side {
    fn owner(&self, user: usize) -> Owner {
        Owner { namespace: self.namespace.clone(), subject: Subject::local(USERS[user]) }
    }

    fn at(&self, of: Target, now: Timestamp) -> Lookup {
        Lookup { owner: self.owner(of.user), id: id(of.id), now }
    }

    /// Asks the store, and says what it answered.
    async fn play(&self, operation: &Operation, now: Timestamp) -> String {
        match operation.clone() {
            Operation::Create { of, life, memo } => {
                let create = self.create(of, life, now, memo.map(|memo| remembered(memo, of, "create", now)));
                format!("{:?}", self.store.create(create).await.expect("create"))
            }
            Operation::Append { of, messages, step, memo } => {
                let append = self.append(of, messages, step, now).await;
                let append = Append { memo: memo.map(|memo| remembered(memo, of, "append", now)), ..append };
                format!("{:?}", self.store.append(append).await.expect("append"))
            }
            Operation::Recall { of, memo } => {
                let recalled = self.store.recall(&self.at(of, now), &remembered(memo, of, "append", now)).await;
                format!("{:?}", recalled.expect("recall"))
            }
            Operation::Patch { of, status, life, stale } => {
                let version = self.version(of, now).await + u64::from(stale);
                let patch = Patch {
                    at: self.at(of, now),
                    expected_version: version,
                    status: all()[status],
                    head: Bytes::from(format!("head {version}")),
                    body: Bytes::from(format!("body {version}")),
                    workflow: (status > 1).then(|| Bytes::from_static(b"patched")),
                    lifetime: life.map(lifetime),
                };
                format!("{:?}", self.store.patch(patch).await.expect("patch"))
            }
            Operation::Take { of, seconds, key } => {
                let (holder, key) = (key.map(|key| format!("holder {key}")), key.map(|key| format!("key {key}")));
                let take = Take { at: self.at(of, now), holder, ttl_ms: u64::from(seconds) * 1_000, key };
                format!("{:?}", self.store.take_turn(take).await.expect("take"))
            }
            Operation::Renew { of, seconds, fence } => {
                let renew = Renew { at: self.at(of, now), fence, ttl_ms: u64::from(seconds) * 1_000 };
                format!("{:?}", self.store.renew_turn(renew).await.expect("renew"))
            }
            Operation::End { of, fence } => {
                format!("{:?}", self.store.end_turn(&self.at(of, now), fence).await.expect("end"))
            }
            Operation::Fork { of, to, up_to, life, memo } => {
                let target = Target { id: to, ..of };
                let memo = memo.map(|memo| remembered(memo, target, "create", now));
                let create = self.create(target, life, now, memo);
                let fork = Fork { create, source: id(of.id), up_to: up_to.into() };
                format!("{:?}", self.store.fork(fork).await.expect("fork"))
            }
            Operation::Messages { of, after, before } => {
                let from = after.map_or(From::Before(before.into()), |after| From::After(after.into()));
                let query = MessagesQuery { at: self.at(of, now), from, limit: STEP };
                format!("{:?}", self.store.messages(query).await.expect("messages"))
            }
            Operation::Touch { of } => format!("{:?}", self.store.touch(&self.at(of, now)).await.expect("touch")),
            Operation::Delete { of } => format!("{:?}", self.store.delete(&self.at(of, now)).await.expect("delete")),
            Operation::Erase { user } => {
                while self.store.erase(&self.owner(user), STEP).await.expect("erase") > 0 {}
                String::new()
            }
            Operation::List { user, status } => self.list(user, status.map(|status| all()[status]), now).await,
            Operation::Purge => {
                while self.store.purge(now, STEP).await.expect("purge") > 0 {}
                String::new()
            }
            Operation::Wait { .. } => String::new(),
        }
    }

    fn create(&self, of: Target, life: Life, now: Timestamp, memo: Option<RequestMemo>) -> Create {
        Create {
            at: self.at(of, now),
            status: Status::Active,
            head: Bytes::from_static(b"head\0\xff"),
            body: Bytes::from_static(b"body\0\xff"),
            workflow: life.fixed.then(|| Bytes::from_static(b"work\0\xff")),
            lifetime: lifetime(life),
            max_conversations: MAX_CONVERSATIONS,
            memo,
        }
    }

    async fn append(&self, of: Target, messages: u8, step: Step, now: Timestamp) -> Append {
        let record = self.store.find(&self.at(of, now)).await.expect("find");
        let (version, turn) = record.map_or((0, None), |record| (record.summary.version, record.summary.turn));
        let running = turn.map_or(1, |turn| turn.fence);
        let settle = step.settle.map(|done| if done { Settle::Done } else { Settle::Failed });
        Append {
            at: self.at(of, now),
            documents: (0..messages).map(|number| Bytes::from(format!("\0{number} {version}\u{e9}"))).collect(),
            pending: step.pending,
            expected_version: step.expected.map(|right| version + u64::from(!right)),
            fence: step.fence.map(|right| running + u64::from(!right)),
            settle,
            workflow: step.workflow.then(|| Bytes::from(format!("workflow {version}"))),
            release: step.release,
            limits: LIMITS,
            memo: None,
        }
    }

    async fn version(&self, of: Target, now: Timestamp) -> u64 {
        let record = self.store.find(&self.at(of, now)).await.expect("find");
        record.map_or(1, |record| record.summary.version)
    }

    /// Every page of a list. Conversations that changed at the same moment stand in any order.
    async fn list(&self, user: usize, status: Option<Status>, now: Timestamp) -> String {
        let mut rows = Vec::new();
        let mut after = None;
        loop {
            let query = ListQuery { owner: self.owner(user), status, limit: STEP, after, now };
            let page = self.store.list(query).await.expect("list");
            rows.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert!(rows.is_sorted_by_key(|row| std::cmp::Reverse(row.updated_at)), "the newest first: {rows:#?}");
        rows.sort_by(|a, b| (a.updated_at, &a.id).cmp(&(b.updated_at, &b.id)));
        format!("{rows:?}")
    }

    /// All that can be seen.
    async fn everything(&self, now: Timestamp) -> String {
        let mut seen = String::new();
        for user in 0..USERS.len() {
            for number in 0..IDS.len() {
                let at = self.at(Target { user, id: number }, now);
                let found = self.store.find(&at).await.expect("find");
                let query = MessagesQuery { at, from: From::After(0), limit: 100 };
                let messages = self.store.messages(query).await.expect("messages").map(|page| page.rows);
                seen.push_str(&format!("{user} {number}: {found:?} {messages:?}\n"));
            }
        }
        seen
    }
}

/// A request id. One key stands for one kind of request of one conversation, as the services see to it.
fn remembered(memo: u8, of: Target, what: &str, now: Timestamp) -> RequestMemo {
    RequestMemo {
        key: format!("ada:{what} {} {{{}}}", of.id, memo / 2),
        fingerprint: format!("f{memo}"),
        until: Timestamp::from_millis(now.as_millis() + 100_000),
    }
}

fn lifetime(life: Life) -> Lifetime {
    let mode = if life.fixed { RetentionMode::Fixed } else { RetentionMode::Sliding };
    Lifetime { retention: Retention { mode, ttl_ms: u64::from(life.seconds) * 1_000 }, pinned: life.pinned }
}

fn all() -> [Status; 4] {
    [Status::Active, Status::Completed, Status::Abandoned, Status::Archived]
}

fn id(number: usize) -> ConversationId {
    ConversationId::parse(IDS[number]).expect("an id of a conversation")
}
