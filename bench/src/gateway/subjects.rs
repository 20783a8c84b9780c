//! What stands between clients and the provider: nothing, Mainstay on a store, or a peer.

use super::load::Request;
use super::peers::{self, Peer};
use super::upstream::{MODEL, SLOW_MODEL};
use crate::child::{Process, Says};
use crate::cores::{OTHER_CORE, SERVER_CORE};
use crate::node::Node;
use crate::stage;
use anyhow::{Context, Result, anyhow, ensure};
use mainstay_api::RawJson;
use mainstay_api::gateway::{CreateGatewayKey, GatewayLimits};
use mainstay_api::providers::{PoolType, ProviderId};
use mainstay_core::providers::{ChangePool, PoolChange, PoolName, ReplacePool, SeededProvider, Traits};
use mainstay_core::{Clock, Stores, SystemClock};
use serde_json::json;

/// Providers of the pool, all of which are the same one.
const PROVIDERS: usize = 4;
const POOL: &str = "openai-custom";
/// What a user says, so that a request is of about 1 KiB.
const QUESTION: &str = "Which of the open questions about the interface of the payments module were settled? ";
const QUESTIONS: usize = 10;

/// A provider of tests in a process of its own.
pub struct Upstream {
    process: Process,
    /// Where it listens.
    pub port: u16,
}

impl Upstream {
    /// Starts one, this program once more.
    pub async fn start() -> Result<Self> {
        let mut process = Process::start(Some(OTHER_CORE), std::env::current_exe()?, |command| {
            command.arg("--fake-provider");
            Says::Stdout
        })?;
        let port = process.line().await?.parse()?;
        Ok(Self { process, port })
    }

    /// How many requests it has seen.
    pub async fn seen(&mut self) -> Result<u64> {
        Ok(self.process.ask("count").await?.parse()?)
    }
}

/// What is measured.
pub struct Subject {
    /// Its name in figures.
    pub name: &'static str,
    port: u16,
    path: String,
    /// Further lines of the head.
    headers: String,
    way: Way,
}

enum Way {
    Direct,
    Mainstay(Box<(Node, Stores, PoolName)>),
    Peer(Box<Process>),
}

impl Subject {
    /// Nothing in between.
    pub fn direct(upstream: &Upstream) -> Self {
        let (path, headers) = ("/v1/chat/completions".into(), "Authorization: Bearer none\r\n".into());
        Self { name: "direct", port: upstream.port, path, headers, way: Way::Direct }
    }

    /// `mainstay serve` on a store, with a pool and a gateway key that has limits.
    pub async fn mainstay(name: &'static str, store: &str, upstream: &Upstream) -> Result<Self> {
        let stores = stage::open(store).await?;
        let pool = fill(&stores, upstream).await?;
        let node = Node::start(store, Some(SERVER_CORE)).await?;
        // Limits that are far away are counted as exactly as those that are near.
        let limits = GatewayLimits {
            requests_per_minute: Some(10_000_000),
            budget_millionths: Some(1_000_000_000_000),
            ..GatewayLimits::default()
        };
        let key = CreateGatewayKey { name: "bench".into(), limits, ..CreateGatewayKey::default() };
        let key = node.client()?.gateway_keys().create(&key).await?;
        let headers = format!("Authorization: Bearer {}\r\n", key.secret);
        let path = format!("/{POOL}/v1/chat/completions");
        let subject = Self { name, port: node.port, path, headers, way: Way::Mainstay(Box::new((node, stores, pool))) };
        peers::await_answer(&subject.request(Kind::Whole)).await?;
        Ok(subject)
    }

    /// A peer, as its documentation sets it up.
    pub async fn peer(peer: Peer, upstream: &Upstream, redis_port: u16) -> Result<Self> {
        let started = peer.start(upstream.port, redis_port).await?;
        let (path, headers) = ("/v1/chat/completions".into(), started.headers);
        let (port, way) = (started.port, Way::Peer(Box::new(started.process)));
        let subject = Self { name: peer.name(), port, path, headers, way };
        peers::await_answer(&subject.request(Kind::Whole)).await?;
        Ok(subject)
    }

    /// Whether it is one of ours.
    pub const fn is_ours(&self) -> bool {
        matches!(self.way, Way::Mainstay(..))
    }

    /// A request to it.
    pub fn request(&self, kind: Kind) -> Request {
        let Self { port, path, headers, .. } = self;
        let body = json!({
            "model": if kind == Kind::Slow { SLOW_MODEL } else { MODEL },
            "messages": [
                {"role": "system", "content": "You answer in one sentence."},
                {"role": "user", "content": QUESTION.repeat(QUESTIONS)},
            ],
            "max_tokens": 64,
            "stream": kind != Kind::Whole,
        })
        .to_string();
        let length = body.len();
        let bytes = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        );
        Request { port: *port, bytes: bytes.into_bytes().into(), stream: kind != Kind::Whole }
    }

    /// The processor time that its server has taken, in seconds; none where there is none.
    pub fn cpu_seconds(&self) -> Result<Option<f64>> {
        self.process().map(Process::cpu_seconds).transpose()
    }

    /// The memory of its server, program and all, in bytes.
    pub fn memory_bytes(&self) -> Result<f64> {
        self.process().context("nothing is in between")?.memory_bytes()
    }

    fn process(&self) -> Option<&Process> {
        match &self.way {
            Way::Direct => None,
            Way::Mainstay(ours) => Some(&ours.0.process),
            Way::Peer(process) => Some(process),
        }
    }

    /// Requests that the pool counted, where it counts any.
    pub async fn counted(&self) -> Result<Option<u64>> {
        let Way::Mainstay(ours) = &self.way else { return Ok(None) };
        let (_, stores, pool) = &**ours;
        let pool = stores.providers.pool(pool, SystemClock.now()).await?.context("the pool is gone")?;
        Ok(Some(pool.providers.iter().map(|provider| provider.counters.requests).sum()))
    }

    /// Ends it.
    pub async fn stop(self) -> Result<()> {
        match self.way {
            Way::Direct => Ok(()),
            Way::Mainstay(ours) => {
                let (node, stores, _) = *ours;
                stores.probe.close().await;
                node.process.stop().await
            }
            Way::Peer(process) => process.stop().await,
        }
    }
}

/// A kind of request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For a whole answer.
    Whole,
    /// For a stream.
    Stream,
    /// For a stream of a model that is slow.
    Slow,
}

/// Makes the pool.
async fn fill(stores: &Stores, upstream: &Upstream) -> Result<PoolName> {
    let body = json!({"base_url": format!("http://127.0.0.1:{}/v1", upstream.port), "api_key": "none"}).to_string();
    let seed = |number| {
        let id = ProviderId::parse(format!("provider-{number}")).map_err(|invalid| anyhow!("{invalid}"))?;
        let body = RawJson::parse(&body)?;
        Ok(SeededProvider { id, body, traits: Traits::default(), seal_key: None, health: None, counters: None })
    };
    let providers = (0..PROVIDERS).map(seed).collect::<Result<Vec<_>>>()?;
    let pool = PoolType::parse(POOL).map_err(|invalid| anyhow!("{invalid}"))?;
    let pool = PoolName { namespace: stage::namespace("default")?, pool };
    let change = ChangePool {
        pool: pool.clone(),
        change: PoolChange::Replace(ReplacePool { settings: RawJson::parse("{}")?, providers }),
        expected: None,
        max_providers: u32::try_from(PROVIDERS)?,
        now: SystemClock.now(),
    };
    let outcome = stores.providers.change(change).await?;
    ensure!(matches!(outcome, mainstay_core::providers::PoolOutcome::Changed(_)), "no pool was made: {outcome:?}");
    Ok(pool)
}
