//! Registered instances: adding, listing and removing them.

use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::api::presence::RegisterInstance;
use mainstay_core::api::{InstanceId, Namespace, Timestamp};
use mainstay_core::presence::{PresenceRow, Register, RegisterOutcome};
use mainstay_core::{Error, Topic};
use rusqlite::{Connection, OptionalExtension, named_params};
use std::collections::HashSet;

/// See [`mainstay_core::presence::PresenceStore::register`].
pub(super) fn register(connection: &Connection, register: &Register, wakes: &mut Wakes) -> Outcome<RegisterOutcome> {
    let namespace = names::intern_namespace(connection, &register.namespace)?;
    let known = find(connection, namespace, &register.instance)?.is_some();
    if !known && is_full(connection, namespace, register.max_instances)? {
        return Ok(RegisterOutcome::Full);
    }
    put(connection, namespace, &register.instance, &register.details, register.now)?;
    wakes.topic(Topic::Presence(register.namespace.clone()));
    Ok(RegisterOutcome::Registered)
}

/// What an instance said of itself, where it is registered.
pub(super) fn find(
    connection: &Connection,
    namespace: i64,
    instance: &InstanceId,
) -> Outcome<Option<RegisterInstance>> {
    let sql = "SELECT details FROM presence WHERE namespace = ?1 AND instance = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let details: Option<String> = statement.query_row((namespace, instance.as_str()), |row| row.get(0)).optional()?;
    details.as_deref().map(parse).transpose()
}

/// Whether a run, or any where it is not said, holds the name.
pub(super) fn holds(details: &RegisterInstance, session_id: Option<&str>) -> bool {
    session_id.is_none() || details.session_id.as_deref() == session_id
}

/// Whether the namespace may take no further instance.
pub(super) fn is_full(connection: &Connection, namespace: i64, max_instances: u32) -> Outcome<bool> {
    let sql = "SELECT count(*) FROM presence WHERE namespace = ?1";
    let count: u64 = connection.prepare_cached(sql)?.query_row([namespace], |row| row.get(0))?;
    Ok(count >= u64::from(max_instances))
}

/// Stores an instance that registers now.
pub(super) fn put(
    connection: &Connection,
    namespace: i64,
    instance: &InstanceId,
    details: &RegisterInstance,
    now: Timestamp,
) -> Outcome<()> {
    connection.prepare_cached(include_str!("instances_put.sql"))?.execute(named_params! {
        ":namespace": namespace,
        ":instance": instance.as_str(),
        ":details": to_json(details)?,
        ":now_ms": now.as_millis(),
    })?;
    Ok(())
}

/// The form in which it is kept what an instance says of itself.
pub(super) fn to_json(details: &RegisterInstance) -> Outcome<String> {
    serde_json::to_string(details).map_err(|e| Error::bug(format!("a registration is not JSON: {e}")).into())
}

/// See [`mainstay_core::presence::PresenceStore::list`].
pub(super) fn list(connection: &Connection, namespace: &Namespace) -> Outcome<Vec<PresenceRow>> {
    let Some(namespace) = names::namespace(connection, namespace)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(include_str!("instances_list.sql"))?;
    let mut rows = statement.query([namespace])?;
    let mut instances = Vec::new();
    while let Some(row) = rows.next()? {
        instances.push(PresenceRow {
            instance: names::parse_instance(row.get(0)?)?,
            details: parse(&row.get::<_, String>(1)?)?,
            registered_at: Timestamp::from_millis(row.get(2)?),
            last_beat: Timestamp::from_millis(row.get(3)?),
        });
    }
    Ok(instances)
}

/// A registration to end.
pub(super) struct Unregister {
    pub namespace: Namespace,
    pub instance: InstanceId,
    pub session_id: Option<String>,
}

/// See [`mainstay_core::presence::PresenceStore::unregister`].
pub(super) fn unregister(connection: &Connection, end: &Unregister, wakes: &mut Wakes) -> Outcome<bool> {
    let Some(namespace) = names::namespace(connection, &end.namespace)? else { return Ok(false) };
    let Some(details) = find(connection, namespace, &end.instance)? else { return Ok(false) };
    if !holds(&details, end.session_id.as_deref()) {
        return Ok(false);
    }
    let sql = "DELETE FROM presence WHERE namespace = ?1 AND instance = ?2";
    connection.prepare_cached(sql)?.execute((namespace, end.instance.as_str()))?;
    wakes.topic(Topic::Presence(end.namespace.clone()));
    Ok(true)
}

/// See [`mainstay_core::presence::PresenceStore::purge`].
pub(super) fn purge(connection: &Connection, before: Timestamp, limit: u32, wakes: &mut Wakes) -> Outcome<u32> {
    let mut statement = connection.prepare_cached(include_str!("instances_silent.sql"))?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let silent: Vec<(i64, String, String)> =
        statement.query_map((before.as_millis(), limit), read)?.collect::<Result<_, _>>()?;
    let mut changed = HashSet::new();
    for (namespace, instance, name) in &silent {
        let sql = "DELETE FROM presence WHERE namespace = ?1 AND instance = ?2";
        connection.prepare_cached(sql)?.execute((namespace, instance))?;
        changed.insert(name.clone());
    }
    for name in changed {
        wakes.topic(Topic::Presence(names::parse_namespace(name)?));
    }
    Ok(u32::try_from(silent.len()).unwrap_or(u32::MAX))
}

fn parse(details: &str) -> Outcome<RegisterInstance> {
    serde_json::from_str(details)
        .map_err(|e| Error::inconsistent(format!("a stored registration cannot be read: {e}")).into())
}
