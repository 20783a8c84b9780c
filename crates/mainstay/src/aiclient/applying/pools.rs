//! Pools. A pool is written as a whole, so that nobody sees a part of it. Health and counters are set where a provider enters its
//! pool: what was counted since is never set back, and who is in a pool that the folder does not know stays.

use super::super::picture::{Failed, Pool, Provider};
use super::super::report::Report;
use super::super::state::State;
use super::{Writing, boxed, concerns_all, known};
use mainstay_api::providers::{self as wire, PoolType, ProviderId, PutPool, PutProvider};
use mainstay_api::{Code, Problem, RawJson};
use mainstay_client::Client;
use std::collections::{BTreeMap, BTreeSet};

/// How often a pool is written again where somebody else was first.
const MAX_ATTEMPTS: u32 = 16;

/// A pool in the store, with secrets.
pub struct Standing {
    /// Its revision; 0 where there is none.
    pub revision: u64,
    /// The settings of the pool itself.
    pub settings: RawJson,
    /// Its providers, in their order.
    pub providers: Vec<wire::Provider>,
}

/// Reads a pool as it was at one moment.
///
/// # Errors
/// Those of the store; `store.busy` where it changes all the time.
pub async fn read(client: &Client, kind: &PoolType) -> Result<Standing, Box<Problem>> {
    for _ in 0..MAX_ATTEMPTS {
        let Some(pool) = known(client.providers().pool(kind).await, Code::ProviderNotFound)? else {
            return Ok(Standing { revision: 0, settings: RawJson::empty_object(), providers: Vec::new() });
        };
        if let Some(standing) = reveal(client, pool).await? {
            return Ok(standing);
        }
    }
    Err(contended())
}

/// The pool with its secrets, which are read one by one; absent where one of its providers changed meanwhile.
async fn reveal(client: &Client, pool: wire::Pool) -> Result<Option<Standing>, Box<Problem>> {
    let mut standing = Standing { revision: pool.revision, settings: pool.settings, providers: Vec::new() };
    for masked in pool.providers {
        let revealed = client.providers().provider(&pool.pool, &masked.id).reveal().await;
        match known(revealed, Code::ProviderNotFound)? {
            Some(revealed) if revealed.version == masked.version => standing.providers.push(revealed),
            _ => return Ok(None),
        }
    }
    Ok(Some(standing))
}

/// A provider whose credential must be refreshed before it is chosen again.
pub(super) struct Needy<'a> {
    pool: &'a PoolType,
    provider: &'a ProviderId,
}

/// Whether the credential of a provider must be refreshed.
pub(super) async fn needs_refresh<'a>(
    client: &Client,
    pool: &'a PoolType,
    provider: &'a ProviderId,
) -> Result<Option<Needy<'a>>, Box<Problem>> {
    let read = client.providers().provider(pool, provider).read().await;
    let found = known(read, Code::ProviderNotFound)?;
    Ok(found.is_some_and(|found| found.health.needs_refresh).then_some(Needy { pool, provider }))
}

impl Needy<'_> {
    /// Says that it must.
    pub(super) async fn say_again(&self, client: &Client) -> Result<(), Box<Problem>> {
        for _ in 0..MAX_ATTEMPTS {
            let standing = read(client, self.pool).await?;
            let entry = |there: &wire::Provider| {
                let health = wire::ProviderHealth { needs_refresh: true, ..there.health.clone() };
                let set_health = (there.id == *self.provider && !there.health.needs_refresh).then_some(health);
                PutProvider { set_health, ..put(&there.id, &there.settings, None) }
            };
            let providers = Some(standing.providers.iter().map(entry).collect());
            let put = PutPool { settings: None, providers };
            match client.providers().put_pool(self.pool, &put, Some(standing.revision)).await.map_err(boxed) {
                Err(problem) if problem.code == Code::ProviderConflict => {}
                written => return written.map(drop),
            }
        }
        Err(contended())
    }
}

/// Writes the providers that are not there, and those that are there otherwise where they are to be replaced.
pub(super) async fn apply(writing: Writing<'_>, pool: &Pool, report: &mut Report) -> Result<(), Box<Problem>> {
    match apply_whole(writing, pool, report).await {
        Err(problem) if pool.providers.len() > 1 && !concerns_all(&problem) => {}
        applied => return applied,
    }
    // What one of them says is refused. That does not keep the others out.
    for provider in &pool.providers {
        let one = Pool { providers: vec![provider.clone()], ..pool.clone() };
        if let Err(problem) = apply_whole(writing, &one, report).await {
            if concerns_all(&problem) {
                return Err(problem);
            }
            let origin = format!("{}/{}", pool.kind, provider.id);
            report.failed.push(Failed { origin, reason: problem.detail });
        }
    }
    Ok(())
}

async fn apply_whole(writing: Writing<'_>, pool: &Pool, report: &mut Report) -> Result<(), Box<Problem>> {
    let Writing { client, options, .. } = writing;
    for _ in 0..MAX_ATTEMPTS {
        let standing = read(client, &pool.kind).await?;
        let wanted = Wanted::of(pool, &standing, options.force);
        let Some(put) = wanted.put.as_ref().filter(|_| !options.dry_run) else {
            report.verified += wanted.unchanged;
            wanted.tell(pool, report);
            return Ok(());
        };
        match client.providers().put_pool(&pool.kind, put, Some(standing.revision)).await.map_err(boxed) {
            Err(problem) if problem.code == Code::ProviderConflict => {}
            Err(problem) => return Err(problem),
            Ok(_) => {
                wanted.tell(pool, report);
                let after = read(client, &pool.kind).await?;
                wanted.verify(pool, &after, report);
                return Ok(());
            }
        }
    }
    Err(contended())
}

fn contended() -> Box<Problem> {
    let detail = "the pool was changed by others at the same time";
    Box::new(Problem::new(Code::StoreBusy, detail, "Import again."))
}

/// What a pool is to become.
#[derive(Default)]
struct Wanted {
    /// What is written; absent where nothing is.
    put: Option<PutPool>,
    created: usize,
    replaced: usize,
    unchanged: usize,
    /// Providers that stay otherwise than the folder says.
    kept: BTreeSet<ProviderId>,
    /// What else stays so, and why.
    others: Vec<&'static str>,
}

impl Wanted {
    fn of(pool: &Pool, standing: &Standing, force: bool) -> Self {
        let mut wanted = Self::default();
        let settings = wanted.settings(pool, standing, force);
        let entries = wanted.entries(pool, standing, force);
        let providers = wanted.in_order(pool, standing, (entries, force));
        if pool.providers.is_empty() {
            if standing.revision == 0 { wanted.created += 1 } else { wanted.unchanged += 1 }
        }
        if wanted.created + wanted.replaced > 0 {
            wanted.put = Some(PutPool { settings, providers: Some(providers) });
        }
        wanted
    }

    /// The settings to write of the pool itself, where an export says any.
    fn settings(&mut self, pool: &Pool, standing: &Standing, force: bool) -> Option<RawJson> {
        let settings = pool.settings.as_ref()?;
        let is_new = standing.settings == RawJson::empty_object();
        if *settings == standing.settings {
            return None;
        }
        if !is_new && !force {
            self.others.push("the pool has other settings; --force replaces them");
            return None;
        }
        if is_new {
            self.created += 1
        } else {
            self.replaced += 1
        }
        Some(settings.clone())
    }

    /// What is written of each provider, of those of the folder and those that it does not know.
    fn entries(&mut self, pool: &Pool, standing: &Standing, force: bool) -> BTreeMap<ProviderId, PutProvider> {
        let stays = |there: &wire::Provider| (there.id.clone(), put(&there.id, &there.settings, None));
        let mut entries: BTreeMap<_, _> = standing.providers.iter().map(stays).collect();
        for Provider { id, body, .. } in &pool.providers {
            let entry = match standing.find(id) {
                Some(there) if says_the_same(body, there) => {
                    self.unchanged += 1;
                    continue;
                }
                Some(_) if !force => {
                    self.kept.insert(id.clone());
                    continue;
                }
                Some(_) => {
                    self.replaced += 1;
                    put(id, body, None)
                }
                None => {
                    self.created += 1;
                    put(id, body, Some(State::said(body)))
                }
            };
            entries.insert(id.clone(), entry);
        }
        entries
    }

    /// The providers in the order of the folder; those that it does not know stay where they are.
    fn in_order(
        &mut self,
        pool: &Pool,
        standing: &Standing,
        (mut entries, force): (BTreeMap<ProviderId, PutProvider>, bool),
    ) -> Vec<PutProvider> {
        let told: Vec<&ProviderId> = pool.providers.iter().map(|provider| &provider.id).collect();
        let mut order: Vec<&ProviderId> = standing.providers.iter().map(|there| &there.id).collect();
        let there = order.clone();
        let agrees = order.iter().filter(|id| told.contains(id)).eq(told.iter().filter(|id| there.contains(id)));
        order.extend(told.iter().filter(|id| !there.contains(id)));
        if !agrees && force {
            self.replaced += 1;
        }
        if !agrees && !force {
            self.others.push("the store has its providers in another order; --force takes that of the folder");
        } else {
            let slots = order.iter_mut().filter(|id| told.contains(id));
            slots.zip(&told).for_each(|(slot, id)| *slot = id);
        }
        order.into_iter().filter_map(|id| entries.remove(id)).collect()
    }

    fn tell(&self, pool: &Pool, report: &mut Report) {
        report.created += self.created;
        report.replaced += self.replaced;
        report.unchanged += self.unchanged;
        for id in &self.kept {
            report.keep(&format!("{}/{id}", pool.kind), "the store holds something else; --force replaces it");
        }
        for reason in &self.others {
            report.keep(pool.kind.as_str(), reason);
        }
    }

    /// Compares what is read back with what was to be written.
    fn verify(&self, pool: &Pool, after: &Standing, report: &mut Report) {
        let mut fail = |origin: String| {
            let reason = "what was written was not read back; somebody may have changed it meanwhile".into();
            report.failed.push(Failed { origin, reason });
        };
        let mut verified = 0;
        if pool.settings.as_ref().is_some_and(|settings| *settings != after.settings) && self.others.is_empty() {
            fail(pool.kind.to_string());
        } else {
            verified += usize::from(self.put.as_ref().is_some_and(|put| put.settings.is_some()));
        }
        for Provider { id, body, .. } in pool.providers.iter().filter(|provider| !self.kept.contains(&provider.id)) {
            let counts = |there: &wire::Provider| {
                let is_new = self.sets(id);
                !is_new || State::of(there).counts_at_least(&State::said(body))
            };
            match after.find(id) {
                Some(there) if says_the_same(body, there) && counts(there) => verified += 1,
                _ => fail(format!("{}/{id}", pool.kind)),
            }
        }
        verified += usize::from(pool.providers.is_empty() && after.revision > 0);
        report.verified += verified;
    }

    /// Whether health and counters of a provider are set.
    fn sets(&self, id: &ProviderId) -> bool {
        let mut written = self.put.iter().filter_map(|put| put.providers.as_ref()).flatten();
        written.any(|entry| entry.id == *id && entry.set_counters.is_some())
    }
}

impl Standing {
    fn find(&self, id: &ProviderId) -> Option<&wire::Provider> {
        self.providers.iter().find(|there| there.id == *id)
    }
}

fn put(id: &ProviderId, settings: &RawJson, state: Option<State>) -> PutProvider {
    let (set_health, set_counters) = state.map(|state| (state.health, state.counters)).unzip();
    PutProvider { id: id.clone(), settings: settings.clone(), set_health, set_counters }
}

/// Whether a text says of a provider what stands in the store, but for what was counted since.
fn says_the_same(body: &RawJson, there: &wire::Provider) -> bool {
    let state = State::of(there);
    state.told_in(&there.id, body) == state.told_in(&there.id, &there.settings)
}
