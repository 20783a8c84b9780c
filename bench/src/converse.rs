//! Fifty people at once, each in a conversation with a history, at a server that is called over HTTP and keeps its
//! audit trail. First as people are, with a pause after each message; then without one, which keeps fifty calls
//! in flight and so measures how many a second the machine can do.

use crate::append_conversation::{BATCH, message};
use crate::figure::{Figure, Target};
use crate::{rounds, stage};
use anyhow::Result;
use mainstay_api::ConversationId;
use mainstay_api::conversations::{AppendMessages, CreateConversation, ReadMessages};
use mainstay_client::{Client, ClientOptions, Credential};
use mainstay_server::{OwnerKey, ServerConfig};
use mainstay_testkit::fixtures::RedisServer;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

const USERS: usize = 50;
/// Messages of a conversation before the first call, all of which a read returns.
const HISTORY: usize = 200;
/// Reads of one user, and as many appends, in turn. The first of both is not counted: it makes the connection.
const CALLS: usize = 20;
/// Longest pause of a user after a message; the pauses are spread evenly between nothing and this.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest time that requests in flight have when the server ends.
const GRACE_MS: u64 = 1_000;
const NAMESPACE: &str = "ours";
const KEY: &str = "bench-key";

/// Measures.
pub async fn measure() -> Result<Vec<Figure>> {
    let folder = stage::folder()?;
    let sqlite = format!("sqlite:{}", folder.path().join("mainstay.db").display());
    let mut figures = on_store("SQLite", &sqlite).await?;
    let server = RedisServer::start().await?;
    figures.extend(on_store("Redis", &server.url()).await?);
    Ok(figures)
}

async fn on_store(name: &str, url: &str) -> Result<Vec<Figure>> {
    let served = Served::start(url).await?;
    let paced = all_users(&served.url, "paced", Some(PAUSE)).await?;
    let rushed = all_users(&served.url, "rushed", None).await?;
    let spent_ms: f64 = rushed.reads.iter().chain(&rushed.appends).sum();
    let calls = rushed.reads.len() + rushed.appends.len();
    // Each user had one call in flight at all times.
    let per_second = calls as f64 * USERS as f64 / spent_ms * 1_000.0;
    served.stop().await?;
    let figure = |what, share, taken: &[f64]| {
        let name = format!("{what}, {USERS} users, {HISTORY} messages, {name}");
        Figure::plain(name, rounds::quantile(taken, share), "ms")
    };
    Ok(vec![
        figure("GET p50", 0.5, &paced.reads),
        figure("GET p99", 0.99, &paced.reads).target(Target::AtMost(10.0)),
        figure("POST p50", 0.5, &paced.appends),
        figure("POST p99", 0.99, &paced.appends).target(Target::AtMost(20.0)),
        figure("without pauses: GET p99", 0.99, &rushed.reads),
        figure("without pauses: POST p99", 0.99, &rushed.appends),
        Figure::plain(format!("without pauses: calls a second, {name}"), per_second, "/s"),
    ])
}

/// Lets every user converse, at once.
async fn all_users(url: &str, kind: &str, pause: Option<Duration>) -> Result<Took> {
    let mut ready = Vec::with_capacity(USERS);
    for user in 0..USERS {
        ready.push(User::with_history(url, &format!("{kind}-{user}")).await?);
    }
    let mut users = JoinSet::new();
    for (number, user) in ready.into_iter().enumerate() {
        users.spawn(user.converse(number, pause));
    }
    let mut all = Took::default();
    while let Some(finished) = users.join_next().await {
        let took = finished??;
        all.reads.extend(took.reads);
        all.appends.extend(took.appends);
    }
    Ok(all)
}

/// A server on a port of its own, with the defaults that it is shipped with.
struct Served {
    url: String,
    shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn start(url: &str) -> Result<Self> {
        let stores = stage::open(url).await?;
        let shutdown = CancellationToken::new();
        let config = ServerConfig::new(OwnerKey::new(KEY));
        let router = mainstay_server::router(stage::services(&stores), &config, shutdown.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let task = tokio::spawn(mainstay_server::serve(listener, router, shutdown.clone(), GRACE_MS));
        Ok(Self { url, shutdown, task })
    }

    async fn stop(self) -> Result<()> {
        self.shutdown.cancel();
        Ok(self.task.await??)
    }
}

/// One person with a connection of their own.
struct User {
    client: Client,
    id: ConversationId,
}

/// How long calls took, in milliseconds.
#[derive(Default)]
struct Took {
    reads: Vec<f64>,
    appends: Vec<f64>,
}

impl User {
    async fn with_history(url: &str, name: &str) -> Result<Self> {
        let options = ClientOptions {
            credential: Some(Credential::new(KEY)),
            namespace: Some(stage::namespace(NAMESPACE)?),
            ..ClientOptions::default()
        };
        let client = Client::connect(url, options)?;
        let id = ConversationId::parse(name)?;
        let create = CreateConversation { id: Some(id.clone()), ..CreateConversation::default() };
        client.conversations().create(&create, None).await?;
        for first in (0..HISTORY).step_by(BATCH) {
            let messages = (first..HISTORY.min(first + BATCH)).map(message).collect();
            let append = AppendMessages { messages, expected_version: None, turn: None };
            client.conversations().append(&id, &append, None).await?;
        }
        Ok(Self { client, id })
    }

    async fn converse(self, user: usize, pause: Option<Duration>) -> Result<Took> {
        let conversations = self.client.conversations();
        let read = ReadMessages { limit: Some(u32::try_from(HISTORY)?), ..ReadMessages::default() };
        let mut took = Took { reads: Vec::with_capacity(CALLS), appends: Vec::with_capacity(CALLS) };
        for number in 0..=CALLS {
            let messages = vec![message(number)];
            let append = AppendMessages { messages, expected_version: None, turn: None };
            if let Some(longest) = pause {
                // 7 and 13 share nothing with 50, so that every pause occurs and no two users keep step.
                let share = (user * 7 + number * 13) % USERS;
                tokio::time::sleep(longest * u32::try_from(share)? / u32::try_from(USERS)?).await;
            }
            let began = Instant::now();
            let page = conversations.messages(&self.id, &read).await?;
            let read_ms = rounds::millis(began.elapsed());
            anyhow::ensure!(page.messages.len() == HISTORY, "a page of {} messages", page.messages.len());
            let began = Instant::now();
            conversations.append(&self.id, &append, None).await?;
            if number > 0 {
                took.reads.push(read_ms);
                took.appends.push(rounds::millis(began.elapsed()));
            }
        }
        Ok(took)
    }
}
