//! Comparing two places: exit status 0 only where both hold the same, and every difference is listed.

use crate::legacy_folder::{LegacyFolder, message, with};
use crate::site::Site;
use serde_json::{Value, json};

const TIME: &str = "2026-01-22T23:01:25Z";

fn sound(id: &str) -> Value {
    message(id, "GENERAL", ["backend", "frontend"], TIME)
}

/// A store with five messages, and a folder that differs from it in every way.
fn differing(site: &Site) -> String {
    let mut same = LegacyFolder::empty(site.path("same"));
    for id in ["both", "subject", "ack", "store-only", "flags"] {
        same.add(&format!("{id}.json"), &sound(id));
    }
    let imported = site.json(&["import", "coordination", same.path.to_str().unwrap()]);
    assert_eq!(imported["created"], json!(5));

    let mut other = LegacyFolder::empty(site.path("other"));
    other.add("both.json", &sound("both"));
    other.add("subject.json", &with(&sound("subject"), &json!({"payload": {"subject": "x", "description": "text"}})));
    let ack = json!({"acknowledged": true, "ack_by": "frontend", "ack_timestamp": TIME, "ack_comment": "ok"});
    other.add("ack.json", &with(&sound("ack"), &ack));
    other.add(
        "flags.json",
        &with(&sound("flags"), &json!({"requires_ack": false, "timestamp": "2026-01-22T23:01:26Z"})),
    );
    other.add("folder-only.json", &sound("folder-only"));
    std::fs::write(other.path.join("messages/broken.json"), "{").unwrap();
    let twice = sound("both").to_string().replace("text", "another text");
    std::fs::write(other.path.join("messages/twice.json"), twice).unwrap();
    other.path.to_str().unwrap().to_owned()
}

#[test]
fn every_kind_of_discrepancy_is_listed_and_fails() {
    for site in Site::each() {
        let other = differing(&site);
        let ran = site.run(&["parity", &other, "store", "--json"]);
        let found = ran.json();
        assert_eq!((&found["parity"], ran.status), (&json!(false), 1), "{ran:?}");
        assert_eq!((&found["source_count"], &found["destination_count"]), (&json!(5), &json!(5)));
        assert_eq!(found["same"], json!(1));
        assert_eq!(found["missing_in_destination"], json!(["folder-only"]));
        assert_eq!(found["missing_in_source"], json!(["store-only"]));
        let unreadable: Vec<&Value> =
            found["unreadable"].as_array().unwrap().iter().map(|one| &one["origin"]).collect();
        assert_eq!(unreadable, ["broken.json", "twice.json"]);
        let different = found["different"].as_array().unwrap();
        let ids: Vec<&Value> = different.iter().map(|one| &one["id"]).collect();
        assert_eq!(ids, ["ack", "flags", "subject"]);
        let fields = |at: usize| different[at]["fields"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(fields(0), ["ack_by", "ack_comment", "ack_timestamp", "acknowledged"]);
        assert_eq!(fields(1), ["requires_ack", "timestamp"]);
        assert_eq!(different[2]["fields"]["subject"], json!({"source": "x", "destination": "subject"}));
    }
}

#[test]
fn each_difference_alone_is_no_parity() {
    let site = Site::sqlite();
    let mut folder = LegacyFolder::empty(site.path("legacy"));
    let source = folder.path.to_str().unwrap().to_owned();
    let status = |arguments: &[&str]| site.run(&[&["parity"], arguments].concat()).status;
    assert_eq!(status(&[&source, "store"]), 0, "nothing is the same as nothing");

    folder.add("a.json", &sound("a"));
    assert_eq!(status(&[&source, "store"]), 1, "missing in the store");
    assert_eq!(status(&["store", &source]), 1, "missing in the source");
    assert_eq!(status(&["store", &source, "--one-way"]), 0);
    assert_eq!(status(&[&source, "store", "--one-way"]), 1);
    site.run(&["import", "coordination", &source]);
    assert_eq!(status(&[&source, "store"]), 0);

    std::fs::write(folder.path.join("messages/broken.json"), "{").unwrap();
    assert_eq!(status(&[&source, "store"]), 1, "nobody can say that it is the same");
    assert_eq!(status(&[&source, "store", "--ignore-unreadable"]), 0);
    folder.add("a.json", &with(&sound("a"), &json!({"from": "ui"})));
    assert_eq!(status(&[&source, "store", "--ignore-unreadable", "--one-way"]), 1, "another sender");
    assert_ne!(status(&[&source, site.path("missing").to_str().unwrap(), "--one-way"]), 0, "a place that is not there");
}

#[test]
fn two_stores_are_compared_with_all_that_the_original_did_not_know() {
    let (left, right) = (Site::sqlite(), Site::redis());
    let send = |site: &Site, id: &str, more: &[&str]| {
        let ran = site.run(&[&["mail", "send", "frontend", "s", "--id", id, "--as", "backend"], more].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
    };
    send(&left, "first", &["--priority", "high"]);
    send(&left, "second", &[]);
    left.run(&["mail", "ack", "second", "--as", "frontend", "--comment", "ok"]);
    right.run(&["import", "coordination", &left.store()]);
    let ran = right.run(&["parity", &left.store(), "store"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.stdout.ends_with("source 2, destination 2, same 2, different 0, unreadable 0\nparity\n"), "{ran:?}");

    // A millisecond, or a second acknowledgement, makes two messages different.
    right.run(&["mail", "ack", "first", "--as", "frontend"]);
    let found = right.json(&["parity", &left.store(), "store"]);
    assert_eq!(found["different"][0]["id"], json!("first"), "{found}");
    assert!(found["different"][0]["fields"]["receipts"].is_object(), "{found}");
}

#[test]
fn a_person_sees_what_differs_and_never_a_password() {
    let site = Site::sqlite();
    let other = differing(&site);
    let ran = site.run(&["parity", &other, "store"]);
    for line in [
        "  only in the source: folder-only\n",
        "  only in the destination: store-only\n",
        "  different: subject\n    subject: \"x\" | \"subject\"\n",
        "  unreadable in the source: broken.json: ",
        "source 5, destination 5, same 1, different 5, unreadable 2\nno parity\n",
    ] {
        assert!(ran.stdout.contains(line), "{line:?} in {ran:?}");
    }
    let ran = site.run(&["parity", &other, "redis://user:hidden@127.0.0.1:1"]);
    assert_eq!(ran.status, 3);
    assert!(!format!("{ran:?}").contains("hidden"), "{ran:?}");
}
