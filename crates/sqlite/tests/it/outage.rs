//! What a node keeps on its own disk while its store is away.

use crate::child::{Process, Role, acknowledged, log_of};
use crate::letters::{now, open};
use mainstay_core::api::Code;
use mainstay_core::api::Timestamp;
use mainstay_core::outage::{
    Discard, EntryState, Held, Journal, JournalBounds, Journaled, NewEntry, Rewritten, Settlement, Snapshot, Snapshots,
};
use mainstay_sqlite::OutageFile;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

fn entry(request: &str, body: &str) -> NewEntry {
    NewEntry {
        kind: "documents".into(),
        request: request.into(),
        subject: "team settings/main".into(),
        body: body.into(),
        by: "ada".into(),
        at: now(),
    }
}

async fn keep(file: &OutageFile, request: &str) -> u64 {
    match file.append(entry(request, request), JournalBounds::default()).await.unwrap() {
        Journaled::Kept(seq) => seq,
        other => panic!("{other:?}"),
    }
}

async fn bodies(file: &OutageFile) -> Vec<String> {
    file.waiting(0, 100).await.unwrap().into_iter().map(|entry| entry.write.body).collect()
}

/// What a child does that is killed in the middle of it.
pub async fn keep_for_ever(path: &Path, name: &str) {
    let file = OutageFile::open(path.to_owned()).await.unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let (file, name) = (file.clone(), name.to_owned());
            let mut log = OpenOptions::new().create(true).append(true).open(log_of(path, &name)).unwrap();
            tokio::spawn(async move {
                for number in 0.. {
                    let seq = keep(&file, &format!("{name}-{task}-{number}")).await;
                    log.write_all(format!("{seq} {name}-{task}-{number}\n").as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn no_write_that_was_kept_is_lost_when_the_process_is_killed_in_the_middle_of_keeping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outage.db");
    for round in 1..=3 {
        let name = format!("round{round}");
        let child = Process::start(&path, &name, Role::KeepForEver);
        let began = Instant::now();
        while acknowledged(&path, &name).len() < 100 {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing is kept");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        child.kill();
    }
    let file = OutageFile::open(path.clone()).await.unwrap();
    let kept = file.entries(0, 100_000).await.unwrap();
    let found: Vec<String> = kept.iter().map(|entry| format!("{} {}", entry.seq, entry.write.request)).collect();
    for line in (1..=3).flat_map(|round| acknowledged(&path, &format!("round{round}"))) {
        assert!(found.contains(&line), "{line} was acknowledged and is gone");
    }
    assert!(kept.is_sorted_by_key(|entry| entry.seq));
    let held = file.held().await.unwrap();
    assert_eq!((held.waiting, held.refused), (kept.len() as u64, 0));
}

#[tokio::test]
async fn a_write_that_is_repeated_is_kept_once_and_the_order_is_that_of_keeping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outage.db");
    let file = OutageFile::open(path.clone()).await.unwrap();
    let first = keep(&file, "a").await;
    keep(&file, "b").await;
    let again = file.append(entry("a", "another text"), JournalBounds::default()).await.unwrap();
    let Journaled::Known(known) = again else { panic!("{again:?}") };
    assert_eq!((known.seq, known.write.body.as_str()), (first, "a"));
    file.close().await;
    let file = OutageFile::open(path).await.unwrap();
    assert_eq!(bodies(&file).await, ["a", "b"]);
    assert_eq!(file.held().await.unwrap(), Held { waiting: 2, refused: 0, bytes: 2, oldest_at: Some(now()) });
}

#[tokio::test]
async fn a_full_journal_refuses_and_drops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = OutageFile::open(folder.path().join("outage.db")).await.unwrap();
    let bounds = JournalBounds { max_entries: 2, max_bytes: 10 };
    for request in ["a", "b"] {
        assert!(matches!(file.append(entry(request, request), bounds).await.unwrap(), Journaled::Kept(_)));
    }
    let full = file.append(entry("c", "c"), bounds).await.unwrap();
    assert!(matches!(full, Journaled::Full(Held { waiting: 2, bytes: 2, .. })), "{full:?}");
    // What was refused by the store takes up room all the same.
    let refused = Settlement::Refused { reason: "a conflict".into(), at: now() };
    assert!(file.settle(1, refused).await.unwrap());
    assert!(matches!(file.append(entry("c", "c"), bounds).await.unwrap(), Journaled::Full(_)));
    assert!(file.settle(2, Settlement::Applied(Vec::new())).await.unwrap());
    let long = file.append(entry("c", "0123456789"), bounds).await.unwrap();
    assert!(matches!(long, Journaled::Full(Held { refused: 1, bytes: 1, .. })), "{long:?}");
    assert!(matches!(file.append(entry("c", "012345678"), bounds).await.unwrap(), Journaled::Kept(_)));
}

#[tokio::test]
async fn what_is_settled_leaves_and_rewrites_what_builds_on_it_and_no_number_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = OutageFile::open(folder.path().join("outage.db")).await.unwrap();
    let (first, second) = (keep(&file, "a").await, keep(&file, "b").await);
    let rewritten = vec![Rewritten { seq: second, body: "b, behind another".into() }];
    assert!(file.settle(first, Settlement::Applied(rewritten)).await.unwrap());
    assert!(!file.settle(first, Settlement::Applied(Vec::new())).await.unwrap(), "it is settled once");
    assert_eq!(bodies(&file).await, ["b, behind another"]);
    let refused = Settlement::Refused { reason: "a conflict".into(), at: now() };
    assert!(file.settle(second, refused.clone()).await.unwrap());
    assert!(!file.settle(second, refused).await.unwrap());
    assert!(bodies(&file).await.is_empty());
    let kept = file.entries(0, 10).await.unwrap();
    assert_eq!(kept[0].state, EntryState::Refused { reason: "a conflict".into(), at: now() });
    assert_eq!(file.discard(Discard::Refused).await.unwrap(), 1);
    assert_eq!(file.held().await.unwrap(), Held::default());
    assert!(keep(&file, "c").await > second);
    assert_eq!(file.discard(Discard::One(99)).await.unwrap(), 0);
    assert_eq!(file.discard(Discard::AllBut("documents")).await.unwrap(), 0);
    assert_eq!(file.discard(Discard::AllBut("audit")).await.unwrap(), 1);
}

#[tokio::test]
async fn a_copy_is_replaced_by_a_newer_one_alone_and_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outage.db");
    let file = OutageFile::open(path.clone()).await.unwrap();
    let at = |ms| Timestamp::from_millis(ms);
    let put = |text: &str, ms| file.put("documents/a", Snapshot { text: text.into(), at: at(ms) });
    put("newer", 2).await.unwrap();
    put("older", 1).await.unwrap();
    file.put("documents%", Snapshot { text: "x".into(), at: at(1) }).await.unwrap();
    file.close().await;
    let file = OutageFile::open(path).await.unwrap();
    let found = file.snapshot("documents/a").await.unwrap();
    assert_eq!(found, Some(Snapshot { text: "newer".into(), at: at(2) }));
    assert_eq!(file.names("documents/", 10).await.unwrap(), ["documents/a"]);
    assert!(file.forget("documents/a").await.unwrap() && !file.forget("documents/a").await.unwrap());
    assert_eq!(file.snapshot("documents/a").await.unwrap(), None);
}

#[tokio::test]
async fn the_file_of_an_outage_is_no_store_and_a_store_is_no_such_file() {
    let folder = tempfile::tempdir().unwrap();
    let (store, outage) = (folder.path().join("store.db"), folder.path().join("outage.db"));
    open(&store).await.unwrap().probe.close().await;
    OutageFile::open(outage.clone()).await.unwrap().close().await;
    let refused = OutageFile::open(store).await.err().map(|error| error.code());
    assert_eq!(refused, Some(Code::StoreIncompatible));
    assert_eq!(open(&outage).await.err().map(|error| error.code()), Some(Code::StoreIncompatible));
}
