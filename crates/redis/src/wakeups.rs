//! Wake-ups over publish / subscribe, on a connection of their own.

use crate::connection::Connection;
use crate::keys::{self, Keys};
use crate::topology::within;
use futures::StreamExt;
use futures::stream::BoxStream;
use mainstay_core::api::events::StreamName;
use mainstay_core::api::providers::PoolType;
use mainstay_core::api::{InvalidText, Realm, Subject, SubjectId, TenantId};
use mainstay_core::{Error, Hint, HintSource, Result, Topic};
use redis::aio::SendError;
use redis::{PushInfo, PushKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast};

/// Hints kept for a slow subscriber before they collapse into one.
const BUFFER: usize = 1_024;
/// How often an idle subscription is probed, so that a half-open link is found.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// How long the probe, and the answer to a subscription, may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest pause between attempts to subscribe again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The wake-ups of one Redis. The subscription is made when the first reader asks for it.
pub(crate) struct RedisHints {
    connection: Arc<Connection>,
    keys: Keys,
    sender: broadcast::Sender<Hint>,
    pump: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl RedisHints {
    /// Wake-ups that nobody listens to yet.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys, sender: broadcast::channel(BUFFER).0, pump: Mutex::default() }
    }

    /// Ends the subscription.
    pub fn close(&self) {
        if let Some(pump) = self.pump.lock().unwrap_or_else(PoisonError::into_inner).take() {
            pump.abort();
        }
    }

    fn ensure_pump(&self) {
        let mut pump = self.pump.lock().unwrap_or_else(PoisonError::into_inner);
        if pump.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let (connection, channel) = (Arc::clone(&self.connection), self.keys.channel());
        let sender = self.sender.clone();
        *pump = Some(tokio::spawn(async move {
            let mut pause = Duration::from_millis(20);
            loop {
                match listen(&connection, &channel, &sender).await {
                    Ok(()) => pause = Duration::from_millis(20),
                    Err(error) => {
                        tracing::debug!(%error, "the subscription to wake-ups failed");
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
                tokio::time::sleep(pause).await;
            }
        }));
    }
}

impl HintSource for RedisHints {
    fn subscribe(&self) -> BoxStream<'static, Hint> {
        let receiver = self.sender.subscribe();
        self.ensure_pump();
        futures::stream::unfold(receiver, |mut receiver| async move {
            match receiver.recv().await {
                Ok(hint) => Some((hint, receiver)),
                Err(RecvError::Lagged(_)) => Some((Hint::Everything, receiver)),
                Err(RecvError::Closed) => None,
            }
        })
        .boxed()
    }
}

/// Listens until the connection breaks. Begins with a hint for everything: what came before it was not heard.
async fn listen(
    connection: &Connection,
    channel: &str,
    sender: &broadcast::Sender<Hint>,
) -> std::result::Result<(), redis::RedisError> {
    let ended = Arc::new(Notify::new());
    let (heard, over) = (sender.clone(), Arc::clone(&ended));
    let mut subscriber = connection.topology().subscriber(move |push| hear(push, &heard, &over)).await?;
    within(PROBE_TIMEOUT, subscriber.subscribe(channel)).await?;
    let _nobody_listens = sender.send(Hint::Everything);
    loop {
        match tokio::time::timeout(PROBE_EVERY, ended.notified()).await {
            Ok(()) => return Ok(()),
            Err(_) => within(PROBE_TIMEOUT, subscriber.send_packed_command(&redis::cmd("PING"))).await.map(drop)?,
        }
    }
}

/// Takes what the server sends by itself. Must not wait: the connection waits for it.
fn hear(push: PushInfo, sender: &broadcast::Sender<Hint>, ended: &Notify) -> std::result::Result<(), SendError> {
    match push.kind {
        PushKind::Disconnection => ended.notify_one(),
        PushKind::Message => {
            let payload = push.data.into_iter().nth(1).and_then(|value| redis::from_redis_value::<Vec<u8>>(value).ok());
            let payload = String::from_utf8_lossy(payload.as_deref().unwrap_or_default()).into_owned();
            for hint in hints(&payload).unwrap_or_else(|_| vec![Hint::Everything]) {
                let _nobody_listens = sender.send(hint);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Reads a wake-up: `m <namespace> <instance>…`, `m <namespace> *`, `p <namespace>`, `t <namespace>`, `d <namespace>`,
/// `v <namespace> <pool>`, `c <namespace> <realm> <tenant> <user>`, `e <namespace> <stream>`, `r <namespace> <stream>` or `k <connection>`.
fn hints(payload: &str) -> Result<Vec<Hint>> {
    let mut words = payload.split(' ');
    let (kind, namespace) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if kind == "k" {
        return Ok(vec![Hint::Topic(Topic::Connection(keys::decode(namespace)?))]);
    }
    let namespace = keys::namespace(namespace)?;
    if kind == "r" {
        let stream = StreamName::parse(words.next().unwrap_or_default());
        let stream = stream.map_err(|e| Error::inconsistent(e.to_string()))?;
        return Ok(vec![Hint::Topic(Topic::Rooms(namespace, stream))]);
    }
    if kind == "p" {
        return Ok(vec![Hint::Topic(Topic::Presence(namespace))]);
    }
    if kind == "d" {
        return Ok(vec![Hint::Topic(Topic::Documents(namespace))]);
    }
    if kind == "e" {
        let stream = StreamName::parse(words.next().unwrap_or_default());
        let stream = stream.map_err(|e| Error::inconsistent(e.to_string()))?;
        return Ok(vec![Hint::Topic(Topic::Events(namespace, stream))]);
    }
    if kind == "v" {
        let pool = PoolType::parse(keys::decode(words.next().unwrap_or_default())?);
        let pool = pool.map_err(|e| Error::inconsistent(e.to_string()))?;
        return Ok(vec![Hint::Topic(Topic::Pool(namespace, pool))]);
    }
    if kind == "t" {
        return Ok(vec![Hint::Topic(Topic::Transport(namespace))]);
    }
    if kind == "c" {
        let mut part = || keys::decode(words.next().unwrap_or_default());
        let broken = |e: InvalidText| Error::inconsistent(e.to_string());
        let subject = Subject {
            realm: Realm::parse(part()?).map_err(broken)?,
            tenant: TenantId::parse(part()?).map_err(broken)?,
            user: SubjectId::parse(part()?).map_err(broken)?,
        };
        return Ok(vec![Hint::Topic(Topic::Conversations(namespace, subject))]);
    }
    words
        .map(|word| match word {
            "*" => Ok(Hint::Everything),
            name => Ok(Hint::Topic(Topic::Mail(namespace.clone(), keys::instance(name)?))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_core::api::{InstanceId, Namespace};

    #[test]
    fn a_wake_up_names_the_inboxes() {
        let namespace = Namespace::parse("team a").unwrap();
        let mail = |name: &str| Hint::Topic(Topic::Mail(namespace.clone(), InstanceId::parse(name).unwrap()));
        assert_eq!(hints("m team%20a b c%3Ad").unwrap(), [mail("b"), mail("c:d")]);
        assert_eq!(hints("m team%20a *").unwrap(), [Hint::Everything]);
        assert_eq!(hints("p team%20a").unwrap(), [Hint::Topic(Topic::Presence(namespace.clone()))]);
        let rooms = Topic::Rooms(namespace.clone(), StreamName::parse("chat").unwrap());
        assert_eq!(hints("r team%20a chat").unwrap(), [Hint::Topic(rooms)]);
        assert_eq!(hints("k a%3Ab%20c").unwrap(), [Hint::Topic(Topic::Connection("a:b c".into()))]);
        assert_eq!(hints("t team%20a").unwrap(), [Hint::Topic(Topic::Transport(namespace.clone()))]);
        let pool = Topic::Pool(namespace.clone(), PoolType::parse("openai-custom").unwrap());
        assert_eq!(hints("v team%20a openai-custom").unwrap(), [Hint::Topic(pool)]);
        let conversations = Topic::Conversations(namespace, Subject::local("a:b"));
        assert_eq!(hints("c team%20a local local a%3Ab").unwrap(), [Hint::Topic(conversations)]);
    }
}
