//! The table of topics that somebody watches.

use mainstay_core::{Hint, Topic};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Topics with the number of their watches. As large as there are watches, which whoever admits them bounds.
#[derive(Default)]
pub(crate) struct Topics(Mutex<HashMap<Topic, Watched>>);

struct Watched {
    generation: watch::Sender<u64>,
    watches: usize,
}

impl Topics {
    /// Adds a watch.
    pub(crate) fn join(&self, topic: &Topic) -> watch::Receiver<u64> {
        let mut topics = self.lock();
        let watched =
            topics.entry(topic.clone()).or_insert_with(|| Watched { generation: watch::Sender::new(0), watches: 0 });
        watched.watches += 1;
        watched.generation.subscribe()
    }

    /// Takes a watch away, and the topic with its last one.
    pub(crate) fn leave(&self, topic: &Topic) {
        if let Entry::Occupied(mut watched) = self.lock().entry(topic.clone()) {
            watched.get_mut().watches -= 1;
            if watched.get().watches == 0 {
                watched.remove();
            }
        }
    }

    /// Wakes who watches what the hint speaks of.
    pub(crate) fn wake(&self, hint: &Hint) {
        let topics = self.lock();
        match hint {
            Hint::Topic(topic) => topics.get(topic).into_iter().for_each(Watched::wake),
            Hint::Everything => topics.values().for_each(Watched::wake),
        }
    }

    /// How many watches there are.
    pub(crate) fn watches(&self) -> usize {
        self.lock().values().map(|watched| watched.watches).sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Topic, Watched>> {
        // Every critical section leaves the table whole, so a panic elsewhere cannot have broken it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn wake(&self) {
        self.generation.send_modify(|generation| *generation = generation.wrapping_add(1));
    }
}
