//! Hints inside one process.

use futures::StreamExt;
use futures::stream::BoxStream;
use mainstay_core::api::{InstanceId, Namespace};
use mainstay_core::conversations::Owner;
use mainstay_core::events::{LogName, RoomKey};
use mainstay_core::providers::PoolName;
use mainstay_core::{Hint, HintSource, Topic};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

/// Hints that a slow reader may fall behind before they collapse into one.
const CAPACITY: usize = 256;

/// Wakes the readers of the model.
pub(super) struct Wakeups(broadcast::Sender<Hint>);

impl Default for Wakeups {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Wakeups {
    /// Wakes the readers of some inboxes.
    pub(super) fn mail(&self, namespace: &Namespace, inboxes: Vec<InstanceId>) {
        for inbox in inboxes {
            self.send(Topic::Mail(namespace.clone(), inbox));
        }
    }

    /// Wakes those who watch the presence of a namespace.
    pub(super) fn presence(&self, namespace: &Namespace) {
        self.send(Topic::Presence(namespace.clone()));
    }

    /// Wakes those who watch the conversations of an owner.
    pub(super) fn conversations(&self, owner: &Owner) {
        self.send(Topic::Conversations(owner.namespace.clone(), owner.subject.clone()));
    }

    /// Wakes those who watch the documents of a namespace.
    pub(super) fn documents(&self, namespace: &Namespace) {
        self.send(Topic::Documents(namespace.clone()));
    }

    /// Wakes those who follow a stream.
    pub(super) fn events(&self, log: &LogName) {
        self.send(Topic::Events(log.namespace.clone(), log.stream.clone()));
    }

    /// Wakes those who watch the rooms of a stream.
    pub(super) fn rooms(&self, room: &RoomKey) {
        self.send(Topic::Rooms(room.namespace.clone(), room.stream.clone()));
    }

    /// Wakes both ends of a relayed connection.
    pub(super) fn connection(&self, token: &str) {
        self.send(Topic::Connection(token.to_owned()));
    }

    /// Wakes those who watch a pool of providers.
    pub(super) fn pool(&self, pool: &PoolName) {
        self.send(Topic::Pool(pool.namespace.clone(), pool.pool.clone()));
    }

    /// Wakes those who watch how publishers choose their transport.
    pub(super) fn transport(&self, namespace: &Namespace) {
        self.send(Topic::Transport(namespace.clone()));
    }

    fn send(&self, topic: Topic) {
        // A hint that nobody waits for is no failure.
        drop(self.0.send(Hint::Topic(topic)));
    }
}

impl HintSource for Wakeups {
    fn subscribe(&self) -> BoxStream<'static, Hint> {
        BroadcastStream::new(self.0.subscribe()).map(|hint| hint.unwrap_or(Hint::Everything)).boxed()
    }
}
