//! Hints, within the process and across processes.

use crate::child::{Process, Role};
use crate::letters::{inbox, instance, letter, open};
use futures::StreamExt;
use futures::stream::BoxStream;
use mainstay_core::api::Namespace;
use mainstay_core::{Hint, Topic};
use std::time::Duration;

/// The longest that a hint may take: far beyond what any does.
const MAX_WAIT: Duration = Duration::from_secs(20);

async fn next(hints: &mut BoxStream<'static, Hint>) -> Hint {
    tokio::time::timeout(MAX_WAIT, hints.next()).await.expect("no hint came").expect("the hints have ended")
}

#[tokio::test]
async fn a_write_of_another_process_wakes_and_is_there_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("mail.db");
    let stores = open(&database).await.unwrap();
    let mut hints = stores.hints.subscribe();
    let mut sender = Process::start(&database, "bob", Role::Send(1));
    while inbox(&stores, "ada").await.is_empty() {
        assert_eq!(next(&mut hints).await, Hint::Everything);
    }
    assert!(sender.wait().success());
}

#[tokio::test]
async fn a_process_that_cannot_tell_of_its_write_is_noticed_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("mail.db");
    let stores = open(&database).await.unwrap();
    let mut hints = stores.hints.subscribe();
    // The first look at the database always gives a hint.
    assert_eq!(next(&mut hints).await, Hint::Everything);
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("INSERT INTO namespaces (name) VALUES ('written by hand')").unwrap();
    assert_eq!(next(&mut hints).await, Hint::Everything);
}

#[tokio::test]
async fn a_write_of_this_process_names_its_topic() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(&folder.path().join("mail.db")).await.unwrap();
    let mut hints = stores.hints.subscribe();
    stores.mail.append(letter("m1", "bob", "ada")).await.unwrap();
    let topic = Hint::Topic(Topic::Mail(Namespace::default(), instance("ada")));
    while next(&mut hints).await != topic {}
}

#[tokio::test]
async fn a_reader_that_falls_behind_is_told_that_anything_may_have_changed() {
    let options = mainstay_sqlite::SqliteOptions::from_url("sqlite::memory:").unwrap();
    let stores = mainstay_sqlite::open(options).await.unwrap();
    let mut hints = stores.hints.subscribe();
    for number in 0..1_100 {
        stores.mail.append(letter(&format!("m{number}"), "bob", "ada")).await.unwrap();
    }
    assert_eq!(next(&mut hints).await, Hint::Everything);
}
