//! Users at two nodes on one Redis: what `mainstay bench events` measures there, and a publisher of the founding system,
//! which has the choice between its HTTP bridge and a stream.

use crate::child::{Process, Says};
use crate::figure::{Figure, Target, note};
use crate::node::{BRIDGE_KEY, Node, OWNER_KEY, binary};
use crate::{rounds, stage};
use anyhow::{Context, Result};
use mainstay_api::events::{LiveOp, LiveRequest, RoomId, StreamName};
use mainstay_client::LiveSocket;
use mainstay_testkit::fixtures::RedisServer;
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Rounds of what takes turns.
const ROUNDS: usize = 3;
/// Seconds of each.
const SECONDS: &str = "8";
/// Users of the comparison with the bridge, and their rooms.
const USERS: usize = 100;
const ROOMS: usize = 10;
/// Events of each round of it.
const EVENTS: usize = 200;
/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// The packages of the publisher, pinned so that a new release does not change what is measured.
const PACKAGES: [&str; 2] = ["httpx==0.28.1", "redis==5.2.1"];

/// Measures.
pub async fn measure() -> Result<Vec<Figure>> {
    let redis = RedisServer::start().await?;
    let nodes = [Node::start(&redis.url(), None).await?, Node::start(&redis.url(), None).await?];
    let mut figures = crowds(&nodes).await?;
    match tokio::task::spawn_blocking(python).await? {
        Ok(python) => figures.extend(bridge(&nodes, &redis, python).await?),
        Err(error) => note(&format!("the publisher of the founding system is left out: {error:#}")),
    }
    for node in nodes {
        node.process.stop().await?;
    }
    Ok(figures)
}

/// Crowds of users, as the command measures them.
async fn crowds(nodes: &[Node; 2]) -> Result<Vec<Figure>> {
    let hundred = crowd(nodes, &["--users", "100", "--rate", "100"]).await?;
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        few.push(number(&crowd(nodes, &["--users", "50", "--rate", "100"]).await?, "/delivery_ms/p50")?);
        many.push(number(&crowd(nodes, &["--users", "200", "--rate", "100"]).await?, "/delivery_ms/p50")?);
    }
    let typing = crowd(nodes, &["--users", "100", "--rate", "100", "--typing"]).await?;
    let lost = number(&hundred, "/events/lost")? + number(&hundred, "/events/doubled")?;
    Ok(vec![
        Figure::plain("100 users at two nodes: p50", number(&hundred, "/delivery_ms/p50")?, "ms")
            .target(Target::AtMost(5.0)),
        Figure::plain("100 users at two nodes: p99", number(&hundred, "/delivery_ms/p99")?, "ms")
            .target(Target::AtMost(25.0)),
        Figure::plain("lost or doubled of all deliveries", lost, "").target(Target::AtMost(0.0)),
        Figure::plain("50 users: p50", rounds::median(&few), "ms"),
        Figure::plain("200 users: p50", rounds::median(&many), "ms"),
        Figure::plain("200 users to 50", rounds::ratio(&many, &few), "x").target(Target::AtMost(1.2)),
        Figure::plain("events about typing that are spared", number(&typing, "/typing/spared")?, "of 1")
            .target(Target::AtLeast(0.3)),
    ])
}

async fn crowd(nodes: &[Node; 2], words: &[&str]) -> Result<Value> {
    let mut command = Command::new(binary()?);
    command.args(["bench", "events", "--json", "--duration", SECONDS]).args(words);
    command.args(nodes.iter().flat_map(|node| ["--url".to_owned(), node.url()]));
    command.env("MAINSTAY_OWNER_KEY", OWNER_KEY);
    Ok(serde_json::from_str(&tokio::task::spawn_blocking(move || stage::run(&mut command)).await??)?)
}

fn number(report: &Value, pointer: &str) -> Result<f64> {
    report.pointer(pointer).and_then(Value::as_f64).with_context(|| format!("the report has no {pointer}"))
}

/// From a Python publisher to users at both nodes, over the bridge and by way of the stream, in turns.
async fn bridge(nodes: &[Node; 2], redis: &RedisServer, python: PathBuf) -> Result<Vec<Figure>> {
    let (sender, mut times) = mpsc::unbounded_channel();
    for user in 0..USERS {
        let socket = enter(&nodes[user / ROOMS % 2], user % ROOMS).await?;
        tokio::spawn(listen(socket, sender.clone()));
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers/event_publisher.py");
    let mut publisher = Process::start(None, python, |command| {
        command.arg(script).args([&nodes[0].url(), BRIDGE_KEY, &redis.url(), &ROOMS.to_string()]);
        Says::Stdout
    })?;
    publisher.line().await?;
    let (mut bridged, mut streamed) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (way, medians) in [("bridge", &mut bridged), ("stream", &mut streamed)] {
            publisher.ask(&format!("{way} {EVENTS}")).await?;
            let mut taken = Vec::with_capacity(EVENTS * USERS / ROOMS);
            while taken.len() < EVENTS * USERS / ROOMS {
                taken.push(timeout(PATIENCE, times.recv()).await?.context("every user is gone")?);
            }
            // The first round warms both up.
            if round > 0 {
                medians.push(rounds::median(&taken));
            }
        }
    }
    publisher.stop().await?;
    Ok(vec![
        Figure::plain("Python publisher over the HTTP bridge: p50", rounds::median(&bridged), "ms"),
        Figure::plain("Python publisher to the stream: p50", rounds::median(&streamed), "ms"),
        Figure::plain("stream to bridge", rounds::ratio(&streamed, &bridged), "x").target(Target::AtMost(0.6)),
    ])
}

/// Subscribes to a room.
async fn enter(node: &Node, room: usize) -> Result<LiveSocket> {
    let mut socket = node.client()?.events().open_socket().await?;
    let room = RoomId::parse(format!("request:{room}"))?;
    let subscribe = LiveRequest::about(LiveOp::Subscribe, StreamName::parse("chat")?, room);
    socket.say(&subscribe).await.map_err(|end| anyhow::anyhow!("{end:?}"))?;
    loop {
        let said = socket.next().await.map_err(|end| anyhow::anyhow!("{end:?}"))?;
        if serde_json::from_slice::<Said>(&said)?.op == "subscribed" {
            return Ok(socket);
        }
    }
}

#[derive(Deserialize)]
struct Said {
    op: String,
    #[serde(default)]
    payload: Option<Stamped>,
}

#[derive(Deserialize)]
struct Stamped {
    #[serde(default)]
    at_ns: Option<u64>,
}

/// Tells how long each event took, in milliseconds.
async fn listen(mut socket: LiveSocket, times: mpsc::UnboundedSender<f64>) -> Result<()> {
    while let Ok(said) = socket.next().await {
        let now = clock_gettime(ClockId::Monotonic);
        let now_ns = u64::try_from(now.tv_sec)? * 1_000_000_000 + u64::try_from(now.tv_nsec)?;
        let stamped = serde_json::from_slice::<Said>(&said)?.payload.and_then(|payload| payload.at_ns);
        if let Some(at_ns) = stamped {
            times.send(rounds::millis(Duration::from_nanos(now_ns.saturating_sub(at_ns))))?;
        }
    }
    Ok(())
}

/// A Python with what the publisher needs, in an environment below `target`, so that a clean removes it.
fn python() -> Result<PathBuf> {
    let folder = stage::target().join("bench/publisher");
    let (python, complete) = (folder.join("bin/python"), folder.join("complete"));
    let packages = PACKAGES.join(" ");
    if std::fs::read_to_string(&complete).is_ok_and(|installed| installed == packages) {
        return Ok(python);
    }
    stage::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    stage::run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
    std::fs::write(complete, packages)?;
    Ok(python)
}
