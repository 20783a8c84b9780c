//! Files that are not as they should be, and those that are.

use crate::letters::{letter, open};
use mainstay_core::api::Code;
use std::path::Path;

async fn refusal(path: &Path) -> mainstay_core::Error {
    match open(path).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

fn files_in(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_newer_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.db");
    let stores = open(&path).await.unwrap();
    stores.mail.append(letter("m1", "bob", "ada")).await.unwrap();
    stores.probe.close().await;
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();

    let error = refusal(&path).await;
    assert_eq!(error.code(), Code::StoreIncompatible);
    assert!(error.problem.detail.contains("99"), "{error}");
    assert!(std::fs::read(&path).unwrap() == before, "the file was changed");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();

    assert_eq!(refusal(&path).await.code(), Code::StoreIncompatible);
    assert!(std::fs::read(&path).unwrap() == before, "the file was changed");
    assert_eq!(files_in(folder.path()), ["other.db"], "nothing was put beside it");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a database, but long enough to look like one\n".repeat(100)).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert_eq!(refusal(&path).await.code(), Code::StoreIncompatible);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(files_in(folder.path()), ["notes.txt"]);
}

#[tokio::test]
async fn a_damaged_file_is_said_to_be_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.db");
    open(&path).await.unwrap().probe.close().await;
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4_096..].fill(0xee);
    std::fs::write(&path, bytes).unwrap();
    let error = match open(&path).await {
        Ok(stores) => stores.mail.append(letter("m1", "bob", "ada")).await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.code(), Code::StoreInconsistent);
    assert!(error.problem.detail.contains("damaged"), "{error}");
}

#[tokio::test]
async fn a_place_that_cannot_be_is_unavailable_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [file.join("mail.db"), folder.path().to_owned()] {
        let error = refusal(&path).await;
        assert_eq!(error.code(), Code::StoreUnavailable, "{error}");
        assert!(error.problem.detail.contains(folder.path().to_str().unwrap()), "{error}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_and_their_folder_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/mail.db");
    let stores = open(&path).await.unwrap();
    stores.mail.append(letter("m1", "bob", "ada")).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path().join("deep")), 0o700);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let names = files_in(path.parent().unwrap());
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        assert_eq!(mode(&path.with_file_name(&name)), 0o600, "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_acknowledged_that_goes_into_a_file_which_was_removed_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("mail.db"), folder.path().join("aside.db"));
    let stores = open(&path).await.unwrap();
    stores.mail.append(letter("m1", "bob", "ada")).await.unwrap();
    std::fs::rename(&path, &aside).unwrap();
    let error = stores.mail.append(letter("m2", "bob", "ada")).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
    std::fs::write(&path, "another").unwrap();
    assert!(stores.mail.append(letter("m3", "bob", "ada")).await.is_err());
    // A file that is back where it was is the same file.
    std::fs::rename(&aside, &path).unwrap();
    stores.mail.append(letter("m4", "bob", "ada")).await.unwrap();
}

#[tokio::test]
async fn what_is_in_memory_is_gone_when_it_is_closed() {
    let options = || mainstay_sqlite::SqliteOptions::from_url("sqlite::memory:").unwrap();
    let stores = mainstay_sqlite::open(options()).await.unwrap();
    assert!(!stores.info.durable && !stores.info.warnings.is_empty());
    stores.mail.append(letter("m1", "bob", "ada")).await.unwrap();
    stores.probe.close().await;
    stores.probe.close().await;
    assert_eq!(stores.probe.ping().await.unwrap_err().code(), Code::StoreUnavailable);
    let stores = mainstay_sqlite::open(options()).await.unwrap();
    assert!(crate::letters::inbox(&stores, "ada").await.is_empty());
}

#[tokio::test]
async fn the_log_stays_bounded_where_every_message_comes_from_a_process_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.db");
    let mut largest = 0;
    for number in 0..300 {
        let stores = open(&path).await.unwrap();
        stores.mail.append(letter(&format!("m{number}"), "bob", "ada")).await.unwrap();
        stores.probe.close().await;
        largest = largest.max(std::fs::metadata(folder.path().join("mail.db-wal")).unwrap().len());
    }
    // 256 pages, and what one more commit adds; without a bound it would be thousands.
    assert!(largest < 356 * 4_120, "the log has grown to {largest} bytes");
    assert!(largest > 128 * 4_120, "too few messages to tell: {largest} bytes");
}
