//! Connections, and how each is set up.

use crate::errors::{Failure, from_sqlite, unavailable};
use crate::options::SqliteOptions;
use crate::schema::{self, Schema};
use mainstay_core::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Statements that one connection keeps prepared: more than there are in this crate.
const STATEMENTS: usize = 128;
/// Pages that the writer keeps in memory, in KiB.
const WRITER_CACHE_KIB: i64 = 32 * 1_024;

/// Opens the connection of the writer on a file, and brings the file to this version's schema.
pub(crate) fn open_writer(path: &Path, options: &SqliteOptions, schema: Schema) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_millis(options.busy_timeout_ms))?;
        // The writer checkpoints as the log grows. Doing it at every close would cost each short-lived process
        // two more syncs.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok::<_, rusqlite::Error>(connection)
    };
    let named = |error: Error| naming(error, path);
    let connection = open().map_err(|error| named(from_sqlite(&error)))?;
    schema::ensure_file(&connection, path, options, schema).map_err(named)?;
    set_up_writer(&connection).map_err(|error| named(error.into()))?;
    if connection.is_readonly("main").map_err(|error| from_sqlite(&error))? {
        return Err(named(unavailable("the database file may not be written", "opened read-only")));
    }
    Ok(connection)
}

/// Opens a database in memory.
pub(crate) fn open_memory(schema: Schema) -> Result<Connection> {
    let open = || {
        let connection = Connection::open_in_memory()?;
        schema::migrate(&connection, schema)?;
        set_up_writer(&connection)?;
        Ok::<_, Failure>(connection)
    };
    open().map_err(Error::from)
}

/// Opens a connection that only reads.
pub(crate) fn open_reader(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_millis(options.busy_timeout_ms))?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "temp_store", "memory")?;
        Ok::<_, rusqlite::Error>(connection)
    };
    open().map_err(|error| from_sqlite(&error))
}

fn set_up_writer(connection: &Connection) -> Result<(), Failure> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Savepoints keep their undo pages in memory instead of in a temporary file.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    Ok(())
}

/// Names the file in an error of opening it: only who started the process reads that, never a remote caller.
fn naming(mut error: Error, path: &Path) -> Error {
    error.problem.detail = format!("{}: {}", path.display(), error.problem.detail);
    error
}
