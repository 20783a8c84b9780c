//! Where a case runs: a store, and what keeps it alive.

use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::documents::PurgeDocuments;
use mainstay_core::{Mint, RandomMint, Stores};
use std::any::Any;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tokio::sync::{Mutex, MutexGuard};

/// The time at which most cases live: 2200-01-01. After every [`Window`], so that what deletes in any namespace deletes
/// nothing of theirs, and early enough for an offset of microseconds.
const NOW_MS: i64 = 7_258_118_400_000;
/// The first of the windows: 2035-01-01, late enough that a store which ends lifetimes by its own clock besides does
/// not end one during a test.
const FIRST_WINDOW_MS: i64 = 2_051_222_400_000;
/// The length of a window, a day: there is room for 60,000 of them.
const WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;

/// A store to test, and what it needs to live.
pub struct Bed {
    stores: Stores,
    _fixture: Box<dyn Any + Send + Sync>,
}

impl Bed {
    /// A store, and the servers, folders and other things that end when they are dropped. The store may be in use by
    /// other tests of this process, and by no other process.
    #[must_use]
    pub fn new(stores: Stores, fixture: impl Any + Send + Sync) -> Self {
        Self { stores, _fixture: Box::new(fixture) }
    }

    /// The ports.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// A namespace that nobody has used.
    #[must_use]
    pub fn namespace(&self) -> Namespace {
        self.namespace_like("")
    }

    /// A namespace that nobody has used and that ends with the given text, at most 150 bytes.
    ///
    /// # Panics
    /// Where the text makes no namespace.
    #[must_use]
    pub fn namespace_like(&self, text: &str) -> Namespace {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Namespace::parse(format!("{}-{number}{text}", RandomMint.message_id())).expect("a short text is a namespace")
    }

    /// The time at which a case that deletes nothing lives.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW_MS)
    }

    /// A day in which the caller alone has anything that expires, after everything of earlier days was deleted.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn window(&self) -> Window {
        static TURN: Mutex<()> = Mutex::const_new(());
        static NEXT: AtomicI64 = AtomicI64::new(0);
        let turn = TURN.lock().await;
        let start_ms = FIRST_WINDOW_MS + NEXT.fetch_add(1, Ordering::Relaxed) * WINDOW_MS;
        assert!(start_ms + WINDOW_MS <= NOW_MS, "more days are asked for than there are before 2200");
        let window = Window { start: Timestamp::from_millis(start_ms), _turn: turn };
        while self.stores.conversations.purge(window.start, 1_000).await.expect("purge of conversations") > 0 {}
        while self.stores.documents.purge(documents(window.start)).await.expect("purge of documents") > 0 {}
        while self.stores.mail.purge(window.start, window.start, 1_000).await.expect("purge of mail") > 0 {}
        while self.stores.presence.purge(window.start, 1_000).await.expect("purge of presence") > 0 {}
        while self.stores.rooms.purge(window.start, 1_000).await.expect("purge of rooms") > 0 {}
        while self.stores.connections.purge(window.start, 1_000).await.expect("purge of connections") > 0 {}
        while self.stores.gateway_keys.purge(window.start, 0).await.expect("purge of gateway keys") {}
        window
    }
}

/// Removes the documents of earlier days, and no history.
fn documents(now: Timestamp) -> PurgeDocuments {
    let limits = super::documents::desk::LIMITS;
    PurgeDocuments { now, history_before: Timestamp::from_millis(0), limits, limit: 1_000 }
}

/// A day of one's own; the next one begins when it is dropped.
pub struct Window {
    /// When it begins.
    pub start: Timestamp,
    _turn: MutexGuard<'static, ()>,
}

impl Window {
    /// The last moment at which anything of this day may expire.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        Timestamp::from_millis(self.start.as_millis() + WINDOW_MS)
    }
}
