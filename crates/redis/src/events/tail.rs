//! Waiting for the end of streams, on connections that nobody else uses.

use crate::connection::Connection;
use crate::failure;
use mainstay_core::{Error, Result};
use redis::Value;
use redis::aio::MultiplexedConnection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest that one command blocks: a link that has died is found after that.
const LONGEST_BLOCK: Duration = Duration::from_secs(10);
/// Connections that are kept while nobody waits.
const KEPT: usize = 4;

/// Connections for commands that block.
pub(super) struct Tails {
    connection: Arc<Connection>,
    idle: Mutex<Vec<MultiplexedConnection>>,
}

impl Tails {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self { connection, idle: Mutex::default() }
    }

    /// Waits until one of these streams has an entry behind its place, and names the streams that have one.
    pub(super) async fn wait(&self, after: &HashMap<String, String>, at_most: Duration) -> Result<Vec<String>> {
        let what = "wait for events";
        let to_error = |error: &_| failure::to_error(error, what, self.connection.location());
        let block = at_most.min(LONGEST_BLOCK).as_millis().max(1);
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(1).arg("BLOCK").arg(u64::try_from(block).unwrap_or(u64::MAX)).arg("STREAMS");
        let in_order: Vec<_> = after.iter().collect();
        for (key, _) in &in_order {
            command.arg(key.as_str());
        }
        for (_, place) in &in_order {
            command.arg(place.as_str());
        }
        loop {
            // Taken out of the pool: a wait that is given up half-way takes its connection along.
            let (mut wire, kept) = match self.take() {
                Some(wire) => (wire, true),
                None => {
                    let made = self.connection.topology().blocking(LONGEST_BLOCK).await;
                    (made.map_err(|error| to_error(&error))?, false)
                }
            };
            match command.query_async(&mut wire).await {
                Ok(answer) => {
                    self.put(wire);
                    return named(answer);
                }
                // One that was kept may have died meanwhile, which says nothing about the server.
                Err(error) if kept => tracing::debug!(%error, "a connection that was kept for waiting has broken"),
                Err(error) => return Err(to_error(&error)),
            }
        }
    }

    fn take(&self) -> Option<MultiplexedConnection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, wire: MultiplexedConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(wire);
        }
    }

    /// Gives the connections up.
    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The streams that an answer names.
fn named(answer: Value) -> Result<Vec<String>> {
    if answer == Value::Nil {
        return Ok(Vec::new());
    }
    let streams: Vec<(String, Value)> = redis::from_redis_value(answer)
        .map_err(|error| Error::inconsistent(format!("XREAD answered something else: {error}")))?;
    Ok(streams.into_iter().map(|(key, _)| key).collect())
}
