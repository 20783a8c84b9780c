//! What readers may rely on when they wait.

use futures::StreamExt;
use futures::stream::BoxStream;
use mainstay_core::api::{InstanceId, Namespace};
use mainstay_core::{Hint, HintSource, Topic};
use mainstay_hub::{Hub, Wake};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

const SOON: Duration = Duration::from_secs(5);
const BRIEFLY: Duration = Duration::from_millis(20);

/// A source that a test speaks through; a `None` ends the subscriptions.
struct Source {
    hints: broadcast::Sender<Option<Hint>>,
    subscriptions: AtomicUsize,
}

impl Source {
    fn new() -> Arc<Self> {
        Arc::new(Self { hints: broadcast::Sender::new(64), subscriptions: AtomicUsize::new(0) })
    }

    fn say(&self, hint: Hint) {
        self.hints.send(Some(hint)).unwrap();
    }
}

impl HintSource for Source {
    fn subscribe(&self) -> BoxStream<'static, Hint> {
        self.subscriptions.fetch_add(1, Ordering::SeqCst);
        futures::stream::unfold(self.hints.subscribe(), |mut hints| async {
            match hints.recv().await {
                Ok(hint) => Some((hint?, hints)),
                Err(RecvError::Lagged(_)) => Some((Hint::Everything, hints)),
                Err(RecvError::Closed) => None,
            }
        })
        .boxed()
    }
}

fn inbox(name: &str) -> Topic {
    Topic::Mail(Namespace::default(), InstanceId::parse(name).unwrap())
}

#[tokio::test]
async fn nothing_is_subscribed_to_before_somebody_watches() {
    let source = Source::new();
    let hub = Hub::new(source.clone());
    assert_eq!(source.subscriptions.load(Ordering::SeqCst), 0);
    let (_one, _two) = (hub.watch(inbox("a")), hub.watch(inbox("b")));
    assert_eq!(source.subscriptions.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_change_between_the_creation_and_the_wait_is_not_missed() {
    let source = Source::new();
    let hub = Hub::new(source.clone());
    let mut watch = hub.watch(inbox("a"));
    source.say(Hint::Topic(inbox("a")));
    assert_eq!(watch.changed(SOON).await, Wake::Changed);
    assert_eq!(watch.changed(BRIEFLY).await, Wake::TimedOut);
}

#[tokio::test]
async fn a_change_while_nobody_waits_is_kept_and_several_are_one() {
    let source = Source::new();
    let hub = Hub::new(source.clone());
    let mut watch = hub.watch(inbox("a"));
    let mut last = hub.watch(inbox("last"));
    for _ in 0..3 {
        source.say(Hint::Topic(inbox("a")));
    }
    // Hints are carried in order: once this one is through, those before it are too.
    source.say(Hint::Topic(inbox("last")));
    assert_eq!(last.changed(SOON).await, Wake::Changed);
    assert_eq!(watch.changed(SOON).await, Wake::Changed);
    assert_eq!(watch.changed(BRIEFLY).await, Wake::TimedOut);
}

#[tokio::test]
async fn other_topics_sleep_on_and_everything_wakes_all() {
    let source = Source::new();
    let hub = Hub::new(source.clone());
    let (mut a, mut b) = (hub.watch(inbox("a")), hub.watch(inbox("b")));
    source.say(Hint::Topic(inbox("b")));
    assert_eq!(b.changed(SOON).await, Wake::Changed);
    assert_eq!(a.changed(BRIEFLY).await, Wake::TimedOut);
    source.say(Hint::Everything);
    assert_eq!(a.changed(SOON).await, Wake::Changed);
    assert_eq!(b.changed(SOON).await, Wake::Changed);
}

#[tokio::test]
async fn a_subscription_that_ended_is_renewed_and_wakes_all() {
    let source = Source::new();
    let hub = Hub::new(source.clone());
    let mut watch = hub.watch(inbox("a"));
    source.hints.send(None).unwrap();
    assert_eq!(watch.changed(SOON).await, Wake::Changed);
    source.say(Hint::Topic(inbox("a")));
    assert_eq!(watch.changed(SOON).await, Wake::Changed);
}

#[tokio::test]
async fn topics_that_nobody_watches_are_forgotten() {
    let hub = Hub::new(Source::new());
    let (one, two) = (hub.watch(inbox("a")), hub.watch(inbox("a")));
    assert_eq!(hub.watches(), 2);
    drop(one);
    assert_eq!(hub.watches(), 1);
    drop(two);
    assert_eq!(hub.watches(), 0);
}

#[tokio::test]
async fn closing_ends_every_wait_and_twice_does_no_harm() {
    let hub = Hub::new(Source::new());
    let mut watch = hub.watch(inbox("a"));
    let waiting = tokio::spawn(async move { (watch.changed(SOON).await, watch.changed(SOON).await) });
    hub.close().await;
    hub.close().await;
    assert_eq!(waiting.await.unwrap(), (Wake::Closed, Wake::Closed));
    assert_eq!(hub.watch(inbox("b")).changed(SOON).await, Wake::Closed);
}
