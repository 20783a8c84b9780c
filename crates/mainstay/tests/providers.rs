//! Pools of providers from the command line: on the store itself, and by way of a server.

mod common;

use common::{Running, Sandbox};
use mainstay_testkit::fixtures::RedisServer;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Output, Stdio};

/// A command line, on a store or a server.
struct Line<'a> {
    sandbox: &'a Sandbox,
    at: &'a [&'a str],
}

impl Line<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        self.sandbox.command("").args(["providers"]).args(arguments).args(self.at).output().unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// What a command prints that reads from stdin.
    fn fed(&self, arguments: &[&str], stdin: &str) -> Value {
        let mut command = self.sandbox.command("");
        command.args(["providers"]).args(arguments).args(self.at).arg("--json");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The problem that a command ends with.
    fn refused(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(!output.status.success(), "{arguments:?}");
        serde_json::from_str(String::from_utf8(output.stderr).unwrap().lines().last().unwrap()).unwrap()
    }
}

const POOL: &str = "openai-custom";

/// A pool is made, changed, read, and removed.
fn a_pool_from_its_first_provider_to_its_end(line: &Line<'_>) {
    assert_eq!(line.json(&["list"]), json!([]));
    let settings = r#"{"base_url":"https://a.example/v1","api_key":"sk-hidden","odd":17691760451091230,"list":[ ]}"#;
    let added = line.fed(&["add", POOL, "--id", "first", "-"], settings);
    assert_eq!((added["id"].as_str(), added["settings"]["api_key"].as_str()), (Some("first"), Some("********")));
    let version = added["version"].to_string();
    assert_eq!(line.refused(&["add", POOL, "{\"weight\":2}", "--id", "first"])["code"], "providers.exists");
    line.json(&["add", POOL, "{\"weight\":2}", "--id", "second"]);
    let made = line.json(&["add", POOL, "{}"]);
    let names = |line: &Line<'_>| -> Vec<String> {
        let listed = line.json(&["list", POOL]);
        listed.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(line), ["first", "second", made["id"].as_str().unwrap()]);
    line.json(&["remove", POOL, made["id"].as_str().unwrap()]);

    let patched = line.json(&["patch", POOL, "first", "{\"weight\":3}", "--expected", &version]);
    assert_ne!(patched["version"].to_string(), version);
    let stale = line.refused(&["patch", POOL, "first", "{\"weight\":4}", "--expected", &version]);
    assert_eq!(stale["code"], "providers.version_conflict");
    let shown = line.text(&["get", POOL, "first"]);
    let masked =
        r#"{"base_url":"https://a.example/v1","api_key":"********","odd":17691760451091230,"list":[ ],"weight":3}"#;
    assert!(shown.ends_with(&format!("{masked}\n")) && shown.contains("healthy"), "{shown}");
    line.fed(&["set", POOL, "first", "-"], masked);
    let revealed = line.text(&["get", POOL, "first", "--reveal"]);
    assert!(revealed.contains(r#""api_key":"sk-hidden""#), "a mask keeps its secret: {revealed}");
    assert_eq!(line.refused(&["set", POOL, "first", "{\"weight\":0}"])["code"], "request.invalid");
    let broken = line.run(&["patch", POOL, "first", "{\"api_key\":\"sk-mistyped}"]);
    assert!(!broken.status.success() && !String::from_utf8_lossy(&broken.stderr).contains("sk-mistyped"), "{broken:?}");

    assert_eq!(line.json(&["disable", POOL, "first"])["disabled"], true);
    assert!(line.text(&["list", POOL]).contains("first\tdisabled\t"));
    assert_eq!(line.json(&["enable", POOL, "first"])["disabled"], false);
    let open = line.json(&["breaker", "open", POOL, "first", "--reason", "maintenance"]);
    assert_eq!((open["state"].as_str(), open["reason"].as_str()), (Some("forced_open"), Some("maintenance")));
    assert!(line.text(&["breaker", "status", POOL, "first"]).starts_with("forced-open since "));
    assert_eq!(line.json(&["reset", POOL, "--health"]), json!({"providers": 2}));
    assert_eq!(line.json(&["breaker", "status", POOL, "first"])["state"], "forced_open", "a person said so");
    assert_eq!(line.json(&["breaker", "close", POOL, "first"])["state"], "closed");

    assert_eq!(line.json(&["settings", POOL, "{\"strategy\":\"weighted\"}"]), json!({"strategy": "weighted"}));
    let merged = line.json(&["settings", POOL, "{\"check\":{\"enabled\":true}}", "--merge"]);
    assert_eq!(merged, json!({"strategy": "weighted", "check": {"enabled": true}}));
    assert_eq!(line.refused(&["settings", POOL, "{\"check\":{\"interval_seconds\":1}}"])["code"], "request.invalid");
    assert_eq!(line.json(&["settings", POOL]), merged);
    assert_eq!(line.refused(&["replace", POOL, "{\"settings\":{}}"])["code"], "request.invalid");
    let whole = r#"{"settings":{},"providers":[{"id":"third","settings":{}},{"id":"first","settings":{"api_key":"********"}}]}"#;
    line.fed(&["replace", POOL, "-"], whole);
    assert_eq!(names(line), ["third", "first"]);
    assert!(line.text(&["get", POOL, "first", "--reveal"]).contains("sk-hidden"));
    assert!(line.text(&["get", POOL]).contains("third\thealthy\t"));
    assert_eq!(line.refused(&["get", POOL, "second"])["code"], "providers.not_found");
    assert_eq!(line.run(&["remove", POOL]).status.code(), Some(2), "a pool is removed with --all alone");
    line.json(&["remove", POOL, "--all"]);
    assert_eq!(line.json(&["list"]), json!([]));
    assert_eq!(line.refused(&["list", POOL])["code"], "providers.not_found");
}

#[test]
fn pools_on_sqlite() {
    let sandbox = Sandbox::new();
    a_pool_from_its_first_provider_to_its_end(&Line { sandbox: &sandbox, at: &[] });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pools_on_redis() {
    let server = RedisServer::start().await.unwrap();
    let url = server.url();
    let run = move || {
        let sandbox = Sandbox::new();
        a_pool_from_its_first_provider_to_its_end(&Line { sandbox: &sandbox, at: &["--store", &url] });
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[test]
fn pools_by_way_of_a_server_whose_circuits_tell_of_themselves() {
    let sandbox = Sandbox::new();
    let mut server = sandbox.start("serve --listen 127.0.0.1:0");
    let url = address(&mut server);
    let line = Line { sandbox: &sandbox, at: &["--url", &url] };
    a_pool_from_its_first_provider_to_its_end(&line);
    line.json(&["add", "main", "{}", "--id", "a"]);
    line.json(&["breaker", "open", "main", "a", "--reason", "maintenance"]);
    line.json(&["breaker", "close", "main", "a"]);
    let told = (0..200).find_map(|_| {
        let events = sandbox.stdout(&format!("events read gateway --room main --json --url {url}"));
        let kinds: Vec<&str> =
            ["circuit.forced", "circuit.closed"].into_iter().filter(|kind| events.contains(kind)).collect();
        std::thread::sleep(std::time::Duration::from_millis(if kinds.len() == 2 { 0 } else { 50 }));
        (kinds.len() == 2).then_some(events)
    });
    assert!(
        told.is_some_and(|events| events.contains("maintenance")),
        "what a person does to a circuit is told as well"
    );
}

/// Where a server listens.
fn address(server: &mut Running) -> String {
    let said = server.child().stderr.take().unwrap();
    let mut lines = BufReader::new(said).lines();
    let url = loop {
        let line = lines.next().expect("the server ended").unwrap();
        if let Some(url) = line.trim().strip_prefix("address    ") {
            break url.to_owned();
        }
    };
    // What it says later must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    url
}
