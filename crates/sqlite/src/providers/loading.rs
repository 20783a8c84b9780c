//! Reading pools.

use crate::errors::Outcome;
use crate::names;
use mainstay_core::Error;
use mainstay_core::api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_core::api::{InvalidText, Namespace, RawJson, Timestamp};
use mainstay_core::providers::pool::{Answers, Circuit, Member, Pool, Use};
use mainstay_core::providers::{
    Breaker, BreakerState, Counters, Health, PoolName, PoolSummary, ProviderSettings, Traits,
};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A pool as it stands.
pub(super) struct Loaded {
    pub id: i64,
    pub pool: Pool,
}

/// The pool of this name, where there is one.
pub(super) fn load(connection: &Connection, name: &PoolName) -> Outcome<Option<Loaded>> {
    let Some(namespace) = names::namespace(connection, &name.namespace)? else { return Ok(None) };
    let sql = "SELECT id, revision, settings, sequence, cursor, turn FROM pools WHERE namespace = ?1 AND pool = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    type Head = (i64, u64, String, u64, u64, u64);
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?));
    let head: Option<Head> = statement.query_row((namespace, name.pool.as_str()), read).optional()?;
    let Some((id, revision, settings, sequence, cursor, turn)) = head else { return Ok(None) };
    let (mut providers, uses) = (members(connection, id)?, uses(connection, id)?);
    let versions = credentials(connection, (namespace, name.pool.as_str()))?;
    for member in &mut providers {
        member.credential = versions.get(member.id.as_str()).copied();
    }
    let pool = Pool { revision, settings: json(&settings)?, sequence, cursor, turn, providers, uses };
    Ok(Some(Loaded { id, pool }))
}

/// See [`mainstay_core::providers::ProviderStore::pools`].
pub(super) fn summaries(connection: &Connection, namespace: &Namespace) -> Outcome<Vec<PoolSummary>> {
    let Some(namespace) = names::namespace(connection, namespace)? else { return Ok(Vec::new()) };
    let sql = "SELECT pool, revision, (SELECT count(*) FROM providers WHERE pool = pools.id) FROM pools \
               WHERE namespace = ?1 ORDER BY pool";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([namespace])?;
    let mut pools = Vec::new();
    while let Some(row) = rows.next()? {
        let pool = PoolType::parse(row.get::<_, String>(0)?).map_err(broken)?;
        pools.push(PoolSummary { pool, revision: row.get(1)?, providers: row.get(2)? });
    }
    Ok(pools)
}

/// See [`mainstay_core::providers::ProviderStore::everywhere`].
pub(super) fn everywhere(connection: &Connection, after: Option<&PoolName>, limit: u32) -> Outcome<Vec<PoolName>> {
    let sql = "SELECT n.name, p.pool FROM pools p JOIN namespaces n ON n.id = p.namespace \
               WHERE (n.name, p.pool) > (?1, ?2) ORDER BY n.name, p.pool LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let (namespace, pool) = after.map_or(("", ""), |name| (name.namespace.as_str(), name.pool.as_str()));
    let mut rows = statement.query((namespace, pool, limit))?;
    let mut pools = Vec::new();
    while let Some(row) = rows.next()? {
        let namespace = Namespace::parse(row.get::<_, String>(0)?).map_err(broken)?;
        pools.push(PoolName { namespace, pool: PoolType::parse(row.get::<_, String>(1)?).map_err(broken)? });
    }
    Ok(pools)
}

/// The id of a provider.
pub(super) fn id(text: String) -> Outcome<ProviderId> {
    Ok(ProviderId::parse(text).map_err(broken)?)
}

fn members(connection: &Connection, pool: i64) -> Outcome<Vec<Member>> {
    let mut statement = connection.prepare_cached(include_str!("load.sql"))?;
    let mut rows = statement.query([pool])?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        members.push(Member {
            id: id(row.get("id")?)?,
            position: row.get("position")?,
            settings: Arc::new(settings(row)?),
            health: health(row)?,
            counters: counters(row)?,
            circuit: circuit(row)?,
            pass: row.get("pass")?,
            trial: row.get::<_, Option<String>>("trial")?.map(lease).transpose()?,
            claimed_at: time(row, "claimed_ms")?,
            credential: None,
        });
    }
    Ok(members)
}

/// The versions of the credentials of a pool, by provider.
fn credentials(connection: &Connection, pool: (i64, &str)) -> Outcome<HashMap<String, u64>> {
    let sql = "SELECT provider, version FROM credentials WHERE namespace = ?1 AND pool = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let versions = statement.query_map(pool, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(versions.collect::<Result<_, _>>()?)
}

fn uses(connection: &Connection, pool: i64) -> Outcome<BTreeMap<LeaseId, Use>> {
    let sql = "SELECT lease, provider, probe, ends_ms FROM provider_uses WHERE pool = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([pool])?;
    let mut uses = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let ends_at = Timestamp::from_millis(row.get(3)?);
        uses.insert(lease(row.get(0)?)?, Use { provider: id(row.get(1)?)?, probe: row.get(2)?, ends_at });
    }
    Ok(uses)
}

fn settings(row: &Row<'_>) -> Outcome<ProviderSettings> {
    Ok(ProviderSettings {
        body: json(&row.get::<_, String>("body")?)?,
        traits: Traits {
            disabled: row.get("disabled")?,
            weight: row.get("weight")?,
            priority: row.get("priority")?,
            max_in_flight: row.get("max_in_flight")?,
            excluded_models: list(&row.get::<_, String>("excluded_models")?)?,
        },
        seal_key: row.get("seal_key")?,
        version: row.get("version")?,
        updated_at: Timestamp::from_millis(row.get("updated_ms")?),
    })
}

fn health(row: &Row<'_>) -> Outcome<Health> {
    let words: Option<String> = row.get("last_failure")?;
    let model: Option<String> = row.get("checked_model")?;
    Ok(Health {
        unhealthy: row.get("unhealthy")?,
        failures: row.get("failures")?,
        last_failure: time(row, "last_failure_ms")?.map(|at| (at, words.unwrap_or_default())),
        retry_at: time(row, "retry_ms")?,
        needs_refresh: row.get("needs_refresh")?,
        checked: time(row, "checked_ms")?.map(|at| (at, model)),
    })
}

fn counters(row: &Row<'_>) -> Outcome<Counters> {
    Ok(Counters {
        requests: row.get("requests")?,
        errors: row.get("errors")?,
        refreshes: row.get("refreshes")?,
        used_at: time(row, "used_ms")?,
        failed_at: time(row, "failed_ms")?,
        sequence: row.get("sequence")?,
    })
}

fn circuit(row: &Row<'_>) -> Outcome<Circuit> {
    let marks: Vec<(i64, String)> = list(&row.get::<_, String>("marks")?)?;
    let answers: Vec<(i64, u32, u32)> = list(&row.get::<_, String>("answers")?)?;
    let breaker = Breaker {
        state: match row.get::<_, i64>("circuit")? {
            0 => BreakerState::Closed,
            1 => BreakerState::Open,
            2 => BreakerState::HalfOpen,
            3 => BreakerState::ForcedOpen,
            other => return Err(Error::inconsistent(format!("a circuit has the state {other}")).into()),
        },
        reason: row.get("reason")?,
        since: time(row, "since_ms")?,
        probe_at: time(row, "probe_ms")?,
    };
    Ok(Circuit {
        breaker,
        marks: marks.into_iter().map(|(at, node)| (Timestamp::from_millis(at), node)).collect(),
        measured_since: time(row, "measured_ms")?,
        answers: answers.into_iter().map(|(part, total, slow)| Answers { part, total, slow }).collect(),
        successes: row.get("successes")?,
        asked: row.get("asked")?,
    })
}

fn time(row: &Row<'_>, column: &str) -> Outcome<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

fn lease(text: String) -> Outcome<LeaseId> {
    Ok(LeaseId::parse(text).map_err(broken)?)
}

fn json(text: &str) -> Outcome<RawJson> {
    Ok(RawJson::parse(text).map_err(|e| Error::inconsistent(format!("settings of a pool are no JSON: {e}")))?)
}

fn list<T: serde::de::DeserializeOwned>(text: &str) -> Outcome<Vec<T>> {
    Ok(serde_json::from_str(text).map_err(|e| Error::inconsistent(format!("a list of a provider is no JSON: {e}")))?)
}

fn broken(error: InvalidText) -> Error {
    Error::inconsistent(error.to_string())
}
