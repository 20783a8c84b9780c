//! Sending on Redis beside the bare script: what the services, the port and the connection add to one `EVALSHA`.

use crate::figure::{Figure, Target};
use crate::{rounds, stage};
use anyhow::Result;
use mainstay_testkit::fixtures::RedisServer;
use redis::aio::MultiplexedConnection;
use std::sync::Arc;

const ROUNDS: usize = 21;
/// How many are in flight, and how many messages a round has: short rounds, so that both sides meet the
/// same noise.
const LEVELS: [(usize, usize); 3] = [(1, 500), (16, 2_000), (128, 2_000)];
/// Inboxes that the messages go to in turn.
const INBOXES: usize = 16;
const PREFIX: &str = "mainstay:";

/// Measures.
pub async fn measure() -> Result<Vec<Figure>> {
    let server = RedisServer::start().await?;
    let stores = stage::open(&server.url()).await?;
    let mail = stage::mail(&stores);
    let bare = Bare::connect(&server.url()).await?;
    let caller = Arc::new(stage::caller("ours", "sender")?);
    let mut figures = Vec::new();
    for (in_flight, count) in LEVELS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let sends = (0..count).map(|n| Ok((stage::message(&inbox(n))?, stage::request_id()?)));
            let sends = sends.collect::<Result<Vec<_>>>()?;
            let (mail, caller) = (Arc::clone(&mail), Arc::clone(&caller));
            let send = move |(message, request)| {
                let (mail, caller) = (Arc::clone(&mail), Arc::clone(&caller));
                async move { Ok(mail.send(&caller, Some(request), message).await.map(drop)?) }
            };
            let calls = (0..count).map(|n| Call::new(&inbox(n))).collect::<Result<Vec<_>>>()?;
            let (sent, called) = (rounds::rate(in_flight, sends, send).await?, bare.rate(in_flight, calls).await?);
            // The first round warms both up.
            if round > 0 {
                ours.push(sent);
                theirs.push(called);
            }
        }
        let name = |what| format!("{what}, {in_flight} in flight");
        figures.extend([
            Figure::plain(name("bare EVALSHA"), rounds::median(&theirs), "/s"),
            Figure::plain(name("send"), rounds::median(&ours), "/s"),
            Figure::plain(name("send to bare"), rounds::ratio(&ours, &theirs), "x").target(Target::AtLeast(0.7)),
        ]);
        // The levels are not to differ in what the server holds. Freed at once, it would keep the server busy for long.
        server.cli(&["FLUSHALL", "ASYNC"]).await?;
    }
    stores.probe.close().await;
    Ok(figures)
}

fn inbox(number: usize) -> String {
    format!("agent-{}", number % INBOXES)
}

/// The key and the arguments of one call of the script.
struct Call(String, [Vec<u8>; 3]);

impl Call {
    fn new(to: &str) -> Result<Self> {
        let (key, args) = mainstay_redis::bench::append_call(&stage::append("bare", to)?, PREFIX)?;
        Ok(Self(key, args))
    }
}

/// The same connection type, with nothing around it.
struct Bare {
    connection: MultiplexedConnection,
    sha1: Arc<str>,
}

impl Bare {
    async fn connect(url: &str) -> Result<Self> {
        let mut connection = stage::bare_connection(url).await?;
        let load = redis::cmd("SCRIPT").arg("LOAD").arg(mainstay_redis::bench::append_script()).to_owned();
        let sha1: String = load.query_async(&mut connection).await?;
        Ok(Self { connection, sha1: sha1.into() })
    }

    async fn rate(&self, in_flight: usize, calls: Vec<Call>) -> Result<f64> {
        let (connection, sha1) = (self.connection.clone(), Arc::clone(&self.sha1));
        let call = move |Call(key, args)| {
            let (mut connection, sha1) = (connection.clone(), Arc::clone(&sha1));
            async move {
                let mut command = redis::cmd("EVALSHA");
                command.arg(&*sha1).arg(1).arg(key).arg(&args[0]).arg(&args[1]).arg(&args[2]);
                let answer: (String, redis::Value, redis::Value, redis::Value, redis::Value) =
                    command.query_async(&mut connection).await?;
                anyhow::ensure!(answer.0 == "stored", "the script answered {}", answer.0);
                Ok(())
            }
        };
        rounds::rate(in_flight, calls, call).await
    }
}
