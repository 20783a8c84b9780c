//! Setting and reading how publishers choose.

use crate::conformance::mail::hostile::HOSTILE;
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::Topic;
use mainstay_core::api::{Namespace, RawJson, Timestamp};
use mainstay_core::events::{SetTransport, TransportOutcome, TransportRecord, TransportStore};
use std::sync::Arc;

cases! {
    ($) transport_choosing_tests, transport::choosing:
    what_was_never_set_is_absent,
    what_is_set_is_read_as_it_was_written,
    a_change_names_the_version_that_it_replaces,
    a_change_that_is_repeated_is_one_change,
    of_many_who_expect_the_same_version_one_changes_it,
    namespaces_choose_for_themselves,
    a_change_wakes_those_who_watch_the_choice,
}

/// The choice of a namespace.
#[derive(Clone)]
struct Choice {
    transport: Arc<dyn TransportStore>,
    namespace: Namespace,
    now: Timestamp,
}

impl Choice {
    fn new(bed: &Bed) -> Self {
        Self { transport: bed.stores().transport.clone(), namespace: bed.namespace(), now: bed.now() }
    }

    fn later(&self, millis: i64) -> Self {
        Self { now: Timestamp::from_millis(self.now.as_millis() + millis), ..self.clone() }
    }

    async fn set(&self, settings: &str, expected: Option<u64>) -> TransportOutcome {
        self.set_by(settings, expected, "owner").await
    }

    async fn set_by(&self, settings: &str, expected: Option<u64>, by: &str) -> TransportOutcome {
        let settings = RawJson::parse(settings).expect("JSON");
        let (namespace, by, now) = (self.namespace.clone(), by.to_owned(), self.now);
        self.transport.set_transport(SetTransport { namespace, settings, expected, by, now }).await.expect("set")
    }

    async fn read(&self) -> Option<TransportRecord> {
        self.transport.transport(&self.namespace).await.expect("read")
    }
}

async fn what_was_never_set_is_absent(bed: &Bed) {
    assert_eq!(Choice::new(bed).read().await, None);
}

async fn what_is_set_is_read_as_it_was_written(bed: &Bed) {
    let choice = Choice::new(bed);
    let text = r#"{"b":12345678901234567890123,"a":1.0,"a":[],"é":"\u0000"}"#;
    for (nth, by) in HOSTILE.iter().enumerate() {
        let (later, version) = (choice.later(i64::try_from(nth).expect("small")), nth as u64 + 1);
        assert_eq!(later.set_by(text, None, by).await, TransportOutcome::Stored(version));
        let record = choice.read().await.expect("a record");
        assert_eq!(record.settings.as_str(), text);
        assert_eq!((record.version, record.updated_at, record.updated_by.as_str()), (version, later.now, *by));
    }
}

async fn a_change_names_the_version_that_it_replaces(bed: &Bed) {
    let choice = Choice::new(bed);
    assert_eq!(choice.set("1", Some(1)).await, TransportOutcome::Conflict { current: 0 });
    assert_eq!(choice.read().await, None, "a conflict writes nothing");
    assert_eq!(choice.set("1", Some(0)).await, TransportOutcome::Stored(1));
    assert_eq!(choice.set("2", Some(0)).await, TransportOutcome::Conflict { current: 1 });
    assert_eq!(choice.set("2", Some(1)).await, TransportOutcome::Stored(2));
    assert_eq!(choice.set("3", None).await, TransportOutcome::Stored(3));
    assert_eq!(choice.set("4", Some(2)).await, TransportOutcome::Conflict { current: 3 });
    assert_eq!(choice.read().await.expect("a record").settings.as_str(), "3");
}

async fn a_change_that_is_repeated_is_one_change(bed: &Bed) {
    let choice = Choice::new(bed);
    for _ in 0..3 {
        assert_eq!(choice.set("1", Some(0)).await, TransportOutcome::Stored(1), "an answer may have been lost");
    }
    assert_eq!(choice.later(1).set("1", None).await, TransportOutcome::Stored(2), "later it is another one");
    assert_eq!(choice.later(1).set_by("1", None, "ada").await, TransportOutcome::Stored(3));
}

async fn of_many_who_expect_the_same_version_one_changes_it(bed: &Bed) {
    let choice = Choice::new(bed);
    let changes = (0..8).map(|nth| {
        let choice = choice.clone();
        async move { choice.set(&nth.to_string(), Some(0)).await }
    });
    let outcomes = futures::future::join_all(changes).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == TransportOutcome::Stored(1)).count(), 1, "{outcomes:?}");
    assert_eq!(choice.read().await.expect("a record").version, 1);
}

async fn namespaces_choose_for_themselves(bed: &Bed) {
    let texts = HOSTILE.into_iter();
    let choices: Vec<Choice> =
        texts.map(|text| Choice { namespace: bed.namespace_like(text), ..Choice::new(bed) }).collect();
    for (nth, choice) in choices.iter().enumerate() {
        assert_eq!(choice.set(&nth.to_string(), Some(0)).await, TransportOutcome::Stored(1));
    }
    for (nth, choice) in choices.iter().enumerate() {
        assert_eq!(choice.read().await.expect("a record").settings.as_str(), nth.to_string());
    }
}

async fn a_change_wakes_those_who_watch_the_choice(bed: &Bed) {
    let choice = Choice::new(bed);
    let mut subscriber = Subscriber::on(bed).await;
    choice.set("1", None).await;
    subscriber.woken(&Topic::Transport(choice.namespace.clone()), "a change").await;
}
