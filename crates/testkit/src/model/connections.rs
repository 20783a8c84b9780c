//! The port of connections on the model.

use super::wakeups::Wakeups;
use async_trait::async_trait;
use bytes::Bytes;
use mainstay_core::Result;
use mainstay_core::api::Timestamp;
use mainstay_core::events::{
    Claim, ClaimOutcome, ConnectionRecord, ConnectionStore, Direction, Receive, Relay, RelayOutcome, Relayed,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections in memory, by the digest of their token.
pub(super) struct ModelConnections {
    connections: Mutex<BTreeMap<String, Connection>>,
    wakeups: Arc<Wakeups>,
}

struct Connection {
    record: ConnectionRecord,
    ends: Timestamp,
    queues: BTreeMap<Direction, Queue>,
}

#[derive(Default)]
struct Queue {
    last: u64,
    waiting: BTreeMap<u64, Bytes>,
}

impl ModelConnections {
    pub fn new(wakeups: Arc<Wakeups>) -> Self {
        Self { connections: Mutex::default(), wakeups }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ConnectionStore for ModelConnections {
    async fn open(&self, token: &str, record: ConnectionRecord, ttl: Duration, now: Timestamp) -> Result<()> {
        let mut connections = self.lock();
        if alive(&mut connections, token, now).is_none() {
            let connection = Connection { record, ends: now.after(ttl), queues: BTreeMap::new() };
            connections.insert(token.to_owned(), connection);
        }
        Ok(())
    }

    async fn claim(&self, claim: Claim) -> Result<ClaimOutcome> {
        let mut connections = self.lock();
        let Some(found) = alive(&mut connections, &claim.token, claim.now) else { return Ok(ClaimOutcome::Unknown) };
        let holder = found.record.node.as_ref();
        let free = holder.is_none() || holder == claim.over.as_ref();
        if !free && holder != Some(&claim.node) {
            return Ok(ClaimOutcome::Elsewhere(found.record.clone()));
        }
        found.ends = claim.now.after(claim.ttl);
        if found.record.node.replace(claim.node.clone()) != Some(claim.node) {
            self.wakeups.connection(&claim.token);
        }
        Ok(ClaimOutcome::Held(found.record.clone()))
    }

    async fn find(&self, token: &str, now: Timestamp) -> Result<Option<ConnectionRecord>> {
        Ok(alive(&mut self.lock(), token, now).map(|found| found.record.clone()))
    }

    async fn let_go(&self, token: &str, node: &str, now: Timestamp) -> Result<bool> {
        let mut connections = self.lock();
        let Some(found) = alive(&mut connections, token, now) else { return Ok(false) };
        Ok(found.record.node.take_if(|holder| holder == node).is_some())
    }

    async fn close(&self, token: &str, now: Timestamp) -> Result<bool> {
        let mut connections = self.lock();
        let was_there = alive(&mut connections, token, now).is_some();
        connections.remove(token);
        self.wakeups.connection(token);
        Ok(was_there)
    }

    async fn send(&self, relay: Relay) -> Result<RelayOutcome> {
        let mut connections = self.lock();
        let Some(found) = alive(&mut connections, &relay.token, relay.now) else { return Ok(RelayOutcome::Unknown) };
        let queue = found.queues.entry(relay.direction).or_default();
        let waiting: usize = queue.waiting.values().map(Bytes::len).sum();
        if !queue.waiting.is_empty() && waiting + relay.bytes.len() > relay.max_bytes {
            return Ok(RelayOutcome::Full);
        }
        queue.last += 1;
        queue.waiting.insert(queue.last, relay.bytes);
        self.wakeups.connection(&relay.token);
        Ok(RelayOutcome::Waiting(queue.last))
    }

    async fn receive(&self, receive: Receive) -> Result<Option<Vec<Relayed>>> {
        let mut connections = self.lock();
        let Some(found) = alive(&mut connections, &receive.token, receive.now) else { return Ok(None) };
        let queue = found.queues.entry(receive.direction).or_default();
        queue.waiting.retain(|number, _| *number > receive.after);
        let (mut taken, mut bytes) = (Vec::new(), 0);
        for (number, portion) in &queue.waiting {
            bytes += portion.len();
            if bytes > receive.max_bytes && !taken.is_empty() {
                break;
            }
            taken.push(Relayed { number: *number, bytes: portion.clone() });
        }
        Ok(Some(taken))
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32> {
        let mut connections = self.lock();
        let over = connections.iter().filter(|(_, connection)| connection.ends <= now);
        let over: Vec<String> = over.map(|(token, _)| token.clone()).take(limit as usize).collect();
        for token in &over {
            connections.remove(token);
        }
        Ok(u32::try_from(over.len()).unwrap_or(u32::MAX))
    }
}

fn alive<'a>(
    connections: &'a mut BTreeMap<String, Connection>,
    token: &str,
    now: Timestamp,
) -> Option<&'a mut Connection> {
    connections.get_mut(token).filter(|connection| connection.ends > now)
}
