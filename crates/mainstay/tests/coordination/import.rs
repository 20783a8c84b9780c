//! Import of a folder with every kind of damage, and the way through both stores back into a folder.

use crate::legacy_folder::{self, LegacyFolder};
use crate::site::{Ran, Site};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

fn failed_of(report: &Value) -> BTreeSet<String> {
    report["failed"].as_array().unwrap().iter().map(|failed| failed["origin"].as_str().unwrap().to_owned()).collect()
}

fn count(report: &Value, name: &str) -> usize {
    usize::try_from(report[name].as_u64().unwrap()).unwrap()
}

fn stored(site: &Site) -> usize {
    count(&site.json(&["mail", "stats"]), "total_messages")
}

/// Kills an import with SIGKILL as soon as it has stored anything, and returns how much it left.
fn import_and_kill(site: &Site, source: &str) -> usize {
    let mut import = site.command(&["import", "coordination", source]);
    let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..1_000 {
        if stored(site) > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    import.kill().unwrap();
    assert_eq!(import.wait().unwrap().code(), None, "the import ended before it was killed");
    stored(site)
}

/// Imports what an earlier import left, and then once more.
fn import_the_rest(site: &Site, source: &str, folder: &LegacyFolder, there: usize) {
    let report = site.json(&["import", "coordination", source]);
    let failed = failed_of(&report).len();
    assert_eq!(count(&report, "created"), folder.messages.len() - there, "{report}");
    assert_eq!(count(&report, "found"), count(&report, "created") + count(&report, "unchanged") + failed, "{report}");
    assert_eq!(stored(site), folder.messages.len());
}

/// A folder for tens of thousands of files: in memory where there is such a place, for a disk takes longer to delete
/// them than the whole test takes.
fn folder_of_files() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn assert_parity(site: &Site, places: [&str; 2], folder: &LegacyFolder) {
    let ran = site.run(&["parity", places[0], places[1], "--ignore-unreadable", "--json"]);
    let found = ran.json();
    assert_eq!((&found["parity"], ran.status), (&json!(true), 0), "{ran:?}");
    assert_eq!(count(&found, "same"), folder.messages.len());
}

#[test]
fn ten_thousand_messages_go_through_both_stores_and_come_back_as_they_were() {
    let (first, second, third) = (Site::sqlite(), Site::redis(), Site::sqlite());
    let files = folder_of_files();
    let folder = LegacyFolder::generate(files.path().join("legacy"), 10_000);
    let source = folder.path.to_str().unwrap();

    let ran = first.run(&["import", "coordination", source, "--dry-run", "--json"]);
    let report = ran.json();
    assert_eq!(failed_of(&report), folder.damaged);
    assert!(report["failed"].as_array().unwrap().iter().all(|failed| !failed["reason"].as_str().unwrap().is_empty()));
    assert_eq!(count(&report, "found"), folder.entries());
    assert_eq!(count(&report, "created"), folder.messages.len());
    assert_eq!((count(&report, "unchanged"), ran.status), (folder.repeated, 1));
    assert_eq!(stored(&first), 0, "a dry run wrote");

    let there = import_and_kill(&first, source);
    import_the_rest(&first, source, &folder, there);
    assert_parity(&first, [source, "store"], &folder);

    let there = import_and_kill(&second, &first.store());
    import_the_rest(&second, &first.store(), &folder, there);
    assert_parity(&second, [&first.store(), "store"], &folder);

    let report = third.json(&["import", "coordination", &second.store()]);
    assert_eq!(count(&report, "created"), folder.messages.len());
    let out = files.path().join("out");
    let report = third.json(&["export", "coordination", out.to_str().unwrap()]);
    assert_eq!(count(&report, "created"), folder.messages.len());
    // And without the product's own eyes: ids, times, acknowledgements, every text.
    let read = legacy_folder::read(&out);
    assert_eq!(read.len(), folder.messages.len());
    for (id, message) in &folder.messages {
        assert_eq!(read.get(id), Some(message));
    }
}

#[test]
fn a_folder_goes_into_redis_and_its_damage_is_named_for_a_person() {
    let site = Site::redis();
    let folder = LegacyFolder::generate(site.path("legacy"), 200);
    let ran = site.run(&["import", "coordination", folder.path.to_str().unwrap()]);
    assert_eq!(ran.status, 1);
    for origin in &folder.damaged {
        assert!(ran.stdout.contains(&format!("  failed  {origin}: ")), "{origin} in {ran:?}");
    }
    let (found, damaged) = (folder.entries(), folder.damaged.len());
    assert!(ran.stdout.contains(&format!("\n{found} found in {}\n", folder.path.display())), "{ran:?}");
    assert!(ran.stdout.ends_with(&format!("\n{} unchanged\n{damaged} failed\n", folder.repeated)), "{ran:?}");
    let source = folder.path.to_str().unwrap();
    let again = site.json(&["import", "coordination", source]);
    assert_eq!((count(&again, "created"), count(&again, "updated")), (0, 0), "{again}");
    assert_eq!(failed_of(&again), folder.damaged);

    assert_eq!(site.run(&["parity", source, "store"]).status, 1, "what nobody can read is no parity");
    assert_parity(&site, [source, "store"], &folder);
    let out = site.path("out");
    let out = out.to_str().unwrap();
    assert_eq!(count(&site.json(&["export", "coordination", out]), "created"), folder.messages.len());
    assert_eq!(count(&site.json(&["export", "coordination", out]), "unchanged"), folder.messages.len());
    assert_parity(&site, ["store", out], &folder);
    assert_parity(&site, [out, source], &folder);
}

#[test]
fn an_acknowledgement_that_came_later_is_added_and_one_that_stands_is_kept() {
    for site in Site::each() {
        let mut folder = LegacyFolder::empty(site.path("legacy"));
        let source = folder.path.to_str().unwrap().to_owned();
        let sent = legacy_folder::message("msg-1", "GENERAL", ["backend", "frontend"], "2026-01-22T23:01:25Z");
        folder.add("a.json", &sent);
        assert_eq!(count(&site.json(&["import", "coordination", &source]), "created"), 1);
        let ack = json!({"acknowledged": true, "ack_by": "frontend", "ack_timestamp": "2026-01-22T23:05:00Z"});
        folder.add("a.json", &legacy_folder::with(&sent, &ack));
        assert_eq!(count(&site.json(&["import", "coordination", &source]), "updated"), 1);
        assert_parity(&site, [&source, "store"], &folder);

        folder.add("a.json", &sent);
        assert_eq!(count(&site.json(&["import", "coordination", &source]), "unchanged"), 1);
        let read = site.json(&["mail", "read", "msg-1"]);
        assert_eq!(read["acknowledged"], json!(true), "{read}");
    }
}

#[test]
fn a_message_of_another_content_under_a_known_id_is_refused_and_named() {
    for site in Site::each() {
        let mut folder = LegacyFolder::empty(site.path("legacy"));
        let source = folder.path.to_str().unwrap().to_owned();
        site.run(&["mail", "send", "frontend", "mine", "--id", "msg-1", "--as", "backend"]);
        folder.add("a.json", &legacy_folder::message("msg-1", "GENERAL", ["ui", "agent"], "2026-01-22T23:01:25Z"));
        let ran = site.run(&["import", "coordination", &source, "--json"]);
        assert_eq!((failed_of(&ran.json()), ran.status), (BTreeSet::from(["a.json".to_owned()]), 1));
        assert_eq!(site.json(&["mail", "read", "msg-1"])["subject"], json!("mine"));
    }
}

#[test]
fn messages_that_are_larger_together_than_a_request_are_imported_all_the_same() {
    let site = Site::sqlite();
    let mut folder = LegacyFolder::empty(site.path("legacy"));
    for number in 0..20 {
        let time = format!("2026-01-22T23:01:{number:02}Z");
        let mut message = legacy_folder::message(&format!("msg-{number}"), "GENERAL", ["backend", "frontend"], &time);
        message["payload"]["description"] = json!("x".repeat(900 * 1_024));
        folder.add(&format!("{number}.json"), &message);
    }
    let report = site.json(&["import", "coordination", folder.path.to_str().unwrap()]);
    assert_eq!((count(&report, "created"), failed_of(&report).len()), (20, 0));
    assert_parity(&site, [folder.path.to_str().unwrap(), "store"], &folder);
}

#[test]
fn a_source_that_is_not_there_is_an_error_and_no_empty_import() {
    let site = Site::sqlite();
    let missing = site.path("missing");
    let Ran { stderr, status, .. } = site.run(&["import", "coordination", missing.to_str().unwrap()]);
    assert_ne!(status, 0);
    assert!(stderr.contains("missing"), "{stderr}");
    let Ran { status, .. } = site.run(&["import", "coordination", "coord+redis://127.0.0.1:1"]);
    assert_eq!(status, 3);
}
