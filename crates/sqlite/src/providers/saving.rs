//! Writing what changed of a pool, and nothing else.

use super::loading::Loaded;
use crate::errors::Outcome;
use mainstay_core::Error;
use mainstay_core::api::Timestamp;
use mainstay_core::providers::BreakerState;
use mainstay_core::providers::pool::{Member, Pool};
use rusqlite::{Connection, named_params};
use serde::Serialize;
use std::collections::HashMap;

/// Writes what a step changed.
pub(super) fn save(connection: &Connection, before: &Loaded, after: &Pool) -> Outcome<()> {
    let id = before.id;
    if head(&before.pool) != head(after) {
        let sql = "UPDATE pools SET revision = ?2, settings = ?3, sequence = ?4, cursor = ?5, turn = ?6 WHERE id = ?1";
        let (revision, settings, sequence, cursor, turn) = head(after);
        connection.prepare_cached(sql)?.execute((id, revision, settings, sequence, cursor, turn))?;
    }
    let mut known: HashMap<&str, &Member> =
        before.pool.providers.iter().map(|member| (member.id.as_str(), member)).collect();
    for member in &after.providers {
        save_member(connection, id, known.remove(member.id.as_str()), member)?;
    }
    for gone in known.into_values() {
        remove(connection, id, gone.id.as_str())?;
    }
    save_uses(connection, before, after)
}

/// What is kept of a pool itself: its revision, settings, sequence, cursor and turn.
fn head(pool: &Pool) -> (u64, &str, u64, u64, u64) {
    (pool.revision, pool.settings.as_str(), pool.sequence, pool.cursor, pool.turn)
}

/// Makes a pool; what is in it is still to be saved.
pub(super) fn insert(connection: &Connection, name: (i64, &str), pool: &Pool) -> Outcome<Loaded> {
    let sql = "INSERT INTO pools (namespace, pool, revision, settings) VALUES (?1, ?2, 0, ?3)";
    connection.prepare_cached(sql)?.execute((name.0, name.1, pool.settings.as_str()))?;
    Ok(Loaded { id: connection.last_insert_rowid(), pool: Pool::new() })
}

/// Removes a pool with all that is in it.
pub(super) fn drop(connection: &Connection, id: i64) -> Outcome<()> {
    for sql in [
        "DELETE FROM credentials WHERE (namespace, pool) IN (SELECT namespace, pool FROM pools WHERE id = ?1)",
        "DELETE FROM providers WHERE pool = ?1",
        "DELETE FROM provider_uses WHERE pool = ?1",
        "DELETE FROM provider_sessions WHERE pool = ?1",
        "DELETE FROM pools WHERE id = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([id])?;
    }
    Ok(())
}

/// Removes a provider with its credential.
fn remove(connection: &Connection, pool: i64, id: &str) -> Outcome<()> {
    let sql = "DELETE FROM credentials WHERE (namespace, pool) IN (SELECT namespace, pool FROM pools WHERE id = ?1) \
               AND provider = ?2";
    connection.prepare_cached(sql)?.execute((pool, id))?;
    connection.prepare_cached("DELETE FROM providers WHERE pool = ?1 AND id = ?2")?.execute((pool, id))?;
    Ok(())
}

fn save_member(connection: &Connection, pool: i64, before: Option<&Member>, after: &Member) -> Outcome<()> {
    if before.is_none_or(|before| before.settings != after.settings || before.position != after.position) {
        let (settings, traits) = (&after.settings, &after.settings.traits);
        connection.prepare_cached(include_str!("settings_put.sql"))?.execute(named_params! {
            ":pool": pool,
            ":id": after.id.as_str(),
            ":position": after.position,
            ":body": settings.body.as_str(),
            ":disabled": traits.disabled,
            ":weight": traits.weight,
            ":priority": traits.priority,
            ":max_in_flight": traits.max_in_flight,
            ":excluded_models": json(&traits.excluded_models)?,
            ":seal_key": settings.seal_key,
            ":version": settings.version,
            ":updated_ms": settings.updated_at.as_millis(),
        })?;
    }
    let same = before.is_some_and(|before| {
        before.health == after.health
            && before.counters == after.counters
            && before.circuit == after.circuit
            && (before.pass, &before.trial, before.claimed_at) == (after.pass, &after.trial, after.claimed_at)
    });
    if same { Ok(()) } else { save_state(connection, pool, after) }
}

fn save_state(connection: &Connection, pool: i64, member: &Member) -> Outcome<()> {
    let (health, counters, circuit) = (&member.health, &member.counters, &member.circuit);
    let marks: Vec<_> = circuit.marks.iter().map(|(at, node)| (at.as_millis(), node)).collect();
    let answers: Vec<_> = circuit.answers.iter().map(|answers| (answers.part, answers.total, answers.slow)).collect();
    connection.prepare_cached(include_str!("state_put.sql"))?.execute(named_params! {
        ":pool": pool,
        ":id": member.id.as_str(),
        ":unhealthy": health.unhealthy,
        ":failures": health.failures,
        ":last_failure_ms": health.last_failure.as_ref().map(|(at, _)| at.as_millis()),
        ":last_failure": health.last_failure.as_ref().map(|(_, message)| message),
        ":retry_ms": millis(health.retry_at),
        ":needs_refresh": health.needs_refresh,
        ":checked_ms": health.checked.as_ref().map(|(at, _)| at.as_millis()),
        ":checked_model": health.checked.as_ref().and_then(|(_, model)| model.as_ref()),
        ":requests": counters.requests,
        ":errors": counters.errors,
        ":refreshes": counters.refreshes,
        ":used_ms": millis(counters.used_at),
        ":failed_ms": millis(counters.failed_at),
        ":sequence": counters.sequence,
        ":circuit": state(circuit.breaker.state),
        ":reason": circuit.breaker.reason,
        ":since_ms": millis(circuit.breaker.since),
        ":probe_ms": millis(circuit.breaker.probe_at),
        ":marks": json(&marks)?,
        ":measured_ms": millis(circuit.measured_since),
        ":answers": json(&answers)?,
        ":successes": circuit.successes,
        ":asked": circuit.asked,
        ":pass": member.pass,
        ":trial": member.trial.as_ref().map(|lease| lease.as_str()),
        ":claimed_ms": millis(member.claimed_at),
    })?;
    Ok(())
}

fn save_uses(connection: &Connection, before: &Loaded, after: &Pool) -> Outcome<()> {
    for (lease, taken) in &after.uses {
        if before.pool.uses.get(lease) != Some(taken) {
            let sql = "INSERT OR REPLACE INTO provider_uses (pool, lease, provider, probe, ends_ms) \
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let row = (before.id, lease.as_str(), taken.provider.as_str(), taken.probe, taken.ends_at.as_millis());
            connection.prepare_cached(sql)?.execute(row)?;
        }
    }
    for lease in before.pool.uses.keys().filter(|lease| !after.uses.contains_key(*lease)) {
        let sql = "DELETE FROM provider_uses WHERE pool = ?1 AND lease = ?2";
        connection.prepare_cached(sql)?.execute((before.id, lease.as_str()))?;
    }
    Ok(())
}

fn state(state: BreakerState) -> i64 {
    match state {
        BreakerState::Closed => 0,
        BreakerState::Open => 1,
        BreakerState::HalfOpen => 2,
        BreakerState::ForcedOpen => 3,
    }
}

fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millis)
}

fn json<T: Serialize>(value: &T) -> Outcome<String> {
    serde_json::to_string(value).map_err(|e| Error::bug(format!("a list of a provider is not JSON: {e}")).into())
}
