//! What waits for a client: frames that are written already, bounded in bytes.

use bytes::Bytes;
use mainstay_signalr::close::Ending;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Where frames for a client are put. Clones put them into the same queue.
#[derive(Clone)]
pub(crate) struct Outlet {
    shared: Arc<Shared>,
}

/// Where a transport takes them from.
pub(crate) struct Drain {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    limit_bytes: usize,
    filled: Notify,
    drained: Notify,
    ended: Notify,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    ending: Option<Ending>,
}

/// A queue of at most so many bytes.
pub(crate) fn outbox(limit_bytes: usize) -> (Outlet, Drain) {
    let (queue, notify) = (Mutex::default(), Notify::new);
    let shared = Arc::new(Shared { queue, limit_bytes, filled: notify(), drained: notify(), ended: notify() });
    (Outlet { shared: Arc::clone(&shared) }, Drain { shared })
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that holds the lock can panic half-way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet {
    /// Adds a frame. Where that is more than may wait, the client is too slow: what waits is dropped, and the
    /// connection ends.
    pub(crate) fn push(&self, frame: Bytes) {
        let mut queue = self.shared.queue();
        if queue.ending.is_some() {
            return;
        }
        if queue.bytes + frame.len() > self.shared.limit_bytes && !queue.frames.is_empty() {
            *queue = Queue { ending: Some(Ending::Slow), ..Queue::default() };
            self.shared.ended.notify_waiters();
        } else {
            queue.bytes += frame.len();
            queue.frames.push_back(frame);
        }
        let wake = queue.frames.len() <= 1;
        drop(queue);
        // Who drains takes all that is there: one wake-up for each time that it was empty.
        if wake {
            self.shared.filled.notify_one();
        }
    }

    /// Ends the connection when what waits has been taken. The first reason stands.
    pub(crate) fn end(&self, ending: Ending) {
        self.shared.queue().ending.get_or_insert(ending);
        self.shared.filled.notify_one();
        self.shared.ended.notify_waiters();
    }

    /// Returns when the connection is to end.
    pub(crate) async fn ended(&self) {
        loop {
            let notified = self.shared.ended.notified();
            if self.shared.queue().ending.is_some() {
                return;
            }
            notified.await;
        }
    }

    /// Returns when at most half of what may wait does: for what can be held back.
    pub(crate) async fn roomy(&self) {
        loop {
            let notified = self.shared.drained.notified();
            if self.shared.queue().bytes <= self.shared.limit_bytes / 2 {
                return;
            }
            notified.await;
        }
    }
}

impl Drain {
    /// Waits until something is there and takes about so many bytes of it; or says why the connection ends, once
    /// nothing waits any more. Given up half-way, it has taken nothing.
    pub(crate) async fn batch(&mut self, max_bytes: usize) -> Result<Vec<Bytes>, Ending> {
        loop {
            let notified = self.shared.filled.notified();
            {
                let mut queue = self.shared.queue();
                if !queue.frames.is_empty() {
                    return Ok(self.take(&mut queue, max_bytes));
                }
                if let Some(ending) = &queue.ending {
                    return Err(ending.clone());
                }
            }
            notified.await;
        }
    }

    fn take(&self, queue: &mut Queue, max_bytes: usize) -> Vec<Bytes> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < max_bytes {
            let Some(frame) = queue.frames.pop_front() else { break };
            bytes += frame.len();
            taken.push(frame);
        }
        queue.bytes -= bytes;
        if queue.frames.is_empty() {
            queue.frames = VecDeque::new();
        }
        self.shared.drained.notify_waiters();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[tokio::test]
    async fn what_waits_is_taken_in_order_before_the_end() {
        let (outlet, mut drain) = outbox(100);
        ["a", "b", "c"].into_iter().for_each(|text| outlet.push(frame(text)));
        outlet.end(Ending::Done);
        outlet.end(Ending::Failed);
        outlet.push(frame("late"));
        assert_eq!(drain.batch(2).await, Ok(vec![frame("a"), frame("b")]));
        assert_eq!(drain.batch(2).await, Ok(vec![frame("c")]));
        assert_eq!(drain.batch(2).await, Err(Ending::Done));
    }

    #[tokio::test]
    async fn a_client_that_reads_too_slowly_is_closed_and_holds_nothing() {
        let (outlet, mut drain) = outbox(4);
        outlet.push(frame("one frame may be longer"));
        assert_eq!(drain.batch(100).await.unwrap().len(), 1);
        outlet.push(frame("123"));
        outlet.push(frame("45"));
        outlet.ended().await;
        assert_eq!(drain.batch(100).await, Err(Ending::Slow));
    }
}
