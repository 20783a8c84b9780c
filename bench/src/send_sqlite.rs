//! Sending on SQLite: many at once, which share commits, and one alone beside a bare insert that is synced as well.

use crate::figure::{Figure, Target};
use crate::{rounds, stage};
use anyhow::Result;
use mainstay_core::Caller;
use mainstay_core::mail::MailService;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: usize = 7;
const IN_FLIGHT: usize = 128;
/// Messages of a round with many in flight: about a second.
const TOGETHER: usize = 12_000;
/// Messages of a round with one in flight.
const ALONE: usize = 300;
/// Inboxes that the messages go to in turn.
const INBOXES: usize = 16;

/// Measures.
pub async fn measure() -> Result<Vec<Figure>> {
    let folder = stage::folder()?;
    let stores = stage::open(&format!("sqlite:{}", folder.path().join("mainstay.db").display())).await?;
    let mail = stage::mail(&stores);
    let caller = Arc::new(stage::caller("bench", "sender")?);
    let mut bare = Some(Bare::open(&folder.path().join("bare.db"))?);
    let (mut ours, mut theirs, mut together) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let sent = alone(&mail, &caller).await?;
        let mut inserting = bare.take().ok_or_else(|| anyhow::anyhow!("the bare database is away"))?;
        let (back, inserted) =
            tokio::task::spawn_blocking(move || inserting.round().map(|took| (inserting, took))).await??;
        bare = Some(back);
        if round > 0 {
            ours.push(sent);
            theirs.push(inserted);
        }
    }
    for round in 0..=ROUNDS {
        let rate = many(&mail, &caller).await?;
        if round > 0 {
            together.push(rate);
        }
    }
    stores.probe.close().await;
    Ok(vec![
        Figure::plain(format!("send, durable, {IN_FLIGHT} in flight"), rounds::median(&together), "/s")
            .target(Target::AtLeast(10_000.0)),
        Figure::plain("bare synced insert, one alone", rounds::median(&theirs), "ms"),
        Figure::plain("send, one alone", rounds::median(&ours), "ms"),
        Figure::plain("send to bare", rounds::ratio(&ours, &theirs), "x").target(Target::AtMost(1.5)),
    ])
}

/// The median time of sends one after another, in milliseconds.
async fn alone(mail: &MailService, caller: &Caller) -> Result<f64> {
    let mut took = Vec::with_capacity(ALONE);
    for number in 0..ALONE {
        let (message, request) = (stage::message(&inbox(number))?, stage::request_id()?);
        let began = Instant::now();
        mail.send(caller, Some(request), message).await?;
        took.push(rounds::millis(began.elapsed()));
    }
    Ok(rounds::median(&took))
}

async fn many(mail: &Arc<MailService>, caller: &Arc<Caller>) -> Result<f64> {
    let sends = (0..TOGETHER).map(|n| Ok((stage::message(&inbox(n))?, stage::request_id()?)));
    let sends = sends.collect::<Result<Vec<_>>>()?;
    let (mail, caller) = (Arc::clone(mail), Arc::clone(caller));
    let send = move |(message, request)| {
        let (mail, caller) = (Arc::clone(&mail), Arc::clone(&caller));
        async move { Ok(mail.send(&caller, Some(request), message).await.map(drop)?) }
    };
    rounds::rate(IN_FLIGHT, sends, send).await
}

fn inbox(number: usize) -> String {
    format!("agent-{}", number % INBOXES)
}

/// One table with three indexes, and a commit for each message.
struct Bare(Connection);

impl Bare {
    fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.query_row("PRAGMA journal_mode = wal", [], |_| Ok(()))?;
        connection.execute_batch(
            "PRAGMA synchronous = full;
             CREATE TABLE messages (
                 number INTEGER PRIMARY KEY, id TEXT NOT NULL, recipient TEXT NOT NULL, timestamp_ms INTEGER NOT NULL,
                 document BLOB NOT NULL
             ) STRICT;
             CREATE UNIQUE INDEX messages_by_id ON messages (id);
             CREATE INDEX messages_by_time ON messages (timestamp_ms);
             CREATE INDEX messages_by_recipient ON messages (recipient, timestamp_ms);",
        )?;
        Ok(Self(connection))
    }

    /// The median time of inserts one after another, in milliseconds.
    fn round(&mut self) -> Result<f64> {
        let mut took = Vec::with_capacity(ALONE);
        let sql = "INSERT INTO messages (id, recipient, timestamp_ms, document) VALUES (?1, ?2, ?3, ?4)";
        for number in 0..ALONE {
            let append = stage::append("bare", &inbox(number))?;
            let values = (append.id.as_str(), inbox(number), append.now.as_millis(), &append.document[..]);
            let began = Instant::now();
            self.0.prepare_cached(sql)?.execute(values)?;
            took.push(rounds::millis(began.elapsed()));
        }
        Ok(rounds::median(&took))
    }
}
