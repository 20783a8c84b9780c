//! Several processes on one file.

use crate::child::{Process, Role};
use crate::letters::{inbox, letter, open, options};
use mainstay_core::api::Code;
use mainstay_core::api::errors::Applied;
use mainstay_sqlite::SqliteOptions;
use std::collections::BTreeMap;

const PROCESSES: usize = 16;
const MESSAGES: usize = 40;

#[tokio::test]
async fn sixteen_processes_create_and_fill_one_file_without_loss_duplicate_or_disorder() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("new/folder/mail.db");
    let mut senders: Vec<Process> = (0..PROCESSES)
        .map(|number| Process::start(&database, &format!("sender{number:02}"), Role::Send(MESSAGES)))
        .collect();
    for sender in &mut senders {
        assert!(sender.wait().success());
    }
    let stores = open(&database).await.unwrap();
    let kept = inbox(&stores, "ada").await;
    let mut by_sender: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for id in &kept {
        by_sender.entry(id.split_once('-').unwrap().0).or_default().push(id);
    }
    assert_eq!(by_sender.len(), PROCESSES);
    for (sender, ids) in by_sender {
        let sent: Vec<String> = (0..MESSAGES).map(|number| format!("{sender}-{number:06}")).collect();
        assert_eq!(ids, sent);
    }
}

#[tokio::test]
async fn a_file_that_stays_locked_is_busy_and_serves_again_when_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("mail.db");
    let stores = mainstay_sqlite::open(SqliteOptions { busy_timeout_ms: 50, ..options(&database) }).await.unwrap();
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = stores.mail.append(letter("m1", "bob", "ada")).await.unwrap_err();
    assert_eq!((refused.code(), refused.problem.applied), (Code::StoreBusy, Applied::No));
    assert!(refused.problem.retryable);
    stores.probe.ping().await.expect("readers are not locked out");
    other.execute_batch("COMMIT").unwrap();
    stores.mail.append(letter("m1", "bob", "ada")).await.unwrap();
    assert_eq!(inbox(&stores, "ada").await, ["m1"]);
}

#[tokio::test]
async fn a_process_that_keeps_the_commit_lock_makes_others_busy_and_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("mail.db");
    let stores = mainstay_sqlite::open(SqliteOptions { busy_timeout_ms: 50, ..options(&database) }).await.unwrap();
    let lock = std::fs::OpenOptions::new().write(true).open(folder.path().join("mail.db-lock")).unwrap();
    lock.lock().unwrap();
    for _ in 0..2 {
        let refused = stores.mail.append(letter("m1", "bob", "ada")).await.unwrap_err();
        assert_eq!((refused.code(), refused.problem.applied), (Code::StoreBusy, Applied::No));
    }
    lock.unlock().unwrap();
    // The two waits that were given up may still be ahead.
    while let Err(error) = stores.mail.append(letter("m1", "bob", "ada")).await {
        assert_eq!(error.code(), Code::StoreBusy);
    }
    let second = open(&database).await.unwrap();
    second.mail.append(letter("m2", "bob", "ada")).await.expect("the lock is free for others too");
    assert_eq!(inbox(&stores, "ada").await, ["m1", "m2"]);
}
