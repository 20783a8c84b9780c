//! The lease of a refresh.

use super::records::{self, find, whose};
use crate::errors::Outcome;
use crate::providers::topic;
use crate::wakeups::Wakes;
use mainstay_core::Error;
use mainstay_core::api::Timestamp;
use mainstay_core::clock::next_revision;
use mainstay_core::providers::credentials::{
    BeginRefresh, Begun, CredentialOutcome, DueCredential, FailRefresh, FinishRefresh, ListDue, RefreshEnd,
};
use rusqlite::{Connection, named_params};

/// See [`mainstay_core::providers::credentials::CredentialStore::begin_refresh`].
pub(super) fn begin(connection: &Connection, begin: &BeginRefresh) -> Outcome<Begun> {
    let Some(record) = find(connection, &begin.pool, &begin.provider)? else { return Ok(Begun::NotFound) };
    if record.version > begin.seen {
        return Ok(Begun::Newer(Box::new(record)));
    }
    let refresh = &record.refresh;
    if let Some(until) = refresh.held_until.filter(|until| *until > begin.now) {
        let again = refresh.holder.as_ref() == Some(&begin.holder);
        return Ok(if again { Begun::Granted(Box::new(record)) } else { Begun::Held(until) });
    }
    if let Some(reason) = refresh.dead.as_ref().filter(|_| !begin.forced) {
        return Ok(Begun::Dead(reason.clone()));
    }
    if let Some(until) = refresh.not_before.filter(|until| *until > begin.now && !begin.forced) {
        return Ok(Begun::Waiting(until));
    }
    connection.prepare_cached(include_str!("begin.sql"))?.execute(named_params! {
        ":namespace": begin.pool.namespace.as_str(),
        ":pool": begin.pool.pool.as_str(),
        ":provider": begin.provider.as_str(),
        ":fence": next_revision(refresh.fence, begin.now),
        ":until_ms": begin.until.as_millis(),
        ":holder": begin.holder,
    })?;
    let granted = find(connection, &begin.pool, &begin.provider)?;
    let granted = granted.ok_or_else(|| Error::inconsistent("a credential is gone in the step that leases it"))?;
    Ok(Begun::Granted(Box::new(granted)))
}

/// See [`mainstay_core::providers::credentials::CredentialStore::finish_refresh`].
pub(super) fn finish(connection: &Connection, finish: &FinishRefresh, wakes: &mut Wakes) -> Outcome<CredentialOutcome> {
    records::put(connection, &finish.put, wakes)
}

/// See [`mainstay_core::providers::credentials::CredentialStore::fail_refresh`].
pub(super) fn fail(connection: &Connection, fail: &FailRefresh, wakes: &mut Wakes) -> Outcome<bool> {
    let (failed, not_before, dead, in_doubt) = match &fail.end {
        RefreshEnd::Unused => (0, None, None, false),
        RefreshEnd::Transient { until, in_doubt } => (1, Some(until.as_millis()), None, *in_doubt),
        RefreshEnd::Dead(reason) => (1, None, Some(reason), false),
    };
    let ended = connection.prepare_cached(include_str!("fail.sql"))?.execute(named_params! {
        ":namespace": fail.pool.namespace.as_str(),
        ":pool": fail.pool.pool.as_str(),
        ":provider": fail.provider.as_str(),
        ":version": fail.version,
        ":fence": fail.fence,
        ":failed": failed,
        ":not_before_ms": not_before,
        ":dead": dead,
        ":in_doubt": in_doubt,
    })?;
    if ended > 0 {
        wakes.topic(topic(&fail.pool));
    }
    Ok(ended > 0)
}

/// See [`mainstay_core::providers::credentials::CredentialStore::due`].
pub(super) fn due(connection: &Connection, list: ListDue) -> Outcome<Vec<DueCredential>> {
    let mut statement = connection.prepare_cached(include_str!("due.sql"))?;
    let mut rows = statement.query((list.now.as_millis(), list.limit))?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        let (pool, provider) = whose(row)?;
        let refresh_at = Timestamp::from_millis(row.get(4)?);
        due.push(DueCredential { pool, provider, version: row.get(3)?, refresh_at });
    }
    Ok(due)
}
