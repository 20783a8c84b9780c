//! SQLite keeps what the ports promise, in a file and in memory.

use mainstay_sqlite::SqliteOptions;
use mainstay_testkit::conformance::Bed;

async fn file() -> Bed {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("mainstay.db").display());
    let stores = mainstay_sqlite::open(SqliteOptions::from_url(&url).unwrap()).await.unwrap();
    Bed::new(stores, folder)
}

mainstay_testkit::conformance!(sqlite_file, file());
mainstay_testkit::conformance!(sqlite_memory, async {
    Bed::new(mainstay_sqlite::open(SqliteOptions::from_url("sqlite::memory:").unwrap()).await.unwrap(), ())
});
mainstay_testkit::sequences!(sqlite_file_sequences, file());
