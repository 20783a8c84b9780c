//! What was acknowledged outlives the process.

use crate::child::{Process, Role, acknowledged};
use crate::letters::{inbox, instance, message, now, open};
use mainstay_core::api::Namespace;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("mail.db");
    for round in 1..=3 {
        let name = format!("round{round}");
        let sender = Process::start(&database, &name, Role::SendForEver);
        let began = Instant::now();
        while acknowledged(&database, &name).len() < 200 {
            assert!(began.elapsed() < Duration::from_secs(60), "the sender does not get anywhere");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        sender.kill();

        let stores = open(&database).await.unwrap();
        let kept = inbox(&stores, "ada").await;
        let distinct: BTreeSet<&String> = kept.iter().collect();
        assert_eq!(distinct.len(), kept.len(), "a message is there twice");
        for id in (1..=round).flat_map(|round| acknowledged(&database, &format!("round{round}"))) {
            assert!(distinct.contains(&id), "{id} was acknowledged and is gone");
            let found = stores.mail.find(&Namespace::default(), &message(&id), None, now()).await.unwrap();
            assert!(found.is_some(), "{id} cannot be found");
        }
        let counts = stores.mail.counts(&Namespace::default(), &instance("ada")).await.unwrap();
        assert_eq!((counts.total, counts.pending), (kept.len() as u64, kept.len() as u64));
        stores.probe.close().await;
    }
    let connection = rusqlite::Connection::open(&database).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}
