use super::*;
use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::events::*;
use mainstay_api::{Epoch, Timestamp};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
#[derive(Default)]
pub struct TmpEvents(Mutex<BTreeMap<LogName, Vec<StoredEvent>>>);
fn epoch() -> Epoch {
    Epoch::parse("e1").expect("e")
}
#[async_trait]
impl EventStore for TmpEvents {
    async fn publish(&self, p: Publish) -> Result<PublishOutcome> {
        let mut all = self.0.lock().expect("l");
        let log = all.entry(p.log).or_default();
        let mut events = vec![];
        for event in p.events {
            if let Some(known) = log.iter().find(|k| k.event.id == event.id) {
                events.push(Placed { offset: known.offset, duplicate: true });
                continue;
            }
            let offset = log.last().map_or(EventOffset::ZERO, |l| l.offset).next(p.now);
            log.push(StoredEvent { offset, event });
            events.push(Placed { offset, duplicate: false });
        }
        Ok(PublishOutcome::Published(Published { epoch: epoch(), events, trimmed_unread: 0 }))
    }
    async fn read(&self, r: ReadLog) -> Result<LogPage> {
        let all = self.0.lock().expect("l");
        let after = r.after.map_or(EventOffset::ZERO, |a| a.1);
        let rest: Vec<_> = all.get(&r.log).into_iter().flatten().filter(|e| e.offset > after).cloned().collect();
        let more = rest.len() > r.limit as usize;
        let events: Vec<_> = rest.into_iter().take(r.limit as usize).collect();
        let next = events.last().map_or(after, |e| e.offset);
        Ok(LogPage { epoch: epoch(), events, next, more, gap: None, unreadable: 0 })
    }
    async fn state(&self, log: &LogName) -> Result<LogState> {
        let all = self.0.lock().expect("l");
        let log = all.get(log);
        Ok(LogState {
            epoch: epoch(),
            last: log.and_then(|l| l.last()).map_or(EventOffset::ZERO, |l| l.offset),
            first: log.and_then(|l| l.first()).map(|l| l.offset),
            length: log.map_or(0, |l| l.len() as u64),
        })
    }
    async fn wait(&self, _: &[Tail], at_most: Duration) -> Result<Vec<LogName>> {
        tokio::time::sleep(at_most).await;
        Ok(vec![])
    }
    async fn purge(&self, _: &LogName, _: Option<Timestamp>, _: Timestamp) -> Result<u64> {
        Ok(0)
    }
}
