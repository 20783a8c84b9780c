//! Pools of providers on Redis.

pub(crate) mod params;
mod rows;

use crate::answer::Answer;
use crate::connection::{Connection, Repeat, read};
use crate::keys::{self, Keys, encode};
use crate::scripts::{self, Script};
use async_trait::async_trait;
use mainstay_core::api::providers::{PoolType, ProviderId};
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::providers::{
    AddCounts, BreakerState, ChangePool, CheckClaim, Checked, Choice, Choose, Chosen, ClaimCheck, FinishUses, Finished,
    NoneFree, PoolName, PoolOutcome, PoolRecord, PoolSummary, ProviderRecord, ProviderStore, Renew, ResealSettings,
    ResetProviders, StandBreaker,
};
use mainstay_core::{Error, Result};
use redis::Value;
use std::sync::Arc;

/// Pools in Redis.
pub(crate) struct RedisProviders {
    connection: Arc<Connection>,
    keys: Keys,
}

/// A pool, with its segments encoded.
pub(crate) struct Place {
    /// The key that stands for it.
    pub key: String,
    /// What is published where it changes.
    pub wake: String,
    /// How the set of all pools names it.
    name: String,
}

impl Place {
    /// Where a pool is.
    pub fn of(pool: &PoolName, keys: &Keys) -> Self {
        let (namespace, name) = (encode(pool.namespace.as_str()), encode(pool.pool.as_str()));
        Self {
            key: keys.pool(&namespace, &name),
            wake: format!("v {namespace} {name}"),
            name: format!("{namespace}:{name}"),
        }
    }
}

impl RedisProviders {
    /// Pools over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }

    fn place(&self, pool: &PoolName) -> Place {
        Place::of(pool, &self.keys)
    }

    async fn run<S: AsRef<str>>(&self, script: &'static Script, key: &str, args: &[S]) -> Result<Value> {
        let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_ref().as_bytes()).collect();
        self.connection.script(script, key, &args, Repeat::Safe).await
    }

    async fn names(&self) -> Result<Vec<PoolName>> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.pools());
        let listed = self.connection.command("list the pools", &command, Repeat::Safe).await?;
        let mut names = Vec::new();
        for entry in read::<Vec<String>>(listed, "SMEMBERS")? {
            let Some((namespace, pool)) = entry.split_once(':') else { continue };
            let pool = PoolType::parse(keys::decode(pool)?).map_err(|e| Error::inconsistent(e.to_string()))?;
            names.push(PoolName { namespace: keys::namespace(namespace)?, pool });
        }
        names.sort_by(|a, b| a.pool.as_str().cmp(b.pool.as_str()));
        Ok(names)
    }

    /// The set of all pools is in a slot of its own, so noting one is a step before the change that may make it: a name without
    /// a pool is passed over, a pool without a name would not be listed. Names of dropped pools stay, for one that is made
    /// again at the same moment.
    async fn note(&self, place: &Place) -> Result<()> {
        let mut command = redis::cmd("SADD");
        command.arg(self.keys.pools()).arg(&place.name);
        self.connection.command("note the pool", &command, Repeat::Safe).await.map(drop)
    }

    /// Which settings of a pool are sealed with which keys, in pairs.
    async fn seals(&self, pool: &PoolName) -> Result<Vec<String>> {
        let script = &scripts::PROVIDERS_SEALS;
        read(self.run::<&str>(script, &self.place(pool).key, &[]).await?, script.name)
    }

    async fn read(&self, pool: &PoolName, id: &str, now: Timestamp) -> Result<Option<PoolRecord>> {
        let script = &scripts::PROVIDERS_POOL_READ;
        let answer = self.run(script, &self.place(pool).key, &[now.as_millis().to_string().as_str(), id]).await?;
        rows::pool(answer, script.name)
    }
}

#[async_trait]
impl ProviderStore for RedisProviders {
    async fn pools(&self, namespace: &Namespace) -> Result<Vec<PoolSummary>> {
        let mut pools = Vec::new();
        for name in self.names().await?.into_iter().filter(|name| name.namespace == *namespace) {
            let script = &scripts::PROVIDERS_SUMMARY;
            let mut answer = Answer::of(self.run::<&str>(script, &self.place(&name).key, &[]).await?, script.name)?;
            if !answer.is_empty() {
                pools.push(PoolSummary { pool: name.pool, revision: answer.next()?, providers: answer.next()? });
            }
        }
        Ok(pools)
    }

    async fn everywhere(&self, after: Option<&PoolName>, limit: u32) -> Result<Vec<PoolName>> {
        Ok(PoolName::page(self.names().await?, after, limit))
    }

    async fn pool(&self, pool: &PoolName, now: Timestamp) -> Result<Option<PoolRecord>> {
        self.read(pool, "", now).await
    }

    async fn provider(&self, pool: &PoolName, id: &ProviderId, now: Timestamp) -> Result<Option<ProviderRecord>> {
        Ok(self.read(pool, id.as_str(), now).await?.and_then(|mut pool| pool.providers.pop()))
    }

    async fn change(&self, change: ChangePool) -> Result<PoolOutcome> {
        let place = self.place(&change.pool);
        self.note(&place).await?;
        let mut args = params::change(&change);
        let expected = change.expected.map(|revision| revision.to_string()).unwrap_or_default();
        args.splice(1..1, [change.digest(), expected, self.keys.channel(), place.wake]);
        let script = &scripts::PROVIDERS_CHANGE;
        let mut answer = Answer::of(self.run(script, &place.key, &args).await?, script.name)?;
        match answer.next::<String>()?.as_str() {
            "changed" => Ok(PoolOutcome::Changed(answer.next()?)),
            "conflict" => Ok(PoolOutcome::Conflict { current: answer.next()? }),
            "exists" => Ok(PoolOutcome::Exists),
            "not_found" => Ok(PoolOutcome::NotFound),
            "full" => Ok(PoolOutcome::Full),
            other => Err(answer.unknown(other)),
        }
    }

    async fn choose(&self, choose: Choose) -> Result<Choice> {
        let args = params::choose(&choose);
        let script = &scripts::PROVIDERS_CHOOSE;
        let mut answer = Answer::of(self.run(script, &self.place(&choose.pool).key, &args).await?, script.name)?;
        match answer.next::<String>()?.as_str() {
            "chosen" => chosen(&mut answer).map(Choice::Chosen),
            "none" => none(&mut answer).map(Choice::NoneFree),
            "no_pool" => Ok(Choice::NoPool),
            other => Err(answer.unknown(other)),
        }
    }

    async fn renew(&self, renew: Renew) -> Result<()> {
        let (now, ends) = (renew.now.as_millis().to_string(), renew.now.after(renew.lease_for).as_millis().to_string());
        let mut args = vec![now.as_str(), &ends];
        args.extend(renew.leases.iter().map(|lease| lease.as_str()));
        self.run(&scripts::PROVIDERS_RENEW, &self.place(&renew.pool).key, &args).await.map(drop)
    }

    async fn finish(&self, uses: FinishUses) -> Result<Finished> {
        let place = self.place(&uses.pool);
        let mut args = vec![params::rules(&uses.rules, uses.now), self.keys.channel(), place.wake];
        args.extend(uses.uses.iter().flat_map(params::ended));
        let script = &scripts::PROVIDERS_FINISH;
        finished(Answer::of(self.run(script, &place.key, &args).await?, script.name)?)
    }

    async fn claim_check(&self, claim: ClaimCheck) -> Result<CheckClaim> {
        let (now, next) = (claim.now.as_millis().to_string(), claim.now.after(claim.every).as_millis().to_string());
        let script = &scripts::PROVIDERS_CLAIM_CHECK;
        let args = [claim.provider.as_str(), &now, &next];
        match read::<i64>(self.run(script, &self.place(&claim.pool).key, &args).await?, script.name)? {
            -1 => Ok(CheckClaim::NotFound),
            0 => Ok(CheckClaim::Granted),
            at => Ok(CheckClaim::NotBefore(Timestamp::from_millis(at))),
        }
    }

    async fn checked(&self, check: Checked) -> Result<Finished> {
        let place = self.place(&check.pool);
        let model = check.model.clone().unwrap_or_default();
        let rules = params::rules(&check.rules, check.now);
        let mut args = vec![rules, self.keys.channel(), place.wake, check.provider.as_str().to_owned(), model];
        args.extend(params::showing(&check.outcome, None, &check.node));
        let script = &scripts::PROVIDERS_CHECK;
        finished(Answer::of(self.run(script, &place.key, &args).await?, script.name)?)
    }

    async fn reset(&self, reset: ResetProviders) -> Result<u32> {
        let place = self.place(&reset.pool);
        let flag = |set: bool| if set { "1" } else { "0" };
        let (id, channel) = (reset.provider.as_ref().map_or("", ProviderId::as_str), self.keys.channel());
        let script = &scripts::PROVIDERS_RESET;
        let args = [id, flag(reset.counters), flag(reset.health), &channel, &place.wake];
        read(self.run(script, &place.key, &args).await?, script.name)
    }

    async fn stand(&self, stand: StandBreaker) -> Result<Option<BreakerState>> {
        let place = self.place(&stand.pool);
        let (now, channel) = (stand.now.as_millis().to_string(), self.keys.channel());
        let (id, state) = (stand.provider.as_str(), params::state(stand.state));
        let script = &scripts::PROVIDERS_STAND;
        let args = [id, state, &stand.reason, &now, &channel, &place.wake];
        match read::<i64>(self.run(script, &place.key, &args).await?, script.name)? {
            -1 => Ok(None),
            was => rows::state(was).map(Some),
        }
    }

    async fn add_counts(&self, add: AddCounts) -> Result<bool> {
        let script = &scripts::PROVIDERS_ADD_COUNTS;
        let args = params::counts(&add);
        let added: u8 = read(self.run(script, &self.place(&add.pool).key, &args).await?, script.name)?;
        Ok(added == 1)
    }

    async fn settings_seal_keys(&self) -> Result<Vec<String>> {
        let mut used = Vec::new();
        for name in self.names().await? {
            used.extend(self.seals(&name).await?.chunks_exact(2).map(|pair| pair[1].clone()));
            used.sort();
            used.dedup();
        }
        Ok(used)
    }

    async fn settings_not_sealed_with(&self, key: &str, limit: u32) -> Result<Vec<(PoolName, ProviderId)>> {
        let mut others = Vec::new();
        for name in self.names().await? {
            for pair in self.seals(&name).await?.chunks_exact(2).filter(|pair| pair[1] != key) {
                others.push((name.clone(), rows::id(pair[0].clone())?));
                if others.len() >= limit as usize {
                    return Ok(others);
                }
            }
        }
        Ok(others)
    }

    async fn reseal_settings(&self, reseal: ResealSettings) -> Result<bool> {
        let script = &scripts::PROVIDERS_RESEAL;
        let version = reseal.version.to_string();
        let key = reseal.seal_key.unwrap_or_default();
        let args = [reseal.provider.as_str(), &version, reseal.body.as_str(), &key];
        Ok(read::<u8>(self.run(script, &self.place(&reseal.pool).key, &args).await?, script.name)? == 1)
    }
}

fn chosen(answer: &mut Answer) -> Result<Chosen> {
    let (provider, settings) = (rows::id(answer.next()?)?, answer.next()?);
    let credential: String = answer.next()?;
    let credential = (!credential.is_empty()).then(|| credential.parse()).transpose();
    Ok(Chosen {
        provider,
        settings,
        credential: credential.map_err(|_| Error::inconsistent("a credential has no version"))?,
        revision: answer.next()?,
        probe: answer.next::<u8>()? == 1,
    })
}

fn none(answer: &mut Answer) -> Result<NoneFree> {
    Ok(NoneFree {
        providers: answer.next()?,
        disabled: answer.next()?,
        excepted: answer.next()?,
        without_model: answer.next()?,
        unhealthy: answer.next()?,
        full: answer.next()?,
        open: answer.next()?,
        retry_at: match answer.next::<String>()?.as_str() {
            "" => None,
            at => Some(Timestamp::from_millis(at.parse().map_err(|_| answer.unknown(at))?)),
        },
    })
}

fn finished(mut answer: Answer) -> Result<Finished> {
    Ok(Finished { applied: answer.next()?, transitions: rows::transitions(&mut answer)? })
}
