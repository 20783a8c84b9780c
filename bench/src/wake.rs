//! From a send to a waiting agent in another process: both read one clock, which all processes of a machine share.

use crate::figure::{Figure, Target};
use crate::{rounds, stage};
use anyhow::{Context, Result, bail};
use http::Request;
use mainstay_api::mail::{MAX_WAIT_MS, ReadInbox, Start};
use mainstay_client::{Client, ClientOptions, Credential};
use mainstay_core::Caller;
use mainstay_core::mail::MailService;
use mainstay_server::{InProcess, OwnerKey, ServerConfig};
use mainstay_testkit::fixtures::RedisServer;
use rustix::time::{ClockId, clock_gettime};
use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;

const ROUNDS: usize = 10;
/// Messages of a round.
const MESSAGES: usize = 40;
/// Before each message: the agent is asleep again by then.
const PAUSE: Duration = Duration::from_millis(10);
/// An agent that has not been woken by then never will be.
const PATIENCE: Duration = Duration::from_secs(30);
const NAMESPACE: &str = "bench";
const WAITER: &str = "waiter";
/// The credential of a router that nobody else can call.
const KEY: &str = "bench-key";

/// Measures.
pub async fn measure() -> Result<Vec<Figure>> {
    let folder = stage::folder()?;
    let server = RedisServer::start().await?;
    let sqlite = format!("sqlite:{}", folder.path().join("mainstay.db").display());
    let mut pairs = [Pair::start("sqlite", &sqlite).await?, Pair::start("redis", &server.url()).await?];
    for round in 0..=ROUNDS {
        for pair in &mut pairs {
            let took = pair.round().await?;
            if round > 0 {
                pair.took.extend(took);
            }
        }
    }
    let mut figures = Vec::new();
    for mut pair in pairs {
        let figure = |name, share, most| {
            let name = format!("{}: send to awake in another process, {name}", pair.store);
            Figure::plain(name, rounds::quantile(&pair.took, share), "ms").target(Target::AtMost(most))
        };
        figures.extend([figure("p50", 0.5, 3.0), figure("p99", 0.99, 20.0)]);
        pair.child.kill().await?;
    }
    Ok(figures)
}

/// A sender in this process, and a waiting agent in another.
struct Pair {
    store: &'static str,
    mail: Arc<MailService>,
    caller: Caller,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    took: Vec<f64>,
}

impl Pair {
    async fn start(store: &'static str, url: &str) -> Result<Self> {
        let stores = stage::open(url).await?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--wait", url])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().context("the agent has no stdout")?).lines();
        let caller = stage::caller(NAMESPACE, "sender")?;
        let mut pair = Self { store, mail: stage::mail(&stores), caller, child, lines, took: Vec::new() };
        pair.line().await?;
        Ok(pair)
    }

    /// Times from the call of the send until the agent has the message, in milliseconds.
    async fn round(&mut self) -> Result<Vec<f64>> {
        let mut took = Vec::with_capacity(MESSAGES);
        for _ in 0..MESSAGES {
            tokio::time::sleep(PAUSE).await;
            let (message, request) = (stage::message(WAITER)?, stage::request_id()?);
            let began = now_us();
            self.mail.send(&self.caller, Some(request), message).await?;
            let awake: u64 = self.line().await?.parse()?;
            #[expect(clippy::cast_precision_loss, reason = "a short span")]
            took.push(awake.saturating_sub(began) as f64 / 1_000.0);
        }
        Ok(took)
    }

    async fn line(&mut self) -> Result<String> {
        match tokio::time::timeout(PATIENCE, self.lines.next_line()).await {
            Ok(line) => line?.context("the agent has ended"),
            Err(_) => bail!("the agent was not woken within {PATIENCE:?}"),
        }
    }
}

/// The waiting agent: as `mainstay mail wait`, a client of a router in this process. Says that it is there, and
/// then at which time each message came.
pub async fn wait(url: &str) -> Result<()> {
    let stores = stage::open(url).await?;
    let config = ServerConfig::new(OwnerKey::new(KEY));
    let router = mainstay_server::router(stage::services(&stores), &config, CancellationToken::new());
    let service = ServiceBuilder::new()
        .map_request(|mut request: Request<mainstay_client::Body>| {
            request.extensions_mut().insert(InProcess);
            request
        })
        .service(router);
    let options = ClientOptions {
        credential: Some(Credential::new(KEY)),
        instance: Some(stage::instance(WAITER)?),
        namespace: Some(stage::namespace(NAMESPACE)?),
        ..ClientOptions::default()
    };
    let client = Client::in_process(service, options);
    let mut read = ReadInbox { wait_ms: Some(MAX_WAIT_MS), ..ReadInbox::default() };
    say("ready")?;
    loop {
        let inbox = client.mail().inbox(&read).await?;
        let now = now_us();
        for _ in &inbox.messages {
            say(&now.to_string())?;
        }
        read.after = Start::After(inbox.position);
    }
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn now_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000).unwrap_or_default()
}
