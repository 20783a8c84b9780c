//! What was used, and the end of what is remembered.

use super::admitting;
use crate::errors::Outcome;
use crate::names;
use mainstay_core::api::Timestamp;
use mainstay_core::providers::keys::{
    ListUsage, MINUTE_MS, SETTLE_WITHIN_MS, Settle, Spent, UsagePlace, UsageRow, day_of,
};
use rusqlite::{Connection, Row, named_params};

/// Rows of each kind that one purge removes.
const PURGE_ROWS: u32 = 1_000;
/// What models and providers are told as where a day has as many rows as it may.
const OTHERS: &str = "*";

/// See [`mainstay_core::providers::keys::KeyStore::settle`].
pub(super) fn settle(connection: &Connection, settle: &Settle) -> Outcome<bool> {
    if settle.admitted_at.as_millis() <= settle.now.as_millis() - SETTLE_WITHIN_MS {
        return Ok(false);
    }
    if let Some(digest) = &settle.digest {
        admitting::release(connection, digest, settle)?;
    }
    let namespace = names::intern_namespace(connection, &settle.namespace)?;
    let sql = "INSERT OR IGNORE INTO gateway_settled (namespace, request, admitted_ms) VALUES (?1, ?2, ?3)";
    let memo = (namespace, settle.request.as_str(), settle.admitted_at.as_millis());
    if connection.prepare_cached(sql)?.execute(memo)? == 0 {
        return Ok(false);
    }
    add(connection, namespace, settle)?;
    Ok(true)
}

fn add(connection: &Connection, namespace: i64, settle: &Settle) -> Outcome<()> {
    let day = day_of(settle.admitted_at);
    let (pool, spent) = (settle.pool.as_str(), &settle.spent);
    let (mut provider, mut model) = (settle.provider.as_str(), settle.model.as_str());
    let sql = "SELECT 1 FROM gateway_usage
        WHERE namespace = ?1 AND day = ?2 AND label = ?3 AND pool = ?4 AND provider = ?5 AND model = ?6";
    let row = (namespace, day, &settle.label, pool, provider, model);
    if !connection.prepare_cached(sql)?.exists(row)? {
        let sql = "SELECT count(*) FROM gateway_usage WHERE namespace = ?1 AND day = ?2";
        let rows: u64 = connection.prepare_cached(sql)?.query_row((namespace, day), |row| row.get(0))?;
        if rows >= u64::from(settle.max_rows) {
            (provider, model) = (OTHERS, OTHERS);
        }
    }
    connection.prepare_cached(include_str!("usage_add.sql"))?.execute(named_params! {
        ":namespace": namespace,
        ":day": day,
        ":label": settle.label,
        ":pool": pool,
        ":provider": provider,
        ":model": model,
        ":failed": settle.failed,
        ":input_tokens": spent.input_tokens,
        ":cached_tokens": spent.cached_tokens,
        ":output_tokens": spent.output_tokens,
        ":cost": spent.cost,
        ":estimated": !spent.reported,
    })?;
    Ok(())
}

/// See [`mainstay_core::providers::keys::KeyStore::usage`].
pub(super) fn list(connection: &Connection, list: &ListUsage) -> Outcome<Vec<UsageRow>> {
    let Some(namespace) = names::namespace(connection, &list.namespace)? else { return Ok(Vec::new()) };
    let start =
        UsagePlace { day: 0, label: String::new(), pool: String::new(), provider: String::new(), model: String::new() };
    let after = list.after.as_ref().unwrap_or(&start);
    let mut statement = connection.prepare_cached(include_str!("usage_list.sql"))?;
    let mut rows = statement.query(named_params! {
        ":namespace": namespace,
        ":from_day": list.from_day,
        ":to_day": list.to_day,
        ":label": list.label,
        ":limit": list.limit,
        ":day": after.day,
        ":after_label": after.label,
        ":pool": after.pool,
        ":provider": after.provider,
        ":model": after.model,
    })?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        listed.push(read(row)?);
    }
    Ok(listed)
}

fn read(row: &Row<'_>) -> Outcome<UsageRow> {
    let place = UsagePlace {
        day: row.get(0)?,
        label: row.get(1)?,
        pool: row.get(2)?,
        provider: row.get(3)?,
        model: row.get(4)?,
    };
    let spent = Spent {
        input_tokens: row.get(7)?,
        cached_tokens: row.get(8)?,
        output_tokens: row.get(9)?,
        cost: row.get(10)?,
        reported: row.get::<_, u64>(11)? == 0,
    };
    Ok(UsageRow { place, requests: row.get(5)?, failed: row.get(6)?, spent })
}

/// See [`mainstay_core::providers::keys::KeyStore::purge`].
pub(super) fn purge(connection: &Connection, now: Timestamp, before_day: u32) -> Outcome<bool> {
    let (minute_ago, settled) = (now.as_millis() - MINUTE_MS, now.as_millis() - SETTLE_WITHIN_MS);
    let gone = [
        connection.prepare_cached(include_str!("requests_over.sql"))?.execute((minute_ago, settled, PURGE_ROWS))?,
        connection.prepare_cached(include_str!("settled_over.sql"))?.execute((settled, PURGE_ROWS))?,
        connection.prepare_cached(include_str!("usage_over.sql"))?.execute((before_day, PURGE_ROWS))?,
    ];
    Ok(gone.contains(&(PURGE_ROWS as usize)))
}
