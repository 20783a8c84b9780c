//! `mainstay audit`, from the first entry to what is found of a file that was tampered with.

mod common;

use common::Sandbox;
use mainstay_testkit::fixtures::RedisServer;
use serde_json::Value;
use std::process::Output;

/// A sandbox whose commands work on this store; the embedded one where it is none.
struct Desk {
    sandbox: Sandbox,
    store: Option<String>,
}

impl Desk {
    fn run(&self, line: &str) -> Output {
        let store = self.store.as_ref().map(|url| format!(" --store {url}")).unwrap_or_default();
        self.sandbox.run(&format!("{line}{store}"))
    }

    fn stdout(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.stdout(&format!("{line} --json"))).unwrap()
    }

    /// What a verification that fails reports.
    fn broken(&self, line: &str) -> Value {
        let output = self.run(&format!("{line} --json"));
        assert_eq!(output.status.code(), Some(1), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The one file of checkpoints in the data folder.
    fn log(&self) -> std::path::PathBuf {
        let files = std::fs::read_dir(self.sandbox.path().join("data")).unwrap().map(|entry| entry.unwrap().path());
        let mut logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        let log = logs.next().unwrap();
        assert_eq!(logs.next(), None);
        log
    }
}

fn from_record_to_verification(desk: &Desk) {
    assert_eq!(desk.stdout("audit list"), "");
    let listed = desk.json("audit list --action audit.");
    assert_eq!(listed["items"][0]["action"], "audit.list", "to look at the trail is an act");
    assert_eq!(listed["items"][0]["principal"], "owner");
    let report = desk.json("audit verify");
    assert_eq!((&report["intact"], &report["anchored"]), (&true.into(), &false.into()));
    assert_eq!(desk.run("audit verify --require-anchor").status.code(), Some(1));
    assert_eq!(desk.json("audit checkpoint")["number"], 1);
    assert_eq!(desk.json("audit checkpoint")["number"], 2);
    assert_eq!(desk.json("audit verify --require-anchor")["anchored"], true);
    assert_eq!(desk.json("audit trim")["removed"], 0);

    let exported = desk.stdout("audit export");
    let entries: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries[0]["seq"], 1);
    for (format, field, value) in [("fhir", "resourceType", "AuditEvent"), ("ocsf", "class_name", "API Activity")] {
        let text = desk.stdout(&format!("audit export --format {format}"));
        let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(first[field], value);
    }

    // With a copy of the log and the key, as an auditor has them.
    let (key, copy) = (desk.stdout("audit key"), desk.sandbox.path().join("copy.jsonl"));
    std::fs::copy(desk.log(), &copy).unwrap();
    let line = format!("audit verify --checkpoints {} --public-key {}", copy.display(), key.trim());
    assert_eq!(desk.json(&line)["intact"], true);
    let stranger =
        format!("audit verify --public-key {}", "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29");
    assert_eq!(desk.broken(&stranger)["findings"][0]["kind"], "checkpoint");

    // The log is cut back, changed and taken away.
    let whole = std::fs::read_to_string(desk.log()).unwrap();
    let log = desk.log();
    std::fs::write(&log, format!("{}\n", whole.lines().next().unwrap())).unwrap();
    assert_eq!(desk.broken("audit verify")["findings"][0]["kind"], "rolled_back");
    std::fs::write(&log, whole.replacen("\"count\":", "\"count\":1", 1)).unwrap();
    assert_eq!(desk.broken("audit verify")["findings"][0]["kind"], "checkpoint");
    std::fs::remove_file(&log).unwrap();
    assert_eq!(desk.broken("audit verify")["findings"][0]["kind"], "rolled_back");
    std::fs::write(&log, whole).unwrap();
    assert_eq!(desk.json("audit verify")["intact"], true);
}

#[test]
fn the_trail_of_the_embedded_store_is_kept_verified_and_taken_out() {
    from_record_to_verification(&Desk { sandbox: Sandbox::new(), store: None });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_of_redis_is_kept_verified_and_taken_out() {
    let server = RedisServer::start().await.unwrap();
    let desk = Desk { sandbox: Sandbox::new(), store: Some(server.url()) };
    tokio::task::block_in_place(|| from_record_to_verification(&desk));
    server.cli(&["XDEL", "mainstay:{audit.namespace%3Adefault}:log", "2-0"]).await.unwrap();
    let report = tokio::task::block_in_place(|| desk.broken("audit verify --chain namespace:default"));
    assert_eq!(report["chains"][0]["findings"][0]["kind"], "removed");
}
