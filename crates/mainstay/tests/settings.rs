//! Settings from the command line.

mod common;

use common::{Running, Sandbox};
use mainstay_testkit::fixtures::RedisServer;
use std::process::Stdio;

/// What a command prints when it succeeds; its arguments as they are.
fn text(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = sandbox.command("").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(sandbox: &Sandbox, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&text(sandbox, &[arguments, &["--json"]].concat())).unwrap()
}

/// Changes that are made one after the other while another process follows.
const CHANGES: usize = 12;

/// A process that follows from before the first change is told of each, in order.
fn follows_without_a_gap(sandbox: &Sandbox, store: &str) {
    let line = format!("settings watch --after begin:0 --count {CHANGES} --json");
    let mut watch = sandbox.command(&line);
    watch.args(["--store", store]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let watch = Running::from(watch.spawn().unwrap());
    let key = |nth: usize| format!("k{}", nth % 5);
    let mut revisions = Vec::new();
    for nth in 0..CHANGES {
        let value = format!("{{\"list\":[ ],\"at\":{}}}", 17_691_760_451_091_230_u64 + nth as u64);
        let set = json(sandbox, &["settings", "set", &key(nth), &value, "--store", store]);
        revisions.push(set["position"].as_str().unwrap().split_once(':').unwrap().1.parse::<u64>().unwrap());
        assert_eq!(text(sandbox, &["settings", "get", &key(nth), "--store", store]).trim_end(), value);
    }
    let output = watch.finish();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    let told: Vec<serde_json::Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = told.iter().map(|change| change["revision"].as_u64().unwrap()).collect();
    assert_eq!(seen, revisions);
    let keys: Vec<_> = told.iter().map(|change| change["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys, (0..CHANGES).map(key).collect::<Vec<_>>());
}

#[test]
fn another_process_follows_without_a_gap_on_sqlite() {
    let sandbox = Sandbox::new();
    let store = format!("sqlite:{}", sandbox.path().join("settings.db").display());
    follows_without_a_gap(&sandbox, &store);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_follows_without_a_gap_on_redis() {
    let server = RedisServer::start().await.unwrap();
    let url = server.url();
    tokio::task::spawn_blocking(move || follows_without_a_gap(&Sandbox::new(), &url)).await.unwrap();
}

#[test]
fn settings_are_set_merged_shown_and_rolled_back() {
    let sandbox = Sandbox::new();
    let whole = r#"{"notSupportedModels":[],"at":1769176045109123,"api_key":"sk-1"}"#;
    let first = json(&sandbox, &["settings", "set", "main", whole]);
    let revision = first["position"].as_str().unwrap().split_once(':').unwrap().1.to_owned();
    json(&sandbox, &["settings", "set", "main", "--merge", r#"{"port":8080}"#]);
    let shown = text(&sandbox, &["settings", "get", "main"]);
    assert_eq!(shown.trim_end(), r#"{"notSupportedModels":[],"at":1769176045109123,"api_key":"********","port":8080}"#);
    assert_eq!(text(&sandbox, &["settings", "get", "main", "api_key", "--reveal"]).trim_end(), "\"sk-1\"");
    let diff = text(&sandbox, &["settings", "diff", "main", "--merge", r#"{"port":1,"api_key":"sk-2"}"#]);
    assert_eq!(diff.trim_end(), "~ /api_key\t(secret)\n~ /port\t8080 -> 1");
    json(&sandbox, &["settings", "rollback", "main", "--to", &revision]);
    assert_eq!(text(&sandbox, &["settings", "get", "main", "--reveal"]).trim_end(), whole);
    let history = text(&sandbox, &["settings", "history", "main"]);
    assert_eq!(history.lines().filter(|line| line.contains("\tput")).count(), 3, "{history}");
    assert!(!history.contains("sk-"), "{history}");
    json(&sandbox, &["settings", "schema", "--set", r#"{"required":["port"]}"#]);
    let list = json(&sandbox, &["settings", "list", "--collections"]);
    assert_eq!(list, serde_json::json!(["schemas", "settings"]));
}

#[test]
fn an_edit_that_somebody_overtook_is_not_written() {
    let sandbox = Sandbox::new();
    json(&sandbox, &["settings", "set", "main", r#"{"n":1,"token":"t"}"#]);
    let editor = sandbox.path().join("editor.sh");
    std::fs::write(&editor, "#!/bin/sh\nsed -i 's/\"n\":1/\"n\":2/' \"$1\"\n").unwrap();
    let run = |name: &str| {
        let mut command = sandbox.command(name);
        command.env_remove("VISUAL").env("EDITOR", format!("sh {}", editor.display())).output().unwrap()
    };
    assert!(run("settings edit main").status.success());
    assert_eq!(text(&sandbox, &["settings", "get", "main", "--reveal"]).trim_end(), r#"{"n":2,"token":"t"}"#);
    std::fs::write(&editor, "#!/bin/sh\nexit 3\n").unwrap();
    assert!(!run("settings edit main").status.success());
}
