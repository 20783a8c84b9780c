//! Sequences find what is broken: a store that breaks one promise is told from the model, on a sequence that a person
//! can read; the model is not told from itself.

use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::mail::{Imported, InboxCounts, MailStats};
use mainstay_core::api::{Epoch, InstanceId, MessageId, Namespace, Timestamp};
use mainstay_core::mail::{
    AckOutcome, Acknowledge, Append, Appended, InboxLimits, ListPage, ListQuery, MailStore, MarkRead, Merge,
    RequestMemo, Row, TailPage, TailQuery,
};
use mainstay_testkit::conformance::Bed;
use mainstay_testkit::model;
use mainstay_testkit::sequences::{self, Plan, Profile};
use std::sync::Arc;

mainstay_testkit::sequences!(reference, async { Bed::new(model::stores(), ()) });

/// A promise to break.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Broken {
    RequestIds,
    FirstAckStands,
    Trim,
    NamespaceBound,
    PurgeOfMembers,
    SettledMerge,
    UnreadTail,
    TiesBetweenPages,
}

/// A store that breaks one promise and keeps the others.
struct Breaking {
    inner: Arc<dyn MailStore>,
    broken: Broken,
}

#[async_trait]
impl MailStore for Breaking {
    async fn append(&self, mut append: Append) -> Result<Appended> {
        let InboxLimits { max_inbox, max_messages, .. } = &mut append.limits;
        match self.broken {
            Broken::RequestIds => append.memo = None,
            Broken::Trim => *max_inbox += 1,
            Broken::NamespaceBound => *max_messages += 1,
            _ => {}
        }
        self.inner.append(append).await
    }

    async fn merge(&self, mut merge: Merge) -> Result<Imported> {
        merge.settled &= self.broken != Broken::SettledMerge;
        self.inner.merge(merge).await
    }

    async fn recall(&self, namespace: &Namespace, memo: &RequestMemo, now: Timestamp) -> Result<Option<Appended>> {
        self.inner.recall(namespace, memo, now).await
    }

    async fn find(
        &self,
        namespace: &Namespace,
        id: &MessageId,
        viewer: Option<&InstanceId>,
        now: Timestamp,
    ) -> Result<Option<(Epoch, Row)>> {
        self.inner.find(namespace, id, viewer, now).await
    }

    async fn list(&self, query: ListQuery) -> Result<ListPage> {
        let oldest_first = query.oldest_first;
        let mut page = self.inner.list(query).await?;
        if self.broken == Broken::TiesBetweenPages {
            // A cursor of the time alone passes over what has the same time.
            page.next = page.next.map(|place| {
                let end = if oldest_first { u64::MAX } else { 0 };
                mainstay_core::mail::Place { offset: mainstay_core::api::Offset(end), ..place }
            });
        }
        Ok(page)
    }

    async fn tail(&self, mut query: TailQuery) -> Result<TailPage> {
        query.unread_only &= self.broken != Broken::UnreadTail;
        self.inner.tail(query).await
    }

    async fn acknowledge(&self, acknowledge: Acknowledge) -> Result<AckOutcome> {
        let outcome = self.inner.acknowledge(acknowledge.clone()).await?;
        Ok(match outcome {
            AckOutcome::Stands { mut row, epoch, already } if self.broken == Broken::FirstAckStands => {
                row.receipt = row.receipt.map(|mut receipt| {
                    receipt.ack = Some(acknowledge.ack);
                    receipt
                });
                AckOutcome::Stands { row, epoch, already }
            }
            other => other,
        })
    }

    async fn mark_read(&self, mark: MarkRead) -> Result<u32> {
        self.inner.mark_read(mark).await
    }

    async fn join(&self, namespace: &Namespace, instance: &InstanceId, now: Timestamp) -> Result<bool> {
        self.inner.join(namespace, instance, now).await
    }

    async fn counts(&self, namespace: &Namespace, instance: &InstanceId) -> Result<InboxCounts> {
        self.inner.counts(namespace, instance).await
    }

    async fn stats(&self, namespace: &Namespace) -> Result<MailStats> {
        self.inner.stats(namespace).await
    }

    async fn purge(&self, now: Timestamp, members_since: Timestamp, limit: u32) -> Result<u32> {
        let forgets = self.broken != Broken::PurgeOfMembers;
        let members_since = if forgets { members_since } else { Timestamp::from_millis(0) };
        self.inner.purge(now, members_since, limit).await
    }
}

/// Enough of them to meet every promise that is broken here; the model is fast.
const PLAN: Plan = Plan { sequences: 512, seed: 0 };

async fn difference(profile: Profile, broken: Broken) -> String {
    let mut stores = model::stores();
    stores.mail = Arc::new(Breaking { inner: stores.mail, broken });
    match sequences::mail(PLAN, profile, Bed::new(stores, ())).await {
        Ok(()) => panic!("nobody noticed that {broken:?} was broken"),
        Err(difference) => difference,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_promise_is_found() {
    for (profile, broken) in [
        (Profile::Expiring, Broken::RequestIds),
        (Profile::Expiring, Broken::FirstAckStands),
        (Profile::SmallInboxes, Broken::Trim),
        (Profile::SmallNamespace, Broken::NamespaceBound),
        (Profile::Expiring, Broken::PurgeOfMembers),
        (Profile::Expiring, Broken::SettledMerge),
        (Profile::SmallInboxes, Broken::UnreadTail),
        (Profile::SmallNamespace, Broken::TiesBetweenPages),
    ] {
        let difference = difference(profile, broken).await;
        assert!(difference.contains("the store:") && difference.contains("the model:"), "{difference}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_is_shrunk_to_what_matters() {
    let shortest = shortest(&difference(Profile::Expiring, Broken::SettledMerge).await);
    let operations = shortest.lines().filter(|line| *line == "    Merge(" || *line == "    Append(").count();
    assert!(operations <= 2 && shortest.lines().count() < 60, "{shortest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_sequences_are_played_in_every_run() {
    let first = shortest(&difference(Profile::Expiring, Broken::FirstAckStands).await);
    assert_eq!(shortest(&difference(Profile::Expiring, Broken::FirstAckStands).await), first);
}

fn shortest(difference: &str) -> String {
    difference.split_once("the shortest sequence").expect("a sequence").1.to_owned()
}
