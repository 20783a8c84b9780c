//! Choosing a provider, counting it and ending its use, as the gateway does for each request: on Redis beside the same
//! scripts called with nothing around them, and on SQLite. Uses that are over gather while the store is told of others.

use crate::figure::{Figure, Target};
use crate::{rounds, stage};
use anyhow::{Result, anyhow, bail, ensure};
use mainstay_api::RawJson;
use mainstay_api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_core::providers::{
    ChangePool, Choice, Choose, Finish, FinishUses, Outcome, PoolChange, PoolName, ProviderStore, ReplacePool,
    SeededProvider, SelectionRules, Traits,
};
use mainstay_core::{Clock, SystemClock};
use mainstay_testkit::fixtures::RedisServer;
use redis::aio::MultiplexedConnection;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::task::TaskTracker;

const ROUNDS: usize = 21;
/// How many requests are in flight, and how many a round has.
const LEVELS: [(usize, usize); 3] = [(1, 500), (16, 2_000), (128, 2_000)];
/// Providers of the pool, all of which may be chosen.
const PROVIDERS: usize = 8;
/// Most uses that end together, as in the gateway.
const MAX_TOGETHER: usize = 500;
const LEASE_FOR: Duration = Duration::from_secs(60);
const FIRST_BYTE: Duration = Duration::from_millis(400);
const NODE: &str = "node-of-the-benchmark";
const PREFIX: &str = "mainstay:";

/// Measures.
pub async fn measure() -> Result<Vec<Figure>> {
    let mut figures = on_redis().await?;
    let folder = stage::folder()?;
    let stores = stage::open(&format!("sqlite:{}", folder.path().join("mainstay.db").display())).await?;
    let ours = Arc::new(Ours::with_pool(Arc::clone(&stores.providers), "ours").await?);
    for (in_flight, count) in LEVELS {
        let mut rates = Vec::new();
        for round in 0..=ROUNDS {
            let rate = rate(in_flight, &ours, ours.calls(count)?).await?;
            if round > 0 {
                rates.push(rate);
            }
        }
        figures.push(Figure::plain(format!("choose on SQLite, {in_flight} in flight"), rounds::median(&rates), "/s"));
    }
    ours.counted(total()).await?;
    stores.probe.close().await;
    Ok(figures)
}

async fn on_redis() -> Result<Vec<Figure>> {
    let server = RedisServer::start().await?;
    let stores = stage::open(&server.url()).await?;
    let ours = Arc::new(Ours::with_pool(Arc::clone(&stores.providers), "ours").await?);
    let beside = Ours::with_pool(Arc::clone(&stores.providers), "bare").await?;
    let bare = Arc::new(Bare::connect(&server.url(), &beside.pool).await?);
    let mut figures = Vec::new();
    for (in_flight, count) in LEVELS {
        let (mut chosen, mut called) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let calls = beside.calls(count)?.iter().map(Bare::call).collect::<Result<Vec<_>>>()?;
            let ours = rate(in_flight, &ours, ours.calls(count)?).await?;
            let theirs = rate(in_flight, &bare, calls).await?;
            // The first round warms both up.
            if round > 0 {
                chosen.push(ours);
                called.push(theirs);
            }
        }
        let name = |what| format!("{what}, {in_flight} in flight");
        figures.extend([
            Figure::plain(name("bare EVALSHA on Redis"), rounds::median(&called), "/s"),
            Figure::plain(name("choose on Redis"), rounds::median(&chosen), "/s"),
            Figure::plain(name("choose to bare"), rounds::ratio(&chosen, &called), "x").target(Target::AtLeast(0.7)),
        ]);
    }
    // Both did the whole of the work.
    ours.counted(total()).await?;
    beside.counted(total()).await?;
    stores.probe.close().await;
    Ok(figures)
}

/// Requests of one side, in all.
fn total() -> usize {
    LEVELS.iter().map(|(_, count)| count * (ROUNDS + 1)).sum()
}

/// A way to choose and to end.
trait Chooser: Send + Sync + 'static {
    /// A choice, made ready beforehand.
    type Call: Send + 'static;
    /// A use that is over.
    type Over: Send + 'static;

    /// Chooses, and answers the use, which is over at once.
    fn choose(&self, call: Self::Call) -> impl Future<Output = Result<Self::Over>> + Send;

    /// Ends uses, all of which were in use.
    fn finish(&self, uses: Vec<Self::Over>) -> impl Future<Output = Result<()>> + Send;
}

/// Uses that are over, and whether a task is telling the store.
struct Gathered<T>(Mutex<(Vec<T>, bool)>);

impl<T> Gathered<T> {
    /// Adds one. Whether a task has to begin.
    fn add(&self, over: T) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.push(over);
        !std::mem::replace(&mut state.1, true)
    }

    /// The next ones to tell of; none where the task is at its end.
    fn next(&self) -> Vec<T> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = state.0.len().min(MAX_TOGETHER);
        state.1 = count > 0;
        state.0.drain(..count).collect()
    }
}

/// Requests in a second, until the last use has ended.
async fn rate<C: Chooser>(in_flight: usize, chooser: &Arc<C>, calls: Vec<C::Call>) -> Result<f64> {
    let (over, tasks) = (Arc::new(Gathered(Mutex::new((Vec::new(), false)))), TaskTracker::new());
    let failed = Arc::new(Mutex::new(None));
    let call = {
        let (chooser, tasks, failed) = (Arc::clone(chooser), tasks.clone(), Arc::clone(&failed));
        move |call| {
            let (chooser, over, tasks) = (Arc::clone(&chooser), Arc::clone(&over), tasks.clone());
            let failed = Arc::clone(&failed);
            async move {
                if over.add(chooser.choose(call).await?) {
                    tasks.spawn(async move {
                        loop {
                            let uses = over.next();
                            if uses.is_empty() {
                                return;
                            }
                            if let Err(error) = chooser.finish(uses).await {
                                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                            }
                        }
                    });
                }
                Ok(())
            }
        }
    };
    let (began, count) = (Instant::now(), calls.len());
    rounds::rate(in_flight, calls, call).await?;
    tasks.close();
    tasks.wait().await;
    let took = began.elapsed();
    if let Some(error) = failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    Ok(f64::from(u32::try_from(count)?) / took.as_secs_f64())
}

/// The store as the gateway uses it.
struct Ours {
    store: Arc<dyn ProviderStore>,
    pool: PoolName,
}

impl Ours {
    /// A pool of healthy providers in a namespace of its own.
    async fn with_pool(store: Arc<dyn ProviderStore>, namespace: &str) -> Result<Self> {
        let pool = PoolType::parse("openai-custom").map_err(|invalid| anyhow!("{invalid}"))?;
        let pool = PoolName { namespace: stage::namespace(namespace)?, pool };
        let seed = |number| {
            let id = ProviderId::parse(format!("provider-{number}")).map_err(|invalid| anyhow!("{invalid}"))?;
            let body = RawJson::parse("{}")?;
            Ok(SeededProvider { id, body, traits: Traits::default(), seal_key: None, health: None, counters: None })
        };
        let providers = (0..PROVIDERS).map(seed).collect::<Result<Vec<_>>>()?;
        let replace = ReplacePool { settings: RawJson::parse("{}")?, providers };
        let max_providers = u32::try_from(PROVIDERS)?;
        let (change, now) = (PoolChange::Replace(replace), SystemClock.now());
        store.change(ChangePool { pool: pool.clone(), change, expected: None, max_providers, now }).await?;
        Ok(Self { store, pool })
    }

    fn calls(&self, count: usize) -> Result<Vec<Choose>> {
        let now = SystemClock.now();
        let call = |_| {
            Ok(Choose {
                pool: self.pool.clone(),
                model: Some("gpt-4o-mini".into()),
                sticky: None,
                except: Vec::new(),
                lease: LeaseId::parse(stage::request_id()?.as_str()).map_err(|invalid| anyhow!("{invalid}"))?,
                node: NODE.into(),
                lease_for: LEASE_FOR,
                rules: SelectionRules::default(),
                now,
            })
        };
        (0..count).map(call).collect()
    }

    /// Fails where the pool counted another number of requests, or still has one in flight.
    async fn counted(&self, expected: usize) -> Result<()> {
        let Some(pool) = self.store.pool(&self.pool, SystemClock.now()).await? else { bail!("the pool is gone") };
        let requests: u64 = pool.providers.iter().map(|provider| provider.counters.requests).sum();
        let in_flight: u32 = pool.providers.iter().map(|provider| provider.in_flight).sum();
        ensure!(requests == u64::try_from(expected)?, "{requests} of {expected} requests were counted");
        ensure!(in_flight == 0, "{in_flight} requests are still in flight");
        Ok(())
    }
}

/// A use that was a success.
fn success(lease: LeaseId, provider: ProviderId) -> Finish {
    Finish { lease, provider, node: NODE.into(), outcome: Outcome::Success, first_byte: Some(FIRST_BYTE) }
}

impl Chooser for Ours {
    type Call = Choose;
    type Over = Finish;

    async fn choose(&self, call: Choose) -> Result<Finish> {
        let lease = call.lease.clone();
        match self.store.choose(call).await? {
            Choice::Chosen(chosen) => Ok(success(lease, chosen.provider)),
            other => bail!("nothing was chosen: {other:?}"),
        }
    }

    async fn finish(&self, uses: Vec<Finish>) -> Result<()> {
        let (rules, now, count) = (SelectionRules::default(), SystemClock.now(), uses.len());
        let finished = self.store.finish(FinishUses { pool: self.pool.clone(), uses, rules, now }).await?;
        ensure!(finished.applied == u32::try_from(count)?, "{} of {count} uses ended", finished.applied);
        Ok(())
    }
}

/// The same kind of connection, with nothing around it.
struct Bare {
    connection: MultiplexedConnection,
    choose: Arc<str>,
    finish: Arc<str>,
    key: String,
    /// The first arguments of an end.
    head: Vec<String>,
}

/// The arguments of one choice, and those of the end of the use.
struct Call {
    choose: Vec<String>,
    ended: Vec<String>,
}

impl Bare {
    async fn connect(url: &str, pool: &PoolName) -> Result<Self> {
        let mut connection = stage::bare_connection(url).await?;
        let mut shas = Vec::new();
        for source in [mainstay_redis::bench::choose_script(), mainstay_redis::bench::finish_script()] {
            let load = redis::cmd("SCRIPT").arg("LOAD").arg(source).to_owned();
            shas.push(load.query_async::<String>(&mut connection).await?.into());
        }
        let [choose, finish] = shas.try_into().map_err(|_| anyhow!("there are two scripts"))?;
        let (rules, now) = (SelectionRules::default(), SystemClock.now());
        let uses = FinishUses { pool: pool.clone(), uses: Vec::new(), rules, now };
        let (key, head) = mainstay_redis::bench::finish_call(&uses, PREFIX)?;
        Ok(Self { connection, choose, finish, key, head })
    }

    fn call(choose: &Choose) -> Result<Call> {
        // The script goes by the id of the use alone.
        let provider = ProviderId::parse("any").map_err(|invalid| anyhow!("{invalid}"))?;
        let ended = mainstay_redis::bench::ended_arguments(&success(choose.lease.clone(), provider));
        Ok(Call { choose: mainstay_redis::bench::choose_call(choose, PREFIX)?.1, ended })
    }
}

impl Chooser for Bare {
    type Call = Call;
    type Over = Vec<String>;

    async fn choose(&self, call: Call) -> Result<Vec<String>> {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&*self.choose).arg(1).arg(&self.key).arg(&call.choose);
        let answer: Vec<redis::Value> = command.query_async(&mut self.connection.clone()).await?;
        ensure!(answer.len() == 6, "the script chose nothing: {answer:?}");
        Ok(call.ended)
    }

    async fn finish(&self, uses: Vec<Vec<String>>) -> Result<()> {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&*self.finish).arg(1).arg(&self.key).arg(&self.head);
        for ended in &uses {
            command.arg(ended);
        }
        let answer: Vec<redis::Value> = command.query_async(&mut self.connection.clone()).await?;
        ensure!(answer.first() == Some(&redis::Value::Int(i64::try_from(uses.len())?)), "the script ended {answer:?}");
        Ok(())
    }
}
