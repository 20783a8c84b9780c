//! The one connection that every operation uses: multiplexed, reconnecting, and careful about what runs twice.

use crate::activity::Activity;
use crate::credentials::LiveCredentials;
use crate::failure::{self, Verdict};
use crate::options::RedisOptions;
use crate::scripts::Script;
use crate::topology::{Topology, Wire};
use futures::future::BoxFuture;
use mainstay_core::{Error, Result};
use redis::aio::ConnectionLike;
use redis::cluster_routing::SingleNodeRoutingInfo;
use redis::{Cmd, RedisError, Value};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Whether running a command twice is the same as running it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It is: the command may be sent again where it is not known whether it ran.
    Safe,
    /// It is not: it is sent again only where it certainly did not run.
    Never,
}

/// After a failed attempt to connect, calls fail at once for this long instead of each trying again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);
/// First pause before a command is sent again; doubles up to ten times this.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// A connection to Redis in any arrangement.
pub(crate) struct Connection {
    topology: Arc<Topology>,
    credentials: Option<Refresh>,
    location: String,
    retry_budget: Duration,
    /// A server that accepts connections but never answers must not hold a call for longer than this.
    connect_timeout: Duration,
    state: tokio::sync::Mutex<State>,
    wire: std::sync::RwLock<Option<(u64, Wire)>>,
    activity: Activity,
}

/// Credentials that change, and the task that keeps them current.
struct Refresh {
    live: Arc<LiveCredentials>,
    task: tokio::task::AbortHandle,
}

#[derive(Default)]
struct State {
    generation: u64,
    failed: Option<(Instant, RedisError)>,
    closed: bool,
}

impl Connection {
    /// A connection that is made at its first use. Credentials that change are fetched from now on.
    pub fn new(options: RedisOptions) -> Result<Self> {
        let source = options.credentials.clone();
        let live = source.map(|source| Arc::new(LiveCredentials::new(source, options.username.clone())));
        let topology = Arc::new(Topology::new(options.clone(), live.clone())?);
        let credentials = live.map(|live| {
            let task = tokio::spawn(Arc::clone(&live).keep_current(Arc::clone(&topology))).abort_handle();
            Refresh { live, task }
        });
        Ok(Self {
            location: options.location(),
            retry_budget: Duration::from_millis(options.retry_budget_ms),
            connect_timeout: Duration::from_millis(options.connect_timeout_ms.saturating_mul(2)),
            topology,
            credentials,
            state: tokio::sync::Mutex::default(),
            wire: std::sync::RwLock::default(),
            activity: Activity::default(),
        })
    }

    /// Waits until there are credentials to show.
    pub async fn ready(&self) -> Result<()> {
        match &self.credentials {
            Some(refresh) => refresh.live.ready().await,
            None => Ok(()),
        }
    }

    /// The URL without user and password.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// What was asked of the server so far.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// How to connect elsewhere, for subscriptions.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Runs a script on the aggregate that its first key stands for.
    pub async fn script(&self, script: &Script, key: &str, args: &[&[u8]], repeat: Repeat) -> Result<Value> {
        let command = |name: &str, body: &str| {
            let mut command = redis::cmd(name);
            command.arg(body).arg(1).arg(key);
            for arg in args {
                command.arg(*arg);
            }
            command
        };
        let first = command("EVALSHA", script.sha1());
        let whole = || command("EVAL", &script.source());
        self.run(script.name, &first, Some(&whole), repeat).await
    }

    /// Runs a plain command.
    pub async fn command(&self, what: &str, command: &Cmd, repeat: Repeat) -> Result<Value> {
        self.run(what, command, None, repeat).await
    }

    /// One round trip.
    pub async fn ping(&self) -> Result<()> {
        self.command("ping", &redis::cmd("PING"), Repeat::Safe).await.map(drop)
    }

    /// Gives the connection up; later calls fail.
    pub async fn close(&self) {
        self.state.lock().await.closed = true;
        *self.wire.write().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(refresh) = &self.credentials {
            refresh.task.abort();
        }
    }

    async fn run(
        &self,
        what: &str,
        first: &Cmd,
        whole: Option<&(dyn Fn() -> Cmd + Sync)>,
        repeat: Repeat,
    ) -> Result<Value> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut with_source = None;
        let mut ask = None;
        // An attempt that may have run stays one, whatever became of the attempts after it.
        let mut maybe_ran = false;
        let failed = |error: &RedisError, maybe_ran: bool| {
            let error = failure::to_error(error, what, &self.location);
            if maybe_ran { error.maybe_applied() } else { error }
        };
        loop {
            let (generation, mut wire) = match self.wire().await {
                Ok(wire) => wire,
                Err(error) => return Err(failed(&error, maybe_ran)),
            };
            let command = with_source.as_ref().unwrap_or(first);
            self.activity.sent();
            let error = match send(&mut wire, command, ask.take()).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let verdict = failure::judge(&error);
            tracing::debug!(what, %error, ?verdict, "a command to Redis failed");
            // That a script is not known yet is part of its first call.
            if verdict != Verdict::NoScript {
                self.activity.failed(&error.to_string());
            }
            match (verdict, whole) {
                (Verdict::NoScript, Some(whole)) if with_source.is_none() => {
                    with_source = Some(whole());
                    continue;
                }
                (Verdict::Ask, _) => {
                    ask = error.redirect_node().map(|(host, port)| (host.to_owned(), port));
                }
                (Verdict::NotRunReconnect | Verdict::UnknownReconnect | Verdict::Late, _) => self.drop_wire(generation),
                _ => {}
            }
            maybe_ran |= matches!(verdict, Verdict::UnknownReconnect | Verdict::Late);
            let again = match verdict {
                Verdict::NotRun | Verdict::NotRunReconnect | Verdict::Ask => true,
                Verdict::UnknownReconnect => repeat == Repeat::Safe,
                Verdict::NoScript | Verdict::Late | Verdict::Final => false,
            };
            if !again || started.elapsed() + pause > self.retry_budget {
                return Err(failed(&error, maybe_ran));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(FIRST_PAUSE * 10);
        }
    }

    /// The present connection, or a new one. One caller connects, the others wait for it.
    async fn wire(&self) -> std::result::Result<(u64, Wire), RedisError> {
        let present = || self.wire.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(wire) = present() {
            return Ok(wire);
        }
        let mut state = self.state.lock().await;
        if let Some(wire) = present() {
            return Ok(wire);
        }
        if state.closed {
            return Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionRefused)));
        }
        if let Some((at, error)) = &state.failed
            && at.elapsed() < RECONNECT_PAUSE
        {
            return Err(error.clone());
        }
        // Boxed: the layers of the client make a future deeper than the compiler cares to follow.
        let connect: BoxFuture<'_, _> = Box::pin(self.topology.connect());
        let connected = match tokio::time::timeout(self.connect_timeout, connect).await {
            Ok(connected) => connected,
            Err(_) => Err(refused("no answer while connecting")),
        };
        match connected {
            Ok(wire) => {
                if state.failed.take().is_some() || state.generation > 0 {
                    tracing::info!(location = self.location, "connected to Redis again");
                }
                state.generation += 1;
                self.activity.connected();
                let wire = (state.generation, wire);
                *self.wire.write().unwrap_or_else(PoisonError::into_inner) = Some(wire.clone());
                Ok(wire)
            }
            Err(error) => {
                if state.failed.is_none() {
                    tracing::warn!(location = self.location, %error, "Redis cannot be reached");
                }
                self.activity.not_connected(&error.to_string());
                // They may have been replaced since they were fetched.
                if let Some(refresh) = self.credentials.as_ref().filter(|_| failure::is_login(&error)) {
                    refresh.live.ask();
                }
                // Nothing was sent, whatever kind of failure the connecting met.
                let error = if failure::judge(&error) == Verdict::Final { error } else { refused(&error.to_string()) };
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn drop_wire(&self, generation: u64) {
        let mut wire = self.wire.write().unwrap_or_else(PoisonError::into_inner);
        if wire.as_ref().is_some_and(|(present, _)| *present == generation) {
            tracing::info!(location = self.location, "the connection to Redis is given up");
            *wire = None;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(refresh) = &self.credentials {
            refresh.task.abort();
        }
    }
}

/// An error that says that nothing was sent.
fn refused(why: &str) -> RedisError {
    RedisError::from(std::io::Error::new(std::io::ErrorKind::ConnectionRefused, why.to_owned()))
}

/// Sends one command; after an ASK redirection to the node that it named, with the ASKING that the node wants.
async fn send(wire: &mut Wire, command: &Cmd, ask: Option<(String, u16)>) -> std::result::Result<Value, RedisError> {
    match (wire, ask) {
        (Wire::Single(connection), _) => connection.req_packed_command(command).await?.extract_error(),
        (Wire::Cluster(connection), None) => connection.req_packed_command(command).await?.extract_error(),
        (Wire::Cluster(connection), Some((host, port))) => {
            let route = SingleNodeRoutingInfo::ByAddress { host, port };
            let mut pipeline = redis::pipe();
            pipeline.cmd("ASKING").add_command(command.clone());
            let mut values = connection.route_pipeline(pipeline, 0, 2, route).await?;
            values.pop().map_or_else(|| Err(refused("an empty answer")), Value::extract_error)
        }
    }
}

/// Reads an answer, or says that the script and this code disagree.
pub(crate) fn read<T: redis::FromRedisValue>(value: Value, what: &str) -> Result<T> {
    redis::from_redis_value(value).map_err(|e| Error::inconsistent(format!("{what} answered {e}")))
}
