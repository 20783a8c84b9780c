//! One event to many clients: Mainstay, a minimal server and Socket.IO, each alone on one core, with the clients on
//! another. What counts is the processor time of the server for each delivery, and its memory for each connection.

mod driver;
mod minimal;
mod subjects;

use crate::cores;
use crate::figure::{Figure, Target, note};
use crate::rounds;
use anyhow::{Result, ensure};
use driver::Clients;
use mainstay_testkit::fixtures::RedisServer;
use std::time::Duration;
use subjects::Subject;
use tokio::time::Instant;

pub use minimal::serve as serve_minimal;

/// Clients of each server.
const CLIENTS: usize = 1_000;
/// Events of a burst.
const BURST: usize = 500;
/// Bursts of each server; the first one warms it up.
const ROUNDS: usize = 9;
/// Events that come one at a time, and the time between two of them: nothing can be put together then.
const PACED: usize = 150;
const PACE: Duration = Duration::from_millis(20);
/// Bytes of an event's payload. What a server writes around it is its own affair.
const PAYLOAD_BYTES: usize = 200;
/// Clients that come before memory is looked at: the first ones bring what all share.
const FIRST: usize = 100;
/// Idle connections that a server is to hold.
const MANY: usize = 8_000;
/// Time that a server has to come to rest before its memory is looked at.
const REST: Duration = Duration::from_secs(2);

/// What was seen of one server.
struct Seen {
    micros_per_delivery: Vec<f64>,
    /// The same where events come one at a time.
    paced_micros: f64,
    deliveries_per_second: Vec<f64>,
    /// Memory of a connection that has been told of nothing yet.
    idle_kib: f64,
    /// The same after the bursts, when everything has been written.
    used_kib: f64,
    /// Of an event, as the server writes it.
    frame_bytes: usize,
}

/// Measures, on a thread that shares no core with the servers.
pub async fn measure() -> Result<Vec<Figure>> {
    cores::apart(measure_all).await
}

async fn measure_all() -> Result<Vec<Figure>> {
    let redis = RedisServer::start().await?;
    let mut figures = Vec::new();
    let ours = play(Subject::mainstay(&redis.url()).await?).await?;
    // Its frames are as long as ours, envelope and all.
    let minimal = play(Subject::minimal(ours.frame_bytes).await?).await?;
    figures.extend(shown("Mainstay", &ours));
    figures.extend(shown("minimal server", &minimal));
    let ratio = rounds::ratio(&ours.micros_per_delivery, &minimal.micros_per_delivery);
    figures.push(
        Figure::plain("Mainstay to the minimal server, time of a delivery", ratio, "x").target(Target::AtMost(1.3)),
    );
    let ratio = ours.paced_micros / minimal.paced_micros;
    figures.push(Figure::plain("the same one event at a time", ratio, "x").target(Target::AtMost(1.3)));
    match Subject::socket_io(&redis.url()).await {
        Ok(subject) => {
            let theirs = play(subject).await?;
            figures.extend(shown("Socket.IO", &theirs));
            let ratio = rounds::ratio(&theirs.micros_per_delivery, &ours.micros_per_delivery);
            let faster = Figure::plain("deliveries a second and core, Mainstay to Socket.IO", ratio, "x");
            figures.push(faster.target(Target::AtLeast(2.5)));
            let ratio = theirs.paced_micros / ours.paced_micros;
            // Each delivery is a write of its own then, which costs every server the same.
            figures.push(Figure::plain("the same one event at a time", ratio, "x"));
            let shares =
                [("idle", ours.idle_kib / theirs.idle_kib), ("after the bursts", ours.used_kib / theirs.used_kib)];
            figures.extend(shares.map(|(when, share)| {
                let name = format!("memory of a connection {when}, Mainstay to Socket.IO");
                Figure::plain(name, share, "x").target(Target::AtMost(0.2))
            }));
        }
        Err(error) => note(&format!("Socket.IO is left out: {error:#}")),
    }
    figures.extend(hold(Subject::mainstay(&redis.url()).await?).await?);
    Ok(figures)
}

/// How many idle connections a server holds, and what each takes.
async fn hold(mut subject: Subject) -> Result<[Figure; 2]> {
    let mut clients = Clients::default();
    clients.connect(subject.port, FIRST, &subject.entrance).await?;
    tokio::time::sleep(REST).await;
    let first = subject.server.process().resident_bytes()?;
    clients.connect(subject.port, MANY - FIRST, &subject.entrance).await?;
    tokio::time::sleep(REST).await;
    let held = (subject.server.process().resident_bytes()? - first) / f64::from(u32::try_from(MANY - FIRST)?);
    let many = f64::from(u32::try_from(MANY)?);
    // That they are held is seen by what they are told.
    subject.publish(1).await?;
    let held_all = clients.until(u64::try_from(MANY)?, Instant::now()).await.is_ok();
    let received = f64::from(u32::try_from(clients.received())?);
    subject.stop().await?;
    ensure!(held_all, "{received} of {MANY} connections were told of an event");
    Ok([
        Figure::plain("connections held, and told of an event", received, "").target(Target::AtLeast(many)),
        Figure::plain("memory of each of them, idle", held / 1_024.0, "KiB").target(Target::AtMost(8.0)),
    ])
}

async fn play(mut subject: Subject) -> Result<Seen> {
    let mut clients = Clients::default();
    clients.connect(subject.port, FIRST, &subject.entrance).await?;
    tokio::time::sleep(REST).await;
    let first = subject.server.process().resident_bytes()?;
    clients.connect(subject.port, CLIENTS - FIRST, &subject.entrance).await?;
    tokio::time::sleep(REST).await;
    let per_connection = |resident: f64| (resident - first) / 1_024.0 / f64::from((CLIENTS - FIRST) as u32);
    let mut seen = Seen {
        micros_per_delivery: Vec::new(),
        paced_micros: 0.0,
        deliveries_per_second: Vec::new(),
        idle_kib: per_connection(subject.server.process().resident_bytes()?),
        used_kib: 0.0,
        frame_bytes: 0,
    };
    let before = clients.bytes();
    let deliveries = f64::from(u32::try_from(CLIENTS * BURST)?);
    for round in 0..ROUNDS {
        let due = clients.received() + u64::try_from(CLIENTS * BURST)?;
        let (busy, began) = (subject.server.process().cpu_seconds()?, Instant::now());
        subject.publish(BURST).await?;
        let took = clients.until(due, began).await?;
        if round > 0 {
            let busy = subject.server.process().cpu_seconds()? - busy;
            seen.micros_per_delivery.push(busy / deliveries * 1_000_000.0);
            seen.deliveries_per_second.push(deliveries / took.as_secs_f64());
        }
    }
    seen.paced_micros = paced(&mut subject, &mut clients).await?;
    tokio::time::sleep(REST).await;
    seen.used_kib = per_connection(subject.server.process().resident_bytes()?);
    seen.frame_bytes = usize::try_from((clients.bytes() - before) / clients.received())?;
    subject.stop().await?;
    Ok(seen)
}

/// The processor time of a delivery where events come one at a time, in microseconds.
async fn paced(subject: &mut Subject, clients: &mut Clients) -> Result<f64> {
    let due = clients.received() + u64::try_from(CLIENTS * PACED)?;
    let (busy, began) = (subject.server.process().cpu_seconds()?, Instant::now());
    let mut pace = tokio::time::interval(PACE);
    for _ in 0..PACED {
        pace.tick().await;
        subject.publish(1).await?;
    }
    clients.until(due, began).await?;
    let busy = subject.server.process().cpu_seconds()? - busy;
    Ok(busy / f64::from(u32::try_from(CLIENTS * PACED)?) * 1_000_000.0)
}

fn shown(name: &str, seen: &Seen) -> [Figure; 5] {
    [
        Figure::plain(format!("{name}, processor time of a delivery"), rounds::median(&seen.micros_per_delivery), "us"),
        Figure::plain(format!("{name}, the same one event at a time"), seen.paced_micros, "us"),
        Figure::plain(format!("{name}, deliveries a second"), rounds::median(&seen.deliveries_per_second), "/s"),
        Figure::plain(format!("{name}, memory of a connection, idle"), seen.idle_kib, "KiB"),
        Figure::plain(format!("{name}, memory of a connection after the bursts"), seen.used_kib, "KiB"),
    ]
}
