//! Mail by command, on the embedded store.

mod common;

use common::{Sandbox, steady};
use std::io::Write;
use std::process::Stdio;

#[test]
fn two_agents_exchange_and_acknowledge_mail() {
    let sandbox = Sandbox::new();
    let _steady = steady("two agents");
    insta::assert_snapshot!(sandbox.transcript(&[
        "mail send backend API_is_ready --type GENERAL",
        "mail send backend API_is_ready --id first --as frontend --body See_the_branch. --priority high",
        "mail list --as backend",
        "mail counts --as backend",
        "mail wait --as backend --timeout 10s",
        "mail wait --as backend --timeout 1ms",
        "mail ack first --as backend --comment Fine.",
        "mail ack first --as backend",
        "mail read first",
        "mail list --pending",
        "mail stats",
    ]));
}

#[test]
fn documents_on_stdout_and_problems_on_stderr_are_json_where_that_is_asked_for() {
    let sandbox = Sandbox::new();
    let _steady = steady("json");
    insta::assert_snapshot!(sandbox.transcript(&[
        "mail send backend Hello --id first --as frontend --json",
        "mail list --all --json",
        "mail ack first --as backend --json",
        "mail ack nothing --as backend --json",
        "mail ack first --as stranger --json",
    ]));
}

#[test]
fn errors_say_what_happened_and_what_to_do() {
    let sandbox = Sandbox::new();
    let _steady = steady("errors");
    insta::assert_snapshot!(sandbox.transcript(&[
        "mail read nothing",
        "mail send a b --type NONE",
        "mail wait",
        "mail list --since yesterday",
        "mail list --store mysql://user:secret@host",
        "mail list --url nonsense",
        "mail list --cursor nonsense",
        "explain mail.notfound",
    ]));
}

#[test]
fn a_store_that_is_not_there_is_status_3_and_no_other_store_is_taken() {
    let sandbox = Sandbox::new();
    for line in ["mail send a b --store redis://127.0.0.1:1", "mail send a b --url http://127.0.0.1:1"] {
        let output = sandbox.run(line);
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!sandbox.path().join("data").exists());
}

#[test]
fn the_same_request_id_sends_once() {
    let sandbox = Sandbox::new();
    let send = || sandbox.json("mail send a b --as me --request-id r1");
    let (first, second) = (send(), send());
    assert_eq!((&first["replayed"], &second["replayed"]), (&false.into(), &true.into()));
    assert_eq!(first["message"]["id"], second["message"]["id"]);
    assert_eq!(sandbox.json("mail list --all")["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_body_comes_from_stdin_and_one_that_is_too_long_is_refused_whole() {
    let sandbox = Sandbox::new();
    let send = |body: &str| {
        let mut command = sandbox.command("mail send a b --as me --body - --json");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that refuses the body may stop reading before its end.
        let _ = child.stdin.take().unwrap().write_all(body.as_bytes());
        child.wait_with_output().unwrap()
    };
    let sent: serde_json::Value = serde_json::from_slice(&send("line 1\nline 2\n").stdout).unwrap();
    assert_eq!(sent["message"]["body"], "line 1\nline 2\n");
    assert_eq!(send(&"x".repeat(300_000)).status.code(), Some(2));
    assert_eq!(sandbox.json("mail list --all")["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_waiting_agent_is_woken_by_another_process() {
    let sandbox = Sandbox::new();
    let waiting = sandbox.start("mail wait --as backend --timeout 60s --json");
    sandbox.stdout("mail send backend Wake_up --as frontend");
    let output = waiting.finish();
    let inbox: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(inbox["messages"][0]["subject"], "Wake up");
    assert_eq!(sandbox.json("mail counts --as backend")["unread"], 0);
}

#[test]
fn what_is_peeked_at_stays_unread() {
    let sandbox = Sandbox::new();
    sandbox.stdout("mail send backend Hello --id first --as frontend");
    sandbox.stdout("mail wait --as backend --timeout 10s --peek");
    sandbox.stdout("mail read first --as backend --peek");
    assert_eq!(sandbox.json("mail counts --as backend")["unread"], 1);
    sandbox.stdout("mail read first --as backend");
    assert_eq!(sandbox.json("mail counts --as backend")["unread"], 0);
}

#[test]
fn a_watch_runs_a_command_for_each_message_and_marks_read_what_it_did() {
    let sandbox = Sandbox::new();
    sandbox.stdout("mail send backend good --as frontend");
    sandbox.stdout("mail send backend bad --as frontend");
    sandbox.stdout("mail send backend last --as frontend");
    let mut command = sandbox.command("mail watch --as backend");
    // The last command ends the watch, by ending its parent.
    let script = r#"cat > "$MAINSTAY_MESSAGE_SUBJECT.json"
        case "$MAINSTAY_MESSAGE_SUBJECT" in bad) exit 1 ;; last) kill $PPID; exit 1 ;; esac"#;
    let output = command.args(["--exec", script]).output().unwrap();
    assert!(!output.status.success());
    let unread = sandbox.json("mail counts --as backend");
    assert_eq!(unread["unread"], 2, "{}", String::from_utf8_lossy(&output.stderr));
    let document = std::fs::read(sandbox.path().join("good.json")).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&document).unwrap()["from"], "frontend");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("mail types");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
}
