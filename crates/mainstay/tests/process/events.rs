//! `mainstay events`, as whole commands: on a store of their own, over a server, and beside programs that others wrote.

use crate::bed::Bed;
use crate::node::Node;
use mainstay_api::events::TransportSettings;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Output, Stdio};

/// What a command did.
#[derive(Debug)]
struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { status: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// The commands on a store, with a server between or without.
struct Desk<'a> {
    bed: &'a Bed,
    way: Vec<String>,
}

impl<'a> Desk<'a> {
    fn direct(bed: &'a Bed) -> Self {
        Self { bed, way: Vec::new() }
    }

    fn through(bed: &'a Bed, node: &Node) -> Self {
        Self { bed, way: vec!["--url".into(), node.url()] }
    }

    fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Ran {
        let mut command = self.bed.command(&[&["events"], arguments].concat());
        command.args(&self.way).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads no stdin has gone by now.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        Ran::of(child.wait_with_output().unwrap())
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"")
    }

    /// What a command prints that succeeds and has nothing else to say.
    fn stdout(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{arguments:?}: {ran:?}");
        ran.stdout
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.status, 0, "{arguments:?}: {ran:?}");
        serde_json::from_str(&ran.stdout).unwrap()
    }

    fn ids(&self, arguments: &[&str]) -> Vec<String> {
        let page = self.json(&[&["read"], arguments].concat());
        page["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// Each store, each with a server and without.
async fn each(test: impl Fn(&Desk<'_>)) {
    for bed in [Bed::sqlite(), Bed::redis().await] {
        test(&Desk::direct(&bed));
    }
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let node = bed.serve("node").await;
        test(&Desk::through(&bed, &node));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_published_once_by_its_id_and_read_unchanged_behind_any_position() {
    each(|desk| {
        let payload = r#"{"text":"hello\n\u001b[2J","n":12345678901234567890.10}"#;
        let one = ["publish", "chat", "--room", "request:42", "--type", "chat_message", "--id", "e1", payload];
        let first = desk.stdout(&one);
        let position = first.strip_suffix('\n').unwrap();
        assert!(position.split_once(':').is_some_and(|(_, offset)| offset.contains('-')), "{first}");
        assert_eq!(desk.stdout(&one), format!("{position}\tpublished before\n"));

        // Without an id, the request id of the call does the same.
        let asked = ["publish", "chat", "--room", "request:7", "--type", "a", "--request-id", "r1", "{}"];
        assert_eq!(desk.stdout(&asked).trim(), desk.stdout(&asked).trim().strip_suffix("\tpublished before").unwrap());
        let said = desk.json(&["publish", "chat", "--room", "request:42", "--type", "b", "{}"]);
        assert!(said["events"][0]["id"].is_string() && said["events"][0].get("duplicate").is_none(), "{said}");

        let batch = r#"[{"type":"c","room":"request:42","id":"e2","payload":{}},
            {"type":"chat_message","room":"request:42","id":"e1","payload":{"other":1}},
            {"type":"c","room":"request:9","id":"e3","payload":{},"timestamp":"2026-01-16T10:00:00.123+02:00",
             "metadata":{"trace_id":"t","own":[1]}}]"#;
        let ran = desk.run_with(&["publish", "chat", "--events", "-"], batch.as_bytes());
        assert_eq!(ran.status, 0, "{ran:?}");
        let lines: Vec<&str> = ran.stdout.lines().collect();
        assert_eq!((lines.len(), lines[1]), (3, format!("{position}\tpublished before").as_str()));
        let args = ["publish", "chat", "--room", "request:9", "--type", "d", "--id", "e4", "--trace-id", "t4", "-"];
        assert_eq!(desk.run_with(&args, br#" {"from": "stdin"} "#).status, 0);

        let page = desk.json(&["read", "chat"]);
        let event = |at: usize| &page["events"][at];
        assert_eq!((page["events"].as_array().unwrap().len(), page.get("gap")), (6, None), "{page}");
        assert_eq!((&event(0)["id"], &event(0)["stream"]), (&json!("e1"), &json!("chat")));
        assert_eq!((&event(4)["id"], &event(4)["timestamp"]), (&json!("e3"), &json!("2026-01-16T08:00:00.123Z")));
        assert_eq!(event(4)["metadata"], json!({ "trace_id": "t", "own": [1] }));
        assert_eq!(
            (&event(5)["payload"], &event(5)["metadata"]),
            (&json!({ "from": "stdin" }), &json!({ "trace_id": "t4" }))
        );

        let rows = desk.run(&["read", "chat", "--room", "request:42"]);
        let cells: Vec<&str> = rows.stdout.lines().next().unwrap().split('\t').collect();
        assert_eq!((cells[0], &cells[2..5]), (position, &["chat_message", "request:42", "e1"][..]), "{rows:?}");
        assert_eq!(cells[5], payload, "every digit, and nothing that commands a terminal");
        assert_eq!(rows.stdout.lines().count(), 3, "{rows:?}");
        assert_eq!(desk.ids(&["chat", "--from", position]).len(), 5);
        assert_eq!(desk.ids(&["chat", "--from", position, "--room", "request:9"]), ["e3", "e4"]);
        let streams = desk.stdout(&["streams"]);
        let chat = streams.lines().find(|line| line.starts_with("chat\t")).unwrap();
        assert!(chat.starts_with("chat\t6\t10000\t1\t"), "{streams}");
        assert_eq!(chat.rsplit('\t').next(), page["position"].as_str());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_stream_is_read_page_by_page_as_each_page_says() {
    each(|desk| {
        let events: Vec<Value> = (0..7)
            .map(|n| json!({ "type": "a", "room": format!("r{}", n % 2), "id": format!("e{n}"), "payload": {} }))
            .collect();
        desk.stdout(&["publish", "ticket", "--events", &json!(events).to_string()]);
        let (mut from, mut ids, mut pages) = (None::<String>, Vec::new(), 0);
        loop {
            let behind: Vec<&str> = from.as_deref().map(|from| vec!["--from", from]).unwrap_or_default();
            let ran = desk.run(&[&["read", "ticket", "--limit", "3"], &behind[..]].concat());
            assert_eq!(ran.status, 0, "{ran:?}");
            ids.extend(ran.stdout.lines().map(|line| line.split('\t').nth(4).unwrap().to_owned()));
            pages += 1;
            let (said, next) = ran.stderr.trim().rsplit_once(' ').unwrap();
            from = Some(next.to_owned());
            match said {
                "there is more; go on with --from" => assert!(pages < 3, "{ran:?}"),
                "that is all; go on with --from" => break,
                _ => panic!("{ran:?}"),
            }
        }
        assert_eq!((pages, ids), (3, (0..7).map(|n| format!("e{n}")).collect()));
        let end = desk.run(&["read", "ticket", "--from", &from.unwrap()]);
        assert_eq!((end.status, end.stdout.as_str()), (0, ""), "{end:?}");
        assert!(end.stderr.starts_with("that is all; go on with --from "), "{end:?}");
    })
    .await;
}

/// Arguments behind `events`, what stdin holds, the exit status, and what is said.
type Refused<'a> = (&'a [&'a str], &'a str, i32, &'a str);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_published_or_read_is_said_with_its_place_and_nothing_is_written() {
    let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(64 * 1_024));
    let long = "x".repeat(513);
    let event = r#"{"type":"a","room":"b","payload":{}}"#;
    let many = format!("[{}]", [event; 101].join(","));
    let metadata =
        format!(r#"[{{"type":"a","room":"b","payload":{{}},"metadata":{{"own":"{}"}}}}]"#, "x".repeat(4_096));
    let publish = ["publish", "chat", "--room", "r", "--type", "t"];
    let with = |more: &[&'static str]| [&publish[..], more].concat();
    let refused: [Refused<'_>; 27] = [
        (&["publish", "chats", "--room", "a", "--type", "b", "{}"], "", 1, "error[events.stream_unknown]"),
        (&["publish", "chats", "--room", "a", "--type", "b", "{}"], "", 1, "valid: agent_tasks, agent_updates, chat"),
        (&["publish", "Chat!", "--room", "a", "--type", "b", "{}"], "", 2, "small letters, digits"),
        (&with(&["nonsense"]), "", 2, "the payload is no JSON"),
        (&with(&["7"]), "", 2, "payload: must be a JSON object"),
        (&with(&["[]"]), "", 2, "payload: must be a JSON object"),
        (&with(&["-"]), "", 2, "the payload is no JSON"),
        (&with(&["-"]), &large, 2, "payload: it has more than 65536 bytes"),
        (&with(&["--id", "", "{}"]), "", 2, "--id"),
        (&with(&["--at", "yesterday", "{}"]), "", 2, "--at"),
        (&["publish", "chat", "--room", "r", "--type", "a b", "{}"], "", 2, "must be letters, digits"),
        (&["publish", "chat", "--room", &long, "--type", "t", "{}"], "", 2, "--room"),
        (&["publish", "chat", "--type", "t", "{}"], "", 2, "--room"),
        (&["publish", "chat", "--room", "r", "{}"], "", 2, "--type"),
        (&["publish", "chat"], "", 2, "required"),
        (&with(&["--events", "[]", "{}"]), "", 2, "cannot be used with"),
        (&["publish", "chat", "--events", "[]"], "", 2, "events: 0; publish 1 to 100 at a time"),
        (&["publish", "chat", "--events", "-"], &many, 2, "events: 101; publish 1 to 100 at a time"),
        (&["publish", "chat", "--events", "{}"], "", 2, "the document cannot be used"),
        (&["publish", "chat", "--events", "-"], r#"[{"type":"a","room":"b"}]"#, 2, "missing field `payload`"),
        (
            &["publish", "chat", "--events", "-"],
            r#"[{"type":"a","room":"b","payload":{},"colour":1}]"#,
            2,
            "unknown field `colour`",
        ),
        (
            &["publish", "chat", "--events", "-"],
            r#"[{"type":"a","room":"b","payload":{}},{"type":"a","room":"b","payload":"x"}]"#,
            2,
            "events[1].payload: must be a JSON object",
        ),
        (&["publish", "chat", "--events", "-"], &metadata, 2, "metadata: it has more than 4096 bytes"),
        (
            &["publish", "chat", "--events", "-"],
            r#"[{"type":"a","room":"b","payload":{},"metadata":{"coalesced_count":0}}]"#,
            2,
            "metadata.coalesced_count",
        ),
        (&["read", "chat", "--from", "yesterday"], "", 2, "not of the form epoch:ms-seq"),
        (&["read", "chat", "--limit", "1001"], "", 2, "limit: 1001; ask for 1 to 1000"),
        (&["read", "chat", "--partition", "1"], "", 2, "partition"),
    ];
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let node = bed.serve("node").await;
        let (direct, served) = (Desk::direct(&bed), Desk::through(&bed, &node));
        for (at, (arguments, stdin, status, said)) in refused.iter().enumerate() {
            // What the command line itself refuses needs to be tried on one way alone.
            for desk in if at % 2 == 0 { [&served, &direct] } else { [&direct, &served] } {
                let ran = desk.run_with(arguments, stdin.as_bytes());
                assert_eq!((ran.status, ran.stdout.as_str()), (*status, ""), "{arguments:?}: {ran:?}");
                assert!(ran.stderr.contains(said), "{arguments:?}: {ran:?}");
            }
        }
        let ran = direct.run_with(&with(&["-"]), b"\xff\xfe");
        assert!(ran.status != 0 && ran.stderr.contains("stdin cannot be read"), "{ran:?}");
        let ran = direct.run(&["read", "chats", "--json"]);
        let problem: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!((ran.status, &problem["code"]), (1, &json!("events.stream_unknown")), "a problem is a document too");
        assert_eq!(direct.ids(&["chat"]), [""; 0], "nothing was written");
    }
    let bed = Bed::sqlite();
    let nobody = Desk { bed: &bed, way: vec!["--url".into(), "http://127.0.0.1:1".into()] };
    let ran = nobody.run(&with(&["{}"]));
    assert!(ran.status == 3 && ran.stderr.contains("error["), "{ran:?}");
}

/// A stream that keeps a hundred events.
const SMALL: &str = "small max_len=100";

fn fill(desk: &Desk<'_>, stream: &str, name: &str) {
    let event = |n: usize| json!({ "type": "a", "room": "r", "id": format!("{name}-{n}"), "payload": {} });
    let events: Vec<Value> = (0..100).map(event).collect();
    let ran = desk.run_with(&["publish", stream, "--events", "-"], json!(events).to_string().as_bytes());
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_cannot_be_continued_is_said_and_what_there_is_follows() {
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let bed = bed.with("MAINSTAY_STREAMS", SMALL);
        let desk = Desk::direct(&bed);
        let line = desk.stdout(&["publish", "small", "--room", "r", "--type", "a", "--id", "first", "{}"]);
        let position = line.trim();
        assert_eq!(desk.json(&["read", "small", "--from", position])["events"], json!([]));
        // Redis drops whole nodes of a hundred entries.
        ["a", "b", "c"].iter().for_each(|name| fill(&desk, "small", name));
        let ran = desk.run(&["read", "small", "--from", position, "--limit", "1000"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(ran.stderr.contains("events behind this position are gone: the stream was trimmed"), "{ran:?}");
        assert!((100..=200).contains(&ran.stdout.lines().count()), "{ran:?}");
        let page = desk.json(&["read", "small", "--from", position, "--limit", "1000"]);
        assert_eq!(
            (&page["gap"], &page["events"].as_array().unwrap().last().unwrap()["id"]),
            (&json!("trimmed"), &json!("c-99"))
        );
        let end = page["position"].as_str().unwrap();
        assert_eq!(desk.json(&["read", "small", "--from", end]).get("gap"), None);

        let (_, offset) = end.split_once(':').unwrap();
        let of_another_life = format!("0123456789abcdef:{offset}");
        let ran = desk.run(&["read", "small", "--from", &of_another_life, "--limit", "1000"]);
        assert!(ran.stderr.contains("of an earlier life of the stream") && ran.stdout.contains("c-99"), "{ran:?}");
        assert_eq!(desk.json(&["read", "small", "--from", &of_another_life])["gap"], json!("new_epoch"));
    }
}

#[tokio::test]
async fn streams_are_added_and_divided_by_the_settings() {
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let desk = Desk::direct(&bed);
        let file = "[streams.orders]\npartitions = 2\nmax_len = 500\n";
        std::fs::write(bed.sandbox.path().join("mainstay.toml"), file).unwrap();
        let rooms: Vec<String> = (0..8).map(|n| format!("order:{n}")).collect();
        for room in &rooms {
            desk.stdout(&["publish", "orders", "--room", room, "--type", "placed", "--id", room, "{}"]);
        }
        let kept: Vec<Vec<String>> = ["0", "1"].map(|of| desk.ids(&["orders", "--partition", of])).into();
        assert!(kept.iter().all(|ids| !ids.is_empty()), "{kept:?}");
        assert_eq!(kept.concat().len(), rooms.len());
        for room in &rooms {
            assert_eq!(
                desk.ids(&["orders", "--room", room]),
                std::slice::from_ref(room),
                "the room says the partition"
            );
        }
        let streams = desk.stdout(&["streams"]);
        let row = |of: usize| format!("orders:{of}\t{}\t500\t2\t", kept[of].len());
        assert!(streams.contains(&row(0)) && streams.contains(&row(1)), "{streams}");
        let ran = desk.run(&["read", "orders", "--partition", "2"]);
        assert_eq!(ran.status, 2, "{ran:?}");
        std::fs::write(bed.sandbox.path().join("mainstay.toml"), "[streams.orders]\npartitions = 65\n").unwrap();
        let ran = desk.run(&["streams"]);
        assert!(ran.status == 2 && ran.stderr.contains("partitions must be 1 to 64"), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_program_adds_to_redis_is_an_event_and_what_is_none_is_counted() {
    let bed = Bed::redis().await;
    let node = bed.serve("node").await;
    let add = async |fields: &[&str]| {
        let arguments = [&["XADD", "events:chat", "MAXLEN", "~", "10000", "*"], fields].concat();
        bed.server().cli(&arguments).await.unwrap();
    };
    // What the founding system writes, field by field.
    let payload = r#"{"id": "m1", "sequenceNumber": 1, "big": 12345678901234567890123, "content": "café"}"#;
    let event = ["event_id", "7f1c", "event_type", "chat_message", "timestamp", "2026-01-16T10:00:00.123456+00:00"];
    let rest =
        ["room_id", "42", "payload", payload, "metadata", r#"{"trace_id": "t", "source_instance": "backend-1"}"#];
    add(&[&event[..], &rest[..]].concat()).await;
    add(&["event_id", "bare", "event_type", "t\u{1b}[2J", "room_id", "42", "payload", "{}"]).await;
    add(&["event_id", "bare", "event_type", "t", "room_id", "4\u{1b}[2J\t2", "payload", "{}"]).await;
    add(&["event_id", "broken", "event_type", "t", "room_id", "42", "payload", "[1]"]).await;
    add(&["hello", "world"]).await;
    for desk in [Desk::direct(&bed), Desk::through(&bed, &node)] {
        let page = desk.json(&["read", "chat"]);
        let (first, bare) = (&page["events"][0], &page["events"][1]);
        assert_eq!((page["events"].as_array().unwrap().len(), &page["unreadable"]), (2, &json!(3)), "{page}");
        assert_eq!(
            (&first["id"], &first["room"], &first["type"]),
            (&json!("7f1c"), &json!("42"), &json!("chat_message"))
        );
        assert_eq!(first["timestamp"], "2026-01-16T10:00:00.123Z");
        assert_eq!(first["metadata"], json!({ "trace_id": "t", "source_instance": "backend-1" }));
        assert_eq!(bare["timestamp"].as_str().unwrap().len(), "2026-01-16T10:00:00.123Z".len());
        let ran = desk.run(&["read", "chat"]);
        assert!(ran.stderr.contains("warning: passed over what others wrote that is no event: 3"), "{ran:?}");
        assert!(!ran.stdout.contains('\u{1b}') && ran.stdout.contains(payload), "{ran:?}");
        assert!(ran.stdout.lines().all(|line| line.split('\t').count() == 6), "{ran:?}");
    }
    // And they read what we write.
    let desk = Desk::direct(&bed);
    let at = "2026-01-16T10:00:00Z";
    let metadata = json!([{ "type": "chat_message", "room": "42", "id": "ours", "payload": { "a": 1 }, "timestamp": at,
        "metadata": { "trace_id": "t" } }]);
    desk.stdout(&["publish", "chat", "--events", &metadata.to_string()]);
    let told = format!("{:?}", bed.server().cli(&["XREVRANGE", "events:chat", "+", "-", "COUNT", "1"]).await.unwrap());
    let written = [
        "event_id",
        "ours",
        "event_type",
        "chat_message",
        "timestamp",
        "2026-01-16T10:00:00.000+00:00",
        "room_id",
        "42",
        "payload",
        r#"{\"a\":1}"#,
        "metadata",
        r#"{\"trace_id\":\"t\"}"#,
    ];
    let mut rest = told.as_str();
    for word in written {
        rest = rest.split_once(word).unwrap_or_else(|| panic!("{word}: {told}")).1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_transport_is_shown_and_changed_piece_by_piece() {
    each(|desk| {
        assert_eq!(desk.stdout(&["transport", "show"]), "not set: each publisher does as its own environment says\n");
        assert_eq!(desk.json(&["transport", "show"]), json!({ "version": 0 }));
        for (bad, said) in [
            (&["--percentage", "101"][..], "percentage: 101 is not 0 to 100"),
            (&["--percentage", "-1"], "--percentage"),
            (&["--percentage", "many"], "--percentage"),
            (&["--publish-timeout-ms", "9"], "publish_timeout_ms: 9 is not 10 to 5000"),
            (&["--publish-timeout-ms", "5001"], "publish_timeout_ms: 5001 is not 10 to 5000"),
            (&["--streams", "maybe"], "--streams"),
            (&[], "required"),
        ] {
            let ran = desk.run(&[&["transport", "set"], bad].concat());
            assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{bad:?}: {ran:?}");
            assert!(ran.stderr.contains(said), "{bad:?}: {ran:?}");
        }
        assert_eq!(desk.json(&["transport", "show"]), json!({ "version": 0 }), "nothing was changed");
        let said = desk.stdout(&["transport", "set", "--streams", "on", "--percentage", "25"]);
        assert!(said.starts_with("streams\ton\npercentage\t25\ndual write\toff\nfallback\ton\n"), "{said}");
        assert!(said.contains("publish timeout\t100 ms\nversion\t1\nchanged\t"), "{said}");
        desk.stdout(&["transport", "set", "--dual-write", "on", "--publish-timeout-ms", "250"]);
        desk.stdout(&["transport", "set", "--fallback", "off"]);
        let shown = desk.json(&["transport", "show"]);
        let settings = json!({
            "use_streams": true, "percentage": 25, "dual_write": true, "fallback": false, "publish_timeout_ms": 250,
        });
        assert_eq!((&shown["settings"], &shown["version"]), (&settings, &json!(3)));
        assert_eq!(shown["updated_by"], json!("owner"));
        assert!(desk.stdout(&["transport", "show"]).ends_with(" by owner\n"));
    })
    .await;
}

#[tokio::test]
async fn of_changes_of_the_transport_at_the_same_moment_each_stands_on_the_one_before_or_is_refused() {
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let set = |number: u32| {
            let value = (100 + number).to_string();
            let what: &[&str] = match number % 3 {
                0 => &["--publish-timeout-ms", &value],
                1 => &["--percentage", &value[1..]],
                _ => &["--dual-write", "on"],
            };
            let mut command = bed.command(&[&["events", "transport", "set", "--json"], what].concat());
            (number, command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        };
        let setting: Vec<_> = (1..=9).map(set).collect();
        let mut stood = Vec::new();
        for (number, child) in setting {
            let ran = Ran::of(child.wait_with_output().unwrap());
            if ran.status == 0 {
                stood.push((number, serde_json::from_str::<Value>(&ran.stdout).unwrap()));
            } else {
                assert!(ran.status == 1 && ran.stderr.contains("events.transport_conflict"), "{ran:?}");
            }
        }
        stood.sort_by_key(|(_, said)| said["version"].as_u64());
        let mut known = json!(TransportSettings::default());
        for (version, (number, said)) in (1..).zip(&stood) {
            match number % 3 {
                0 => known["publish_timeout_ms"] = json!(100 + number),
                1 => known["percentage"] = json!(number),
                _ => known["dual_write"] = json!(true),
            }
            assert_eq!(
                (&said["version"], &said["settings"]),
                (&json!(version), &known),
                "what others set stays: {stood:?}"
            );
        }
        let shown = Desk::direct(&bed).json(&["transport", "show"]);
        assert_eq!((&shown["version"], &shown["settings"]), (&json!(stood.len()), &known));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_be_in_a_room_is_said_listed_and_taken_back() {
    each(|desk| {
        let room = ["chat", "request:42/é"];
        let rooms = |act: &'static str, more: &[&'static str]| [&["rooms", act], &room[..], more].concat();
        assert_eq!(desk.stdout(&rooms("present", &[])), "");
        assert_eq!(desk.json(&rooms("present", &[])), json!({ "room": "request:42/é", "present": [] }));
        assert_eq!(desk.stdout(&rooms("admit", &["ada"])), "admitted ada without an end\n");
        let until = desk.stdout(&rooms("admit", &["b /\u{1b}[2J", "--until", "2100-01-01T00:00:00Z"]));
        assert_eq!(until, "admitted b /\\u{1b}[2J until 2100-01-01T00:00:00Z\n");
        assert!(desk.json(&rooms("admit", &["carl", "--until", "8h"]))["until"].is_string());
        let all = desk.stdout(&rooms("members", &[]));
        let names: Vec<&str> = all.lines().map(|line| line.split('\t').next().unwrap()).collect();
        assert_eq!(names, ["ada", "b /\\u{1b}[2J", "carl"]);
        assert!(all.starts_with("ada\t-\n"), "{all}");
        let page = desk.run(&rooms("members", &["--limit", "2"]));
        assert_eq!(
            (page.stdout.lines().count(), page.stderr.as_str()),
            (2, "there are more: --cursor b /\\u{1b}[2J\n")
        );
        assert!(desk.stdout(&rooms("members", &["--cursor", "b /\u{1b}[2J"])).starts_with("carl\t"));
        assert_eq!(desk.stdout(&rooms("dismiss", &["ada"])), "dismissed ada\n");
        assert_eq!(desk.stdout(&rooms("dismiss", &["ada"])), "ada was no member\n");
        for (bad, status, said) in [
            (rooms("admit", &["ada", "--until", "2020-01-01T00:00:00Z"]), 2, "until"),
            (rooms("admit", &["ada", "--until", "soon"]), 2, "--until"),
            (rooms("admit", &[]), 2, "MEMBER"),
            (rooms("members", &["--limit", "1001"]), 2, "limit"),
            (vec!["rooms", "members", "chats", "r"], 1, "error[events.stream_unknown]"),
            (vec!["rooms", "present", "chats", "r"], 1, "error[events.stream_unknown]"),
            (vec!["rooms", "dismiss", "chats", "r", "ada"], 1, "error[events.stream_unknown]"),
        ] {
            let ran = desk.run(&bad);
            assert_eq!((ran.status, ran.stdout.as_str()), (status, ""), "{bad:?}: {ran:?}");
            assert!(ran.stderr.contains(said), "{bad:?}: {ran:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_room_of_members_is_read_by_whoever_was_admitted_for_as_long_as_that_holds() {
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let bed = bed.with("MAINSTAY_STREAMS", "private access=members");
        let node = bed.serve("node").await;
        let desk = Desk::through(&bed, &node);
        desk.stdout(&["publish", "private", "--room", "r", "--type", "a", "--id", "e1", "{}"]);
        let url = node.url();
        let key = bed.json(&["key", "create", "reader", "--scope", "events:read", "--url", &url]);
        let (token, id) = (key["token"].as_str().unwrap(), key["id"].as_str().unwrap());
        let read = || {
            let mut command = bed.command(&["events", "read", "private", "--room", "r", "--url", &url]);
            Ran::of(command.env_remove("MAINSTAY_OWNER_KEY").env("MAINSTAY_TOKEN", token).output().unwrap())
        };
        let refused = |ran: Ran| {
            assert!(ran.status == 1 && ran.stdout.is_empty(), "{ran:?}");
            assert!(ran.stderr.contains("error[events.room_forbidden]"), "{ran:?}");
        };
        refused(read());
        let member = format!("key:{id}");
        desk.stdout(&["rooms", "admit", "private", "r", &member]);
        let ran = read();
        assert!(ran.status == 0 && ran.stdout.contains("\te1\t"), "{ran:?}");
        desk.stdout(&["rooms", "dismiss", "private", "r", &member]);
        refused(read());
    }
}
