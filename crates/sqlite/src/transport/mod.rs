//! The choice of a transport on SQLite.

use crate::errors::Outcome;
use crate::names;
use crate::store::Store;
use crate::wakeups::Wakes;
use async_trait::async_trait;
use mainstay_core::api::{Namespace, RawJson, Timestamp};
use mainstay_core::events::{SetTransport, TransportOutcome, TransportRecord, TransportStore};
use mainstay_core::{Error, Result, Topic};
use rusqlite::{Connection, OptionalExtension, named_params};
use std::sync::Arc;

/// The choice of a transport in a store.
pub(crate) struct SqliteTransport {
    store: Arc<Store>,
}

impl SqliteTransport {
    /// The choice of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl TransportStore for SqliteTransport {
    async fn transport(&self, namespace: &Namespace) -> Result<Option<TransportRecord>> {
        let namespace = namespace.clone();
        self.store.read(move |connection| find(connection, &namespace)).await
    }

    async fn set_transport(&self, change: SetTransport) -> Result<TransportOutcome> {
        self.store.write(move |connection, wakes| set(connection, &change, wakes)).await
    }
}

fn find(connection: &Connection, namespace: &Namespace) -> Outcome<Option<TransportRecord>> {
    let Some(namespace) = names::namespace(connection, namespace)? else { return Ok(None) };
    let sql = "SELECT settings, version, updated_ms, updated_by FROM transports WHERE namespace = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    type Row = (String, u64, i64, String);
    let row: Option<Row> =
        statement.query_row([namespace], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional()?;
    let Some((settings, version, updated_ms, updated_by)) = row else { return Ok(None) };
    let settings = RawJson::parse(&settings)
        .map_err(|e| Error::inconsistent(format!("the stored settings of a transport cannot be read: {e}")))?;
    Ok(Some(TransportRecord { settings, version, updated_at: Timestamp::from_millis(updated_ms), updated_by }))
}

fn set(connection: &Connection, change: &SetTransport, wakes: &mut Wakes) -> Outcome<TransportOutcome> {
    let known = find(connection, &change.namespace)?;
    let current = known.as_ref().map_or(0, |known| known.version);
    let repeated = known.is_some_and(|known| {
        known.settings == change.settings && known.updated_at == change.now && known.updated_by == change.by
    });
    if repeated {
        return Ok(TransportOutcome::Stored(current));
    }
    if change.expected.is_some_and(|expected| expected != current) {
        return Ok(TransportOutcome::Conflict { current });
    }
    let namespace = names::intern_namespace(connection, &change.namespace)?;
    connection.prepare_cached(include_str!("set.sql"))?.execute(named_params! {
        ":namespace": namespace,
        ":settings": change.settings.as_str(),
        ":version": current + 1,
        ":now_ms": change.now.as_millis(),
        ":by": change.by,
    })?;
    wakes.topic(Topic::Transport(change.namespace.clone()));
    Ok(TransportOutcome::Stored(current + 1))
}
