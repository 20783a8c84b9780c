//! Consumers of groups: killed in the middle, stopped in order, with events that no handler can do.

use crate::bed::{Bed, Follower, eventually};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// Notes each event in the file `done`, after what the test wants it to do.
fn handler(first: &str) -> String {
    format!("{first}; echo \"$MAINSTAY_EVENT_ID $MAINSTAY_EVENT_DELIVERY\" >> done")
}

/// Waits for as long as the file `hold` is there, which is no longer than the test runs.
const WHILE_HELD: &str = "echo $MAINSTAY_EVENT_ID >> begun; while [ -e hold ]; do sleep 0.05; done";

fn publish(bed: &Bed, id: &str) {
    let event = ["events", "publish", "chat", "{\"n\":1.50}", "--room", "request:42", "--type", "job", "--id", id];
    assert!(bed.run(&event).status.success(), "{id}");
}

fn consume(bed: &Bed, name: &str, options: &[&str], handler: &str) -> Follower {
    let own = ["events", "consume", "chat", "--group", "billing", "--consumer", name];
    let command = bed.command(&[&own[..], options, &["--", "sh", "-c", handler]].concat());
    bed.start(name, command)
}

fn file(bed: &Bed, name: &str) -> PathBuf {
    bed.sandbox.path().join(name)
}

fn lines(bed: &Bed, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file(bed, name)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

async fn until_noted(bed: &Bed, name: &str, wanted: &str) {
    eventually(wanted, || {
        let noted = lines(bed, name);
        if noted.iter().any(|line| line == wanted) { Ok(()) } else { Err(format!("{noted:?}")) }
    })
    .await;
}

fn group(bed: &Bed) -> serde_json::Value {
    bed.json(&["events", "groups", "list", "chat"])["groups"][0].clone()
}

fn assert_all_done(bed: &Bed) {
    let group = group(bed);
    assert_eq!((&group["lag"], &group["pending"]), (&0.into(), &0.into()), "{group}");
}

async fn beds() -> [Bed; 2] {
    [Bed::sqlite(), Bed::redis().await]
}

#[tokio::test]
async fn an_event_is_kept_while_its_handler_runs_and_claimed_when_the_consumer_is_killed() {
    for bed in beds().await {
        std::fs::write(file(&bed, "hold"), "").unwrap();
        publish(&bed, "a");
        let options = ["--idle", "1s"];
        let one = consume(&bed, "one", &options, &handler(WHILE_HELD));
        until_noted(&bed, "begun", "a").await;
        let two = consume(&bed, "two", &options, &handler(":"));
        publish(&bed, "b");
        until_noted(&bed, "done", "b 1").await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert_eq!(lines(&bed, "done"), ["b 1"], "longer than the idle time, and still in the hands of the first");
        drop(one);
        until_noted(&bed, "done", "a 2").await;
        eventually("the acknowledgement", || match group(&bed)["pending"].as_u64() {
            Some(0) => Ok(()),
            pending => Err(format!("{pending:?}; {}", two.errors())),
        })
        .await;
    }
}

#[tokio::test]
async fn a_poison_event_ends_among_the_dead_and_comes_back_revived() {
    for bed in beds().await {
        for id in ["a", "poison", "b"] {
            publish(&bed, id);
        }
        let fails = "[ \"$MAINSTAY_EVENT_ID\" != poison ] || exit 3";
        let options = ["--max-deliveries", "2", "--back-off", "100ms", "--idle", "2s"];
        let one = consume(&bed, "one", &options, &handler(fails));
        let of = ["events", "dead", "list", "chat", "--group", "billing"];
        let dead = eventually("the death", || {
            let dead = bed.run(&[&of[..], &["--json"]].concat());
            let page: serde_json::Value = serde_json::from_slice(&dead.stdout).unwrap_or_default();
            page["items"].get(0).cloned().ok_or_else(|| one.errors())
        })
        .await;
        assert_eq!((&dead["event"]["id"], &dead["deliveries"]), (&"poison".into(), &2.into()));
        assert!(dead["reason"].as_str().unwrap().contains("exit status: 3"), "{dead}");
        drop(one);
        assert_eq!(lines(&bed, "done"), ["a 1", "b 1"], "the others were not held up");
        let token = dead["token"].as_str().unwrap();
        let revived = bed.json(&["events", "dead", "revive", "chat", "--group", "billing", token]);
        assert_eq!(revived["changed"], serde_json::json!([token]));
        let again = consume(&bed, "two", &["--once"], &handler(":"));
        let (status, _, errors) = again.finish().await;
        assert_eq!(status, Some(0), "{errors}");
        assert_eq!(lines(&bed, "done")[2..], ["poison 1"]);
        assert_all_done(&bed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_consumers_lose_nothing_when_one_is_killed_again_and_again() {
    for bed in beds().await {
        let node = bed.serve("node").await;
        let url = node.url();
        let events: Vec<serde_json::Value> = (0..60)
            .map(|n| serde_json::json!({ "id": format!("e{n}"), "type": "job", "room": "r", "payload": {} }))
            .collect();
        let events = serde_json::Value::from(events).to_string();
        bed.json(&["events", "publish", "chat", "--events", &events]);
        let options = ["--idle", "1s", "--url", &url];
        let steady = consume(&bed, "steady", &options, &handler("sleep 0.02"));
        for nth in 0..3 {
            let before = lines(&bed, "done").len();
            let shaky = consume(&bed, "shaky", &options, &handler("echo . >> shaky; sleep 0.02"));
            eventually("a few more", || {
                let done = lines(&bed, "done").len();
                let shaky_ran = lines(&bed, "shaky").len() > nth;
                if shaky_ran && (done > before + 6 || done >= 60) { Ok(()) } else { Err(shaky.errors()) }
            })
            .await;
        }
        eventually("every event", || {
            let done: BTreeSet<String> =
                lines(&bed, "done").iter().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect();
            let group = group(&bed);
            let all = done.len() == 60 && group["lag"] == 0 && group["pending"] == 0;
            if all { Ok(()) } else { Err(format!("{} done; {group}; {}", done.len(), steady.errors())) }
        })
        .await;
        assert_eq!(group(&bed)["dead"], 0);
    }
}

#[tokio::test]
async fn a_stop_lets_the_handler_finish_and_takes_nothing_more() {
    for bed in beds().await {
        std::fs::write(file(&bed, "hold"), "").unwrap();
        publish(&bed, "a");
        publish(&bed, "b");
        let mut one = consume(&bed, "one", &["--batch", "2", "--idle", "1h"], &handler(WHILE_HELD));
        until_noted(&bed, "begun", "a").await;
        one.running.signal(Signal::TERM);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(lines(&bed, "done").is_empty(), "the handler goes on");
        std::fs::remove_file(file(&bed, "hold")).unwrap();
        let (status, _, errors) = one.finish().await;
        assert_eq!((status, lines(&bed, "done")), (Some(0), vec!["a 1".to_owned()]), "{errors}");
        let two = consume(&bed, "two", &["--once", "--idle", "1h"], &handler(":"));
        assert_eq!(two.finish().await.0, Some(0));
        assert_eq!(lines(&bed, "done")[1..], ["b 2"], "the one that was not begun was given back at once");
        assert_all_done(&bed);
    }
}

#[tokio::test]
async fn a_handler_that_outlasts_its_grace_is_ended_and_its_event_given_back_at_once() {
    for bed in beds().await {
        std::fs::write(file(&bed, "hold"), "").unwrap();
        publish(&bed, "a");
        let mut one = consume(&bed, "one", &["--grace", "200ms", "--idle", "1h"], &handler(WHILE_HELD));
        until_noted(&bed, "begun", "a").await;
        one.running.signal(Signal::TERM);
        let (status, _, errors) = one.finish().await;
        assert_eq!(status, Some(0), "{errors}");
        let two = consume(&bed, "two", &["--once", "--idle", "1h"], &handler(":"));
        assert_eq!(two.finish().await.0, Some(0));
        assert_eq!(lines(&bed, "done"), ["a 2"]);
    }
}

#[tokio::test]
async fn a_handler_that_cannot_be_started_costs_no_event_its_tries() {
    let bed = Bed::sqlite();
    publish(&bed, "a");
    let own = ["events", "consume", "chat", "--group", "billing", "--idle", "1h", "--", "./not-there"];
    let output = bed.run(&own);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("not-there"), "{errors}");
    assert_eq!(group(&bed)["dead"], 0);
    let one = consume(&bed, "one", &["--once", "--idle", "1h"], &handler(":"));
    assert_eq!(one.finish().await.0, Some(0));
    assert_eq!(lines(&bed, "done"), ["a 2"]);
}

#[tokio::test]
async fn the_handler_finds_the_event_on_stdin_and_in_its_environment() {
    let bed = Bed::sqlite();
    // As other programs write it, over several lines.
    let event = "{\r\n  \"n\": 1.50\r\n}";
    let publish = ["events", "publish", "chat", event, "--room", "request:42", "--type", "job", "--id", "e 1"];
    assert!(bed.run(&publish).status.success());
    let shown = "cat > event; env | grep ^MAINSTAY_EVENT_ | sort > environment";
    let one = consume(&bed, "one", &["--once"], shown);
    assert_eq!(one.finish().await.0, Some(0));
    let line = std::fs::read_to_string(file(&bed, "event")).unwrap();
    assert_eq!(line.matches('\n').count(), 1, "{line:?}");
    assert!(line.contains("1.50"), "every digit is there: {line}");
    let document: serde_json::Value = serde_json::from_str(&line).unwrap();
    let environment = lines(&bed, "environment");
    let position = document["position"].as_str().unwrap();
    for expected in [
        "MAINSTAY_EVENT_CONSUMER=one",
        "MAINSTAY_EVENT_DELIVERY=1",
        "MAINSTAY_EVENT_GROUP=billing",
        "MAINSTAY_EVENT_ID=e 1",
        &format!("MAINSTAY_EVENT_POSITION={position}"),
        "MAINSTAY_EVENT_ROOM=request:42",
        "MAINSTAY_EVENT_STREAM=chat",
        "MAINSTAY_EVENT_TYPE=job",
    ] {
        assert!(environment.iter().any(|line| line == expected), "{expected} in {environment:?}");
    }
}

#[tokio::test]
async fn without_a_handler_events_are_printed_and_acknowledged_when_they_were_written() {
    for bed in beds().await {
        for id in ["a", "b", "c"] {
            publish(&bed, id);
        }
        let own = ["events", "consume", "chat", "--group", "billing", "--once"];
        let one = bed.start("one", bed.command(&own));
        let (status, printed, errors) = one.finish().await;
        assert_eq!(status, Some(0), "{errors}");
        let documents = printed.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let ids: Vec<String> = documents.map(|event| event["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert_all_done(&bed);
        publish(&bed, "d");
        let mut command = bed.command(&own);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let status = command.stdout(full).stderr(std::process::Stdio::null()).status().unwrap();
        assert!(!status.success(), "what cannot be written cannot be acknowledged");
        assert_eq!((&group(&bed)["lag"], &group(&bed)["pending"]), (&0.into(), &1.into()));
        let two = bed.start("two", bed.command(&own));
        assert!(two.finish().await.1.contains("\"id\":\"d\""), "it was given back");
        assert_all_done(&bed);
    }
}

#[tokio::test]
async fn the_group_is_that_of_the_settings_where_none_is_named() {
    let own = ["events", "consume", "chat", "--once"];
    let bed = Bed::sqlite();
    publish(&bed, "a");
    let refused = bed.run(&own);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("MAINSTAY_CONSUMER_GROUP"), "{refused:?}");
    let bed = bed.with("EVENT_TRANSPORT_CONSUMER_GROUP", "signalr-consumers");
    let taken = bed.run(&own);
    assert!(taken.status.success() && String::from_utf8_lossy(&taken.stdout).contains("\"a\""), "{taken:?}");
    assert_eq!(group(&bed)["name"], "signalr-consumers");
    assert!(bed.run(&["events", "dead", "list", "chat"]).status.success());
}
