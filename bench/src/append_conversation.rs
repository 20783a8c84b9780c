//! Appending to a conversation that is short, long and very long, on both stores; on Redis beside the bare script, and
//! beside the usual way to keep a conversation: one JSON document that is read and written as a whole.

use crate::figure::{Figure, Target};
use crate::{rounds, stage};
use anyhow::{Context, Result};
use mainstay_api::ConversationId;
use mainstay_api::conversations::{AppendMessages, CreateConversation, Kind, NewMessage, Role};
use mainstay_core::conversations::{Append, ConversationLimits, ConversationRules, ConversationService, Lookup, Owner};
use mainstay_core::{Caller, Clock, RandomMint, SystemClock};
use mainstay_testkit::fixtures::RedisServer;
use redis::Value;
use redis::aio::MultiplexedConnection;
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: usize = 15;
/// Appends of one round to one conversation; the short one is made anew for each round.
const APPENDS: usize = 40;
const SIZES: [usize; 3] = [10, 1_000, 100_000];
/// Lengths of the conversations that are one JSON document.
const WHOLE: [usize; 2] = [1_000, 5_000];
/// Most messages in one append.
pub const BATCH: usize = 100;
const TEXT: &str = "The interface of the payments module is ready for review; the open questions are in the thread.";
const PREFIX: &str = "mainstay:";

/// Measures.
pub async fn measure() -> Result<Vec<Figure>> {
    let folder = stage::folder()?;
    let sqlite = format!("sqlite:{}", folder.path().join("mainstay.db").display());
    let mut figures = Store::open(&sqlite).await?.measure("SQLite").await?;
    let server = RedisServer::start().await?;
    let store = Store::open(&server.url()).await?;
    figures.extend(store.measure("Redis").await?);
    figures.extend(store.beside_the_script(&server.url()).await?);
    figures.extend(whole_documents(&server.url()).await?);
    Ok(figures)
}

/// One message, a question or an answer.
pub fn message(number: usize) -> NewMessage {
    NewMessage {
        id: None,
        role: if number.is_multiple_of(2) { Role::User } else { Role::Assistant },
        kind: Kind::default(),
        text: Some(format!("{number}: {TEXT}")),
        card_json: None,
        card_id: None,
        extracted_payload: None,
        extra: serde_json::Map::new(),
    }
}

/// Conversations on one store.
pub struct Store {
    service: ConversationService,
    caller: Caller,
}

impl Store {
    /// Opens the store at a URL.
    pub async fn open(url: &str) -> Result<Self> {
        let stores = stage::open(url).await?;
        let limits = ConversationLimits { max_messages: 10_000_000, max_bytes: 1 << 40 };
        let rules = ConversationRules { limits, ..ConversationRules::default() };
        let (clock, mint) = (Arc::new(SystemClock), Arc::new(RandomMint));
        let service = ConversationService::new(Arc::clone(&stores.conversations), clock, mint, rules);
        Ok(Self { service, caller: stage::caller("ours", "sender")? })
    }

    /// Begins a conversation of this many messages.
    pub async fn filled(&self, size: usize) -> Result<ConversationId> {
        let id = ConversationId::parse(format!("bench-{size}-{}", stage::request_id()?.as_str()))?;
        let create = CreateConversation { id: Some(id.clone()), ..CreateConversation::default() };
        self.service.create(&self.caller, None, create).await?;
        for first in (0..size).step_by(BATCH) {
            let messages = (first..size.min(first + BATCH)).map(message).collect();
            self.append(&id, messages).await?;
        }
        // A conversation that is shorter than it says would make its appends look fast.
        let count = self.service.read(&self.caller, &id).await?.summary.message_count;
        anyhow::ensure!(count == u64::try_from(size)?, "{count} messages, not {size}");
        Ok(id)
    }

    async fn append(&self, id: &ConversationId, messages: Vec<NewMessage>) -> Result<()> {
        let append = AppendMessages { messages, expected_version: None, turn: None };
        let request = Some(stage::request_id()?);
        Ok(self.service.append(&self.caller, request, id, append).await.map(drop)?)
    }

    /// The median of appends one after another, each of this many messages, in milliseconds.
    pub async fn p50(&self, id: &ConversationId, count: usize) -> Result<f64> {
        let mut taken = Vec::with_capacity(APPENDS);
        for _ in 0..APPENDS {
            let messages = (0..count).map(message).collect();
            let began = Instant::now();
            self.append(id, messages).await?;
            taken.push(rounds::millis(began.elapsed()));
        }
        Ok(rounds::median(&taken))
    }

    async fn measure(&self, store: &str) -> Result<Vec<Figure>> {
        let (long, longest) = (self.filled(SIZES[1]).await?, self.filled(SIZES[2]).await?);
        let mut taken: [Vec<f64>; 3] = Default::default();
        for round in 0..=ROUNDS {
            let short = self.filled(SIZES[0]).await?;
            for (index, id) in [&short, &long, &longest].into_iter().enumerate() {
                let p50 = self.p50(id, 1).await?;
                // The first round warms up.
                if round > 0 {
                    taken[index].push(p50);
                }
            }
        }
        let plain = |index: usize| {
            let name = format!("append at {} messages, {store}, p50", SIZES[index]);
            Figure::plain(name, rounds::median(&taken[index]), "ms")
        };
        let ratio = |index: usize| {
            let name = format!("append at {} to append at {} messages, {store}", SIZES[index], SIZES[0]);
            Figure::plain(name, rounds::ratio(&taken[index], &taken[0]), "x").target(Target::AtMost(1.5))
        };
        Ok(vec![plain(0), plain(1), plain(2), ratio(1), ratio(2)])
    }

    /// The service beside the script alone, each on a conversation of its own of the same length.
    async fn beside_the_script(&self, url: &str) -> Result<Vec<Figure>> {
        let (ours, theirs) = (self.filled(SIZES[1]).await?, self.filled(SIZES[1]).await?);
        let mut bare = Bare::connect(url).await?;
        let (mut served, mut called) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let (service, script) = (self.p50(&ours, 1).await?, bare.p50(&self.caller, &theirs).await?);
            if round > 0 {
                served.push(service);
                called.push(script);
            }
        }
        let name = "append to bare EVALSHA, Redis";
        Ok(vec![
            Figure::plain("bare EVALSHA of the same script, p50", rounds::median(&called), "ms"),
            Figure::plain(name, rounds::ratio(&served, &called), "x").target(Target::AtMost(1.5)),
        ])
    }
}

/// The same kind of connection, with nothing around it.
struct Bare {
    connection: MultiplexedConnection,
    sha1: String,
}

impl Bare {
    async fn connect(url: &str) -> Result<Self> {
        let mut connection = stage::bare_connection(url).await?;
        let load = redis::cmd("SCRIPT").arg("LOAD").arg(mainstay_redis::bench::conversation_append_script()).to_owned();
        let sha1 = load.query_async(&mut connection).await?;
        Ok(Self { connection, sha1 })
    }

    async fn p50(&mut self, caller: &Caller, id: &ConversationId) -> Result<f64> {
        let mut taken = Vec::with_capacity(APPENDS);
        for number in 0..APPENDS {
            let (key, args) = mainstay_redis::bench::conversation_append_call(&append(caller, id, number)?, PREFIX)?;
            let began = Instant::now();
            let mut command = redis::cmd("EVALSHA");
            command.arg(&self.sha1).arg(1).arg(key).arg(args);
            let answer: Vec<Value> = command.query_async(&mut self.connection).await?;
            taken.push(rounds::millis(began.elapsed()));
            let word: String = redis::from_redis_value(answer.into_iter().next().context("an empty answer")?)?;
            anyhow::ensure!(word == "stored", "the script answered {word}");
        }
        Ok(rounds::median(&taken))
    }
}

/// One append as the service hands it to a store.
fn append(caller: &Caller, id: &ConversationId, number: usize) -> Result<Append> {
    let owner = Owner { namespace: caller.namespace.clone(), subject: caller.subject.clone() };
    let memo = stage::append("bare", "nobody")?.memo;
    let sent = NewMessage { id: Some(stage::chat_message_id()), ..message(number) };
    Ok(Append {
        at: Lookup { owner, id: id.clone(), now: SystemClock.now() },
        documents: vec![serde_json::to_vec(&sent)?.into()],
        pending: false,
        expected_version: None,
        fence: None,
        settle: None,
        workflow: None,
        release: false,
        limits: ConversationLimits { max_messages: 10_000_000, max_bytes: 1 << 40 },
        memo,
    })
}

/// Reads a whole conversation, adds a message, and writes it back: what an append costs where it is one document.
async fn whole_documents(url: &str) -> Result<Vec<Figure>> {
    let mut connection = stage::bare_connection(url).await?;
    let mut figures = Vec::new();
    for size in WHOLE {
        let key = format!("whole:{size}");
        let history: Vec<NewMessage> = (0..size).map(message).collect();
        let _: () = redis::cmd("SET").arg(&key).arg(serde_json::to_vec(&history)?).query_async(&mut connection).await?;
        let mut taken = Vec::with_capacity(APPENDS);
        for number in 0..APPENDS {
            let began = Instant::now();
            let text: Vec<u8> = redis::cmd("GET").arg(&key).query_async(&mut connection).await?;
            let mut history: Vec<NewMessage> = serde_json::from_slice(&text)?;
            history.push(message(number));
            let text = serde_json::to_vec(&history)?;
            let _: () =
                redis::cmd("SET").arg(&key).arg(text).arg("EX").arg(86_400).query_async(&mut connection).await?;
            taken.push(rounds::millis(began.elapsed()));
        }
        figures.push(Figure::plain(
            format!("GET + SET of {size} messages as one JSON, p50"),
            rounds::median(&taken),
            "ms",
        ));
    }
    Ok(figures)
}
