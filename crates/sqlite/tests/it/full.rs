//! A disk that is full.
#![cfg(unix)]

use crate::child::{Process, Role, acknowledged};
use crate::letters::{inbox, letter, open};
use std::process::Command;

#[tokio::test]
async fn a_full_disk_is_said_and_what_was_acknowledged_is_safe() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("mail.db");
    open(&database).await.unwrap().probe.close().await;
    // A limit on the size of files fails a write where a full disk would, and needs no disk of its own.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    let mut sender = Process::start_as(limited, &database, "sender", Role::SendUntilFull);
    assert!(sender.wait().success());

    let mut told = acknowledged(&database, "sender");
    assert_eq!(told.pop().as_deref(), Some("full No"), "nothing of the last was applied");
    assert!(told.len() > 10, "the disk was full at once");
    let stores = open(&database).await.unwrap();
    assert_eq!(inbox(&stores, "ada").await.len(), told.len());
    stores.mail.append(letter("after", "bob", "ada")).await.expect("there is room again");
}
