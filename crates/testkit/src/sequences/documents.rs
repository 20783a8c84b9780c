//! Sequences of documents.

use super::same;
use crate::conformance::{Bed, Window};
use crate::model;
use mainstay_core::api::documents::{CollectionName, DocumentKey, beginning};
use mainstay_core::api::{Epoch, Namespace, Offset, Position, RawJson, Timestamp};
use mainstay_core::documents::{
    ChangeDocument, ChangesQuery, DocumentLimits, DocumentName, DocumentStore, DocumentsQuery, HistoryQuery, NewBody,
    PurgeDocuments, StoredBody, Transact,
};
use mainstay_core::mail::RequestMemo;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::prop_oneof;
use std::sync::Arc;

const NAMES: [(&str, &str); 5] = [("a", "1"), ("a", "é/🦀\n"), ("a-b", "1"), ("b", "{x}*"), ("b", "2")];
/// Small, so that every bound is met now and then.
const LIMITS: DocumentLimits = DocumentLimits { max_documents: 3, max_revisions: 3, max_history_bytes: 24, max_log: 6 };

/// A change; numbers stand for names, and for revisions that were given.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    name: usize,
    /// The length of the text to write.
    write: Option<usize>,
    seal: bool,
    seconds: Option<u8>,
    /// 0 for absent; else the nth revision from the newest.
    expected: Option<usize>,
}

/// One operation.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Transact { changes: Vec<Change>, request: Option<u8> },
    List { collection: usize, limit: u32 },
    History { name: usize },
    Changes { after: usize, limit: u32 },
    Purge { history_seconds: u8 },
    Wait { seconds: u8 },
}

/// Draws an operation.
pub(crate) fn operation() -> BoxedStrategy<Operation> {
    let name = || 0..NAMES.len();
    let change =
        (name(), option::weighted(0.8, 1..12_usize), any::<bool>(), option::of(0..60_u8), option::of(0..3_usize))
            .prop_map(|(name, write, seal, seconds, expected)| Change { name, write, seal, seconds, expected });
    prop_oneof![
        6 => (proptest::collection::vec(change, 1..4), option::of(0..4_u8))
            .prop_map(|(changes, request)| Operation::Transact { changes, request }),
        2 => (name(), 1..4_u32).prop_map(|(collection, limit)| Operation::List { collection, limit }),
        2 => name().prop_map(|name| Operation::History { name }),
        2 => (0..6_usize, 1..5_u32).prop_map(|(after, limit)| Operation::Changes { after, limit }),
        1 => (0..120_u8).prop_map(|history_seconds| Operation::Purge { history_seconds }),
        2 => (0..60_u8).prop_map(|seconds| Operation::Wait { seconds }),
        1 => Just(Operation::Wait { seconds: 0 }),
    ]
    .boxed()
}

/// Plays a sequence on the store of a bed and on a new model.
pub(super) async fn play(bed: Arc<Bed>, operations: Vec<Operation>) -> Result<(), String> {
    let window = bed.window().await;
    let mut store = Side::new(bed.stores().documents.clone(), bed.namespace());
    let mut model = Side::new(model::stores().documents, store.namespace.clone());
    let mut now = window.start;
    let last = [Operation::Changes { after: 0, limit: 100 }, Operation::List { collection: 0, limit: 100 }];
    for (number, operation) in operations.iter().chain(&last).enumerate() {
        if let Operation::Wait { seconds } = operation {
            now = later(now, i64::from(*seconds), &window);
            continue;
        }
        let (in_store, in_model) = (store.play(operation, now).await, model.play(operation, now).await);
        same(&format!("operation {number}, {operation:?}"), &in_store, &in_model)?;
    }
    Ok(())
}

fn later(now: Timestamp, seconds: i64, window: &Window) -> Timestamp {
    Timestamp::from_millis(now.as_millis() + seconds * 1_000).min(window.end())
}

/// One of the two stores.
struct Side {
    documents: Arc<dyn DocumentStore>,
    namespace: Namespace,
    /// The positions that were given, the newest first.
    positions: Vec<Position>,
}

impl Side {
    fn new(documents: Arc<dyn DocumentStore>, namespace: Namespace) -> Self {
        Self { documents, namespace, positions: vec![beginning()] }
    }

    /// Asks the store, and says what it answered.
    async fn play(&mut self, operation: &Operation, now: Timestamp) -> String {
        let namespace = self.namespace.clone();
        match operation {
            Operation::Transact { changes, request } => {
                let transact = self.transact(changes, *request, now);
                let done = self.documents.transact(transact).await.expect("transact");
                let head = self.documents.head(&namespace).await.expect("head");
                if self.positions[0] != head {
                    self.positions.insert(0, head);
                }
                format!("{done:?}")
            }
            Operation::List { collection, limit } => {
                let query = DocumentsQuery {
                    namespace,
                    collection: name(*collection).collection,
                    after: None,
                    limit: *limit,
                    now,
                };
                format!("{:?}", self.documents.documents(query).await.expect("list"))
            }
            Operation::History { name: of } => {
                let query = HistoryQuery { namespace, name: name(*of), before: None, limit: 10 };
                format!("{:?}", self.documents.history(query).await.expect("history"))
            }
            Operation::Changes { after, limit } => {
                let after = self.positions.get(*after).cloned().unwrap_or_else(beginning);
                let query = ChangesQuery { namespace, after, collection: None, limit: *limit };
                format!("{:?}", self.documents.changes(query).await.expect("changes"))
            }
            Operation::Purge { history_seconds } => {
                let history_before = Timestamp::from_millis(now.as_millis() - i64::from(*history_seconds) * 1_000);
                let purge = PurgeDocuments { now, history_before, limits: LIMITS, limit: 2 };
                while self.documents.purge(purge).await.expect("purge") > 0 {}
                let head = self.documents.head(&namespace).await.expect("head");
                if self.positions[0] != head {
                    self.positions.insert(0, head.clone());
                }
                format!("{head:?}")
            }
            Operation::Wait { .. } => String::new(),
        }
    }

    fn transact(&self, changes: &[Change], request: Option<u8>, now: Timestamp) -> Transact {
        let mut made: Vec<ChangeDocument> = Vec::new();
        for change in changes {
            if made.iter().any(|known| known.name == name(change.name)) {
                continue;
            }
            let text = |length: usize| RawJson::parse(&format!("\"{}\"", "é".repeat(length))).expect("JSON");
            let write = change.write.map(|length| NewBody {
                body: StoredBody { text: text(length), seal_key: change.seal.then(|| "k1".to_owned()) },
                expires_at: change.seconds.map(|s| Timestamp::from_millis(now.as_millis() + i64::from(s) * 1_000)),
            });
            let revision = |nth: usize| self.positions.get(nth - 1).map_or(Offset(0), |position| position.offset).0;
            let expected = change.expected.map(|nth| if nth == 0 { 0 } else { revision(nth) });
            made.push(ChangeDocument { name: name(change.name), write, expected, diff: text(1) });
        }
        Transact {
            namespace: self.namespace.clone(),
            changes: made,
            guards: Vec::new(),
            memo: request.map(|number| RequestMemo {
                key: number.to_string(),
                fingerprint: (number % 2).to_string(),
                until: Timestamp::from_millis(now.as_millis() + 30_000),
            }),
            by: "ada".into(),
            epoch: Epoch::parse("e1").expect("an epoch"),
            limits: LIMITS,
            now,
        }
    }
}

fn name(number: usize) -> DocumentName {
    let (collection, key) = NAMES[number];
    DocumentName {
        collection: CollectionName::parse(collection).expect("a collection"),
        key: DocumentKey::parse(key).expect("a key"),
    }
}
