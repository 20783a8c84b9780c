//! A gateway between clients and a provider that answers at once: nothing, Mainstay on both stores, and peers, in
//! turns, each server alone on one core, with Redis, the provider and the clients on another. What counts is what a
//! request costs over one without a gateway, and the processor time of the server for each.

mod load;
mod peers;
mod subjects;
mod upstream;

use crate::cores;
use crate::figure::{Figure, Target, note};
use crate::{rounds, stage};
use anyhow::{Context, Result, ensure};
use load::Crowd;
use mainstay_testkit::fixtures::RedisServer;
use peers::Peer;
use std::time::Duration;
use subjects::{Kind, Subject, Upstream};
use tokio::time::Instant;

pub use upstream::serve as serve_provider;

/// Clients, each with a connection of its own.
const CLIENTS: usize = 50;
/// The longest pause before a request, where clients do not ask as fast as they can: 50 of them ask 500 times a second.
const PAUSE: Duration = Duration::from_millis(200);
const ROUNDS: usize = 3;
/// How long each round asks for, with pauses and without.
const PACED: Duration = Duration::from_secs(4);
const RUSHED: Duration = Duration::from_secs(2);
/// Streams that are open at one time, and the time that memory has to settle while they are.
const STREAMS: usize = 1_000;
const REST: Duration = Duration::from_secs(4);
const MIB: f64 = 1_048_576.0;
const KINDS: [(Kind, &str); 2] = [(Kind::Whole, "whole"), (Kind::Stream, "streamed")];

/// What was seen of one subject with one kind of request, round by round.
#[derive(Default)]
struct Seen {
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
    per_second: Vec<f64>,
    /// Processor time of its server for a request, in milliseconds, where clients ask as fast as they can.
    cpu_ms: Vec<f64>,
}

/// Measures, on a thread that shares no core with the servers.
pub async fn measure() -> Result<Vec<Figure>> {
    cores::apart(measure_all).await
}

async fn measure_all() -> Result<Vec<Figure>> {
    let (redis, folder) = (RedisServer::start().await?, stage::folder()?);
    let sqlite = format!("sqlite:{}", folder.path().join("mainstay.db").display());
    let mut upstream = Upstream::start().await?;
    let mut subjects = vec![
        Subject::direct(&upstream),
        Subject::mainstay("Mainstay on Redis", &redis.url(), &upstream).await?,
        Subject::mainstay("Mainstay on SQLite", &sqlite, &upstream).await?,
    ];
    for peer in [Peer::LiteLlm, Peer::Portkey, Peer::Router] {
        match Subject::peer(peer, &upstream, redis.port()).await {
            Ok(subject) => subjects.push(subject),
            Err(error) => note(&format!("{} is left out: {error:#}", peer.name())),
        }
    }
    let mut seen: Vec<[Seen; 2]> = subjects.iter().map(|_| Default::default()).collect();
    for round in 0..=ROUNDS {
        for (subject, seen) in subjects.iter().zip(&mut seen) {
            for ((kind, _), seen) in KINDS.into_iter().zip(seen) {
                let taken = turn(subject, kind, &mut upstream).await?;
                // The first round warms all up.
                if round > 0 {
                    seen.add(taken);
                }
            }
        }
    }
    let mut figures = Vec::new();
    for (index, (_, word)) in KINDS.into_iter().enumerate() {
        let one_kind: Vec<(&Subject, &Seen)> =
            subjects.iter().zip(&seen).map(|(subject, seen)| (subject, &seen[index])).collect();
        figures.extend(overhead(word, &one_kind));
        figures.extend(rates(word, &one_kind));
    }
    for subject in &subjects {
        if subject.is_ours() {
            figures.push(memory(subject).await?);
        }
    }
    for subject in subjects {
        subject.stop().await?;
    }
    Ok(figures)
}

/// What one turn of one subject showed.
struct Taken {
    paced: Vec<f64>,
    per_second: f64,
    cpu_ms: Option<f64>,
}

/// First as people ask, then as fast as answers come. Fails where a pool of ours counted other than the provider did.
async fn turn(subject: &Subject, kind: Kind, upstream: &mut Upstream) -> Result<Taken> {
    let request = subject.request(kind);
    let (seen, counted) = (upstream.seen().await?, subject.counted().await?);
    let asked = |crowd| {
        let request = &request;
        async move { load::ask(request, crowd).await.context(subject.name) }
    };
    let paced = asked(Crowd { connections: CLIENTS, span: PACED, pause: Some(PAUSE) }).await?;
    let (busy, began) = (subject.cpu_seconds()?, Instant::now());
    let rushed = asked(Crowd { connections: CLIENTS, span: RUSHED, pause: None }).await?;
    let took = began.elapsed();
    let requests = f64::from(u32::try_from(rushed.len())?);
    let cpu_ms = match (busy, subject.cpu_seconds()?) {
        (Some(before), Some(after)) => Some((after - before) / requests * 1_000.0),
        _ => None,
    };
    if let (Some(before), Some(after)) = (counted, subject.counted().await?) {
        let (ours, theirs) = (after - before, upstream.seen().await? - seen);
        ensure!(ours == theirs, "{} counted {ours} of {theirs} requests", subject.name);
    }
    Ok(Taken { paced, per_second: requests / took.as_secs_f64(), cpu_ms })
}

impl Seen {
    fn add(&mut self, taken: Taken) {
        self.p50_ms.push(rounds::median(&taken.paced));
        self.p99_ms.push(rounds::quantile(&taken.paced, 0.99));
        self.per_second.push(taken.per_second);
        self.cpu_ms.extend(taken.cpu_ms);
    }
}

/// What a request takes longer than without a gateway, with pauses.
fn overhead(word: &str, seen: &[(&Subject, &Seen)]) -> Vec<Figure> {
    let Some(((_, direct), others)) = seen.split_first() else { return Vec::new() };
    let name = |what| format!("{word}: direct, {what}");
    let mut figures = vec![
        Figure::plain(name("p50"), rounds::median(&direct.p50_ms), "ms"),
        Figure::plain(name("p99"), rounds::median(&direct.p99_ms), "ms"),
    ];
    for (subject, seen) in others {
        let over =
            |of: &[f64], to: &[f64]| rounds::median(&of.iter().zip(to).map(|(of, to)| of - to).collect::<Vec<_>>());
        let levels =
            [("p50", over(&seen.p50_ms, &direct.p50_ms), 0.5), ("p99", over(&seen.p99_ms, &direct.p99_ms), 3.0)];
        figures.extend(levels.map(|(level, over, most)| {
            let figure = Figure::plain(format!("{word}: {} over direct, {level}", subject.name), over, "ms");
            if subject.is_ours() { figure.target(Target::AtMost(most)) } else { figure }
        }));
    }
    figures
}

/// How many requests each serves, and how many a core would.
fn rates(word: &str, seen: &[(&Subject, &Seen)]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (subject, seen) in seen {
        let name = subject.name;
        let measured = rounds::median(&seen.per_second);
        figures.push(Figure::plain(format!("{word}: {name}, requests a second"), measured, "/s"));
        if !seen.cpu_ms.is_empty() {
            let for_each = rounds::median(&seen.cpu_ms);
            figures.push(Figure::plain(format!("{word}: {name}, processor time of each"), for_each, "ms"));
        }
    }
    let find = |peer: Peer| seen.iter().find(|(subject, _)| subject.name == peer.name());
    let targets = [(Peer::LiteLlm, 20.0), (Peer::Portkey, 5.0), (Peer::Router, 1.0)];
    for (ours, of_ours) in seen.iter().filter(|(subject, _)| subject.is_ours()) {
        for (peer, least) in targets {
            let Some((peer, of_peer)) = find(peer) else { continue };
            let name = format!("{word}: requests a second and core, {} to {}", ours.name, peer.name);
            let ratio = rounds::ratio(&of_peer.cpu_ms, &of_ours.cpu_ms);
            figures.push(Figure::plain(name, ratio, "x").target(Target::AtLeast(least)));
        }
    }
    figures
}

/// The memory of a server while many streams are open.
async fn memory(subject: &Subject) -> Result<Figure> {
    let mut open = load::hold(&subject.request(Kind::Slow), STREAMS).await?;
    tokio::time::sleep(REST).await;
    let held = subject.memory_bytes()? / MIB;
    if let Some(ended) = open.try_join_next() {
        ended??;
    }
    let name = format!("memory at {STREAMS} open streams, {}", subject.name);
    Ok(Figure::plain(name, held, "MiB").target(Target::AtMost(100.0)))
}
