//! Connections that span requests, on Redis.

use crate::answer::Answer;
use crate::connection::{Connection, Repeat, read};
use crate::keys::{Keys, encode};
use crate::scripts::{self, Script};
use async_trait::async_trait;
use bytes::Bytes;
use mainstay_core::Result;
use mainstay_core::api::Timestamp;
use mainstay_core::events::{
    Claim, ClaimOutcome, ConnectionRecord, ConnectionStore, Direction, Receive, Relay, RelayOutcome, Relayed,
};
use redis::Value;
use std::sync::Arc;
use std::time::Duration;

/// Connections in Redis.
pub(crate) struct RedisConnections {
    connection: Arc<Connection>,
    keys: Keys,
}

impl RedisConnections {
    /// Connections over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }

    async fn run(&self, script: &Script, token: &str, args: &[&[u8]], repeat: Repeat) -> Result<Value> {
        self.connection.script(script, &self.keys.connection(token), args, repeat).await
    }

    async fn flag(&self, script: &Script, token: &str, args: &[&[u8]]) -> Result<bool> {
        Ok(read::<u8>(self.run(script, token, args, Repeat::Safe).await?, script.name)? == 1)
    }
}

#[async_trait]
impl ConnectionStore for RedisConnections {
    async fn open(&self, token: &str, record: ConnectionRecord, ttl: Duration, now: Timestamp) -> Result<()> {
        let node = record.node.unwrap_or_default();
        let (ttl, now) = (ttl.as_millis().to_string(), now.as_millis().to_string());
        let args = [&record.id, &record.principal, &record.details, &node, &ttl, &now].map(|arg| arg.as_bytes());
        self.flag(&scripts::CONNECTIONS_OPEN, token, &args).await.map(drop)
    }

    async fn claim(&self, claim: Claim) -> Result<ClaimOutcome> {
        let over = claim.over.unwrap_or_default();
        let (ttl, now) = (claim.ttl.as_millis().to_string(), claim.now.as_millis().to_string());
        let (channel, wake) = (self.keys.channel(), wake(&claim.token));
        let args = [&claim.node, &over, &ttl, &now, &channel, &wake].map(|arg| arg.as_bytes());
        let script = &scripts::CONNECTIONS_CLAIM;
        let mut answer = Answer::of(self.run(script, &claim.token, &args, Repeat::Safe).await?, script.name)?;
        let word: String = answer.next()?;
        match word.as_str() {
            "held" => Ok(ClaimOutcome::Held(record(&mut answer)?)),
            "elsewhere" => Ok(ClaimOutcome::Elsewhere(record(&mut answer)?)),
            "unknown" => Ok(ClaimOutcome::Unknown),
            other => Err(answer.unknown(other)),
        }
    }

    async fn find(&self, token: &str, now: Timestamp) -> Result<Option<ConnectionRecord>> {
        let script = &scripts::CONNECTIONS_FIND;
        let now = now.as_millis().to_string();
        let mut answer = Answer::of(self.run(script, token, &[now.as_bytes()], Repeat::Safe).await?, script.name)?;
        if answer.is_empty() { Ok(None) } else { record(&mut answer).map(Some) }
    }

    async fn let_go(&self, token: &str, node: &str, now: Timestamp) -> Result<bool> {
        let now = now.as_millis().to_string();
        self.flag(&scripts::CONNECTIONS_LET_GO, token, &[node.as_bytes(), now.as_bytes()]).await
    }

    async fn close(&self, token: &str, now: Timestamp) -> Result<bool> {
        let (now, channel, wake) = (now.as_millis().to_string(), self.keys.channel(), wake(token));
        let args = [&now, &channel, &wake].map(|arg| arg.as_bytes());
        self.flag(&scripts::CONNECTIONS_CLOSE, token, &args).await
    }

    async fn send(&self, relay: Relay) -> Result<RelayOutcome> {
        let (most, now) = (relay.max_bytes.to_string(), relay.now.as_millis().to_string());
        let (channel, wake) = (self.keys.channel(), wake(&relay.token));
        let args: [&[u8]; 6] =
            [way(relay.direction), &relay.bytes, most.as_bytes(), now.as_bytes(), channel.as_bytes(), wake.as_bytes()];
        let script = &scripts::CONNECTIONS_SEND;
        // A second run would put the bytes on their way twice.
        let number = self.run(script, &relay.token, &args, Repeat::Never).await?;
        Ok(match read::<i64>(number, script.name)? {
            0 => RelayOutcome::Full,
            number => u64::try_from(number).map_or(RelayOutcome::Unknown, RelayOutcome::Waiting),
        })
    }

    async fn receive(&self, receive: Receive) -> Result<Option<Vec<Relayed>>> {
        let (after, most) = (receive.after.to_string(), receive.max_bytes.to_string());
        let now = receive.now.as_millis().to_string();
        let args = [way(receive.direction), after.as_bytes(), most.as_bytes(), now.as_bytes()];
        let script = &scripts::CONNECTIONS_RECEIVE;
        let mut answer = Answer::of(self.run(script, &receive.token, &args, Repeat::Safe).await?, script.name)?;
        if answer.is_empty() {
            return Ok(None);
        }
        let mut relayed = Vec::new();
        for number in answer.next::<u64>()?.. {
            if answer.is_empty() {
                break;
            }
            relayed.push(Relayed { number, bytes: Bytes::from(answer.next::<Vec<u8>>()?) });
        }
        Ok(Some(relayed))
    }

    /// Redis ends connections by itself.
    async fn purge(&self, _now: Timestamp, _limit: u32) -> Result<u32> {
        Ok(0)
    }
}

fn record(answer: &mut Answer) -> Result<ConnectionRecord> {
    Ok(ConnectionRecord {
        id: answer.next()?,
        principal: answer.next()?,
        details: answer.next()?,
        node: Some(answer.next::<String>()?).filter(|node| !node.is_empty()),
    })
}

fn way(direction: Direction) -> &'static [u8] {
    match direction {
        Direction::In => b"in",
        Direction::Out => b"out",
    }
}

fn wake(token: &str) -> String {
    format!("k {}", encode(token))
}
