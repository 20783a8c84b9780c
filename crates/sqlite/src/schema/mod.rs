//! The schema, as numbered steps that only go forward.

use crate::errors::{Failure, Outcome, from_sqlite, incompatible};
use crate::files;
use crate::lock::CommitLock;
use crate::options::SqliteOptions;
use mainstay_core::{Error, Result};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::time::{Duration, Instant};

/// Marks a database file as ours: `Mstn` in ASCII.
const APPLICATION_ID: i64 = 0x4d73_746e;
/// The steps; the number of a step is its place, from 1.
const MIGRATIONS: [&str; 15] = [
    include_str!("0001_coordination.sql"),
    include_str!("0002_identity.sql"),
    include_str!("0003_audit.sql"),
    include_str!("0004_conversations.sql"),
    include_str!("0005_events.sql"),
    include_str!("0006_groups.sql"),
    include_str!("0007_rooms.sql"),
    include_str!("0008_transport.sql"),
    include_str!("0009_connections.sql"),
    include_str!("0010_credentials.sql"),
    include_str!("0011_documents.sql"),
    include_str!("0012_providers.sql"),
    include_str!("0013_gateway_keys.sql"),
    include_str!("0014_pool_counts.sql"),
    include_str!("0015_provider_checks.sql"),
];
/// Marks the file of an outage as ours: `Msto` in ASCII.
const OUTAGE_ID: i64 = 0x4d73_746f;
/// The steps of the file of an outage.
const OUTAGE_MIGRATIONS: [&str; 1] = [include_str!("outage_0001.sql")];

/// What a file holds, and how it comes to do so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    application_id: i64,
    steps: &'static [&'static str],
}

/// The schema of a store.
pub(crate) const STORE: Schema = Schema { application_id: APPLICATION_ID, steps: &MIGRATIONS };
/// The schema of what a node keeps while its store is away.
pub(crate) const OUTAGE: Schema = Schema { application_id: OUTAGE_ID, steps: &OUTAGE_MIGRATIONS };
/// How long to wait before asking again for the lock that switching to the write-ahead log needs.
const SWITCH_RETRY: Duration = Duration::from_millis(5);

/// What a file is.
enum State {
    /// Ours, at this version.
    Current,
    /// Ours, from an earlier version, or empty.
    Behind,
}

/// Brings a file to this version. A file that is newer, or not ours, is refused before anything is written.
pub(crate) fn ensure_file(connection: &Connection, path: &Path, options: &SqliteOptions, schema: Schema) -> Result<()> {
    if matches!(inspect_at_once(connection, schema)?, State::Current) {
        return Ok(());
    }
    let timeout = Duration::from_millis(options.busy_timeout_ms);
    let _held = CommitLock::open(&files::beside(path, "-lock"))?.acquire(timeout)?;
    switch_to_wal(connection, timeout)?;
    migrate(connection, schema).map_err(Error::from)
}

/// Runs the steps that the file lacks, all of them or none.
pub(crate) fn migrate(connection: &Connection, schema: Schema) -> Outcome<()> {
    let transaction = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Another process may have done it since the file was inspected.
    if matches!(inspect(&transaction, schema)?, State::Behind) {
        for step in &schema.steps[version(&transaction)?.min(schema.steps.len())..] {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", schema.application_id)?;
        transaction.pragma_update(None, "user_version", schema.steps.len())?;
    }
    Ok(transaction.commit()?)
}

/// Inspects one moment of the file: read one after the other, the empty file of before and the tables that another
/// process made meanwhile would look like a database of another program.
fn inspect_at_once(connection: &Connection, schema: Schema) -> Result<State> {
    let moment = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Deferred)
        .map_err(|error| from_sqlite(&error))?;
    inspect(&moment, schema)
}

fn inspect(connection: &Connection, schema: Schema) -> Result<State> {
    let read = || {
        let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        Ok::<_, Failure>((application, version(connection)?))
    };
    let (application, version) = read().map_err(Error::from)?;
    if application == schema.application_id {
        return match version {
            newer if newer > schema.steps.len() => Err(incompatible(format!(
                "the database has the schema {newer}, and this version of Mainstay knows schemas up to {}",
                schema.steps.len()
            ))),
            current if current == schema.steps.len() => Ok(State::Current),
            _ => Ok(State::Behind),
        };
    }
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| from_sqlite(&error))?;
    if application == 0 && version == 0 && tables == 0 {
        return Ok(State::Behind);
    }
    Err(incompatible("the file is a database of another program"))
}

fn version(connection: &Connection) -> Outcome<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(version).map_err(|_| incompatible("the database has a negative schema version").into())
}

/// Switches to the write-ahead log, for good. SQLite does not wait for others here, so this does.
fn switch_to_wal(connection: &Connection, timeout: Duration) -> Result<()> {
    let began = Instant::now();
    loop {
        let switched = connection
            .query_row("PRAGMA journal_mode = wal", [], |row| row.get::<_, String>(0))
            .map_err(|e| from_sqlite(&e));
        match switched {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(mode) => return Err(incompatible(format!("the file system allows no write-ahead log (only {mode})"))),
            Err(error) if error.problem.code != mainstay_core::api::Code::StoreBusy => return Err(error),
            Err(error) if began.elapsed() >= timeout => return Err(error),
            Err(_) => std::thread::sleep(SWITCH_RETRY),
        }
    }
}
