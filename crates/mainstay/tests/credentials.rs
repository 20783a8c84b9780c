//! Credentials of providers from the command line.

mod common;

use common::Sandbox;
use serde_json::{Value, json};

fn token_file(sandbox: &Sandbox, token: &str) -> String {
    let path = sandbox.path().join("creds.json");
    let text = json!({ "accessToken": token, "refreshToken": "r-secret", "expiresAt": "2036-01-23T13:48:05.000Z" });
    std::fs::write(&path, text.to_string()).unwrap();
    path.display().to_string()
}

/// The problem that a command ends with.
fn refused(sandbox: &Sandbox, line: &str) -> Value {
    let output = sandbox.run(&format!("{line} --json"));
    assert!(!output.status.success(), "{line}");
    serde_json::from_str(String::from_utf8(output.stderr).unwrap().lines().last().unwrap()).unwrap()
}

/// Everything that the data folder holds of the store.
fn stored(sandbox: &Sandbox) -> Vec<u8> {
    let data = std::fs::read_dir(sandbox.path().join("data")).unwrap().map(|entry| entry.unwrap().path());
    let of_store = data.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("mainstay.db"));
    of_store.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn a_credential_is_written_shown_masked_and_removed() {
    let sandbox = Sandbox::new();
    let file = token_file(&sandbox, "a-secret");
    let whose = "claude-kiro-oauth p-1";
    assert_eq!(refused(&sandbox, &format!("providers credential show {whose}"))["code"], "credentials.not_found");
    let written = sandbox.json(&format!("providers credential set {whose} --from {file} --expected 0"));
    assert_eq!(written["expires_at"], "2036-01-23T13:48:05.000Z");
    let shown = sandbox.stdout(&format!("providers credential show {whose}"));
    assert!(shown.contains("********") && shown.contains("idle") && !shown.contains("-secret"), "{shown}");
    let conflict = refused(&sandbox, &format!("providers credential set {whose} --from {file} --expected 0"));
    assert_eq!(conflict["code"], "credentials.version_conflict");
    let none = refused(&sandbox, &format!("providers credential refresh {whose}"));
    assert_eq!(none["code"], "credentials.not_refreshable", "{none}");
    let bytes = stored(&sandbox);
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("claude-kiro-oauth") && !holds("a-secret") && !holds("r-secret"), "nothing is in the clear");
    sandbox.stdout(&format!("providers credential remove {whose}"));
    assert_eq!(refused(&sandbox, &format!("providers credential remove {whose}"))["code"], "credentials.not_found");
}

#[test]
fn a_ring_is_rotated_and_retired_only_where_no_credential_needs_it() {
    let sandbox = Sandbox::new();
    let file = token_file(&sandbox, "a-secret");
    sandbox.json(&format!("providers credential set pool p-1 --from {file}"));
    let first = sandbox.json("keyring list")["keys"][0]["id"].as_str().unwrap().to_owned();
    let second = sandbox.json("keyring rotate")["primary"].as_str().unwrap().to_owned();
    assert_eq!(refused(&sandbox, &format!("keyring retire {first}"))["code"], "request.invalid");
    assert_eq!(sandbox.json("keyring reseal")["resealed"], 1);
    assert_eq!(sandbox.json("keyring reseal")["resealed"], 0);
    sandbox.stdout(&format!("keyring retire {first}"));
    let shown = sandbox.json("providers credential show pool p-1");
    assert_eq!(shown["seal_key"].as_str(), Some(second.as_str()));
    std::fs::remove_file(sandbox.path().join("data/keyring")).unwrap();
    let output = sandbox.run("serve --listen 127.0.0.1:0 --json");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("secrets.key_missing") && said.contains(&second), "{said}");
}
