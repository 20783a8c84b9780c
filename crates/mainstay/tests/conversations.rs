//! `mainstay conversation` and `mainstay chat`, on a store of their own.

mod common;

use common::Sandbox;

fn begin(sandbox: &Sandbox, flags: &str) -> String {
    sandbox.stdout(&format!("conversation create {flags}")).trim().to_owned()
}

#[test]
fn a_chat_begins_goes_on_and_is_read_again() {
    let sandbox = Sandbox::new();
    let output = sandbox.run("chat Hello_there");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Hello there\n");
    let note = String::from_utf8_lossy(&output.stderr).into_owned();
    let id = note.trim().strip_prefix("go on with --conversation ").unwrap();
    assert_eq!(sandbox.stdout(&format!("chat And_now? -c {id}")), "And now?\n");
    let shown = sandbox.json(&format!("conversation show {id}"));
    let roles: Vec<&str> = shown["messages"]["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant"]);
    assert_eq!(shown["conversation"]["workflow"]["turnCount"], 2);
    let text = sandbox.stdout(&format!("conversation show {id}"));
    assert!(text.contains("4 (") && text.contains("assistant") && text.contains("Hello there"), "{text}");
}

#[test]
fn every_command_does_what_it_says() {
    let sandbox = Sandbox::new();
    let id = begin(&sandbox, "--title Plans --id plans --metadata {\"a\":1}");
    assert_eq!(id, "plans");
    assert_eq!(sandbox.stdout("conversation append plans one"), "1\n");
    assert_eq!(sandbox.stdout("conversation append plans two --role assistant"), "2\n");
    assert!(sandbox.stdout("conversation list").starts_with("plans\t"));
    assert_eq!(sandbox.stdout("conversation status plans completed"), "completed\n");
    assert_eq!(sandbox.stdout("conversation list --status active"), "");
    assert_eq!(sandbox.stdout("conversation pin plans"), "pinned\n");
    assert!(sandbox.stdout("conversation pin plans --off").starts_with("expires "));
    let patched = sandbox.json("conversation patch plans {\"metadata\":{\"b\":2},\"title\":null}");
    assert_eq!(patched["metadata"], serde_json::json!({ "a": 1, "b": 2 }));
    assert!(patched.get("title").is_none());

    let turn = sandbox.stdout("conversation turn take plans --holder me --for 10m");
    let turn = turn.trim();
    let busy = sandbox.run("conversation append plans three");
    assert_eq!(busy.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&busy.stderr).contains("conversations.turn_busy"));
    assert_eq!(sandbox.stdout(&format!("conversation append plans three --turn {turn}")), "3\n");
    assert_eq!(sandbox.stdout(&format!("conversation turn end plans {turn}")), "ended\n");

    let fork = sandbox.stdout("conversation fork plans --up-to 2");
    let lines = sandbox.stdout(&format!("conversation export {}", fork.trim()));
    assert_eq!(lines.lines().count(), 3);
    assert_eq!(sandbox.stdout("conversation export").lines().count(), 4 + 3);
    assert_eq!(sandbox.stdout("conversation delete plans"), "deleted\n");
    assert_eq!(sandbox.stdout("conversation delete plans"), "there is no such conversation\n");
    let unsure = sandbox.run("conversation erase");
    assert!(String::from_utf8_lossy(&unsure.stderr).contains("local/local/owner"), "{unsure:?}");
    assert_eq!(sandbox.stdout("conversation erase --yes"), "1 erased\n");
    assert_eq!(sandbox.stdout("conversation list"), "");
}

#[test]
fn a_lifetime_that_is_no_number_refuses_the_start() {
    let sandbox = Sandbox::new();
    let output = sandbox.command("conversation list").env("REDIS_TTL", "abc").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("MAINSTAY_CONVERSATION_TTL_SECONDS") && said.contains("abc"), "{said}");
}
