//! Names that would reach into a key, a pattern, a path, a header or a line, if anything took them apart.

use crate::bed::Bed;
use crate::node::Node;
use mainstay_api::ids::RequestId;
use mainstay_api::mail::{AckMessage, ListMessages, MarkRead, ReadInbox, SendMessage};
use mainstay_api::presence::RegisterInstance;
use mainstay_api::{InstanceId, MessageId};
use serde_json::json;

/// Each is an id of a message, a name of an instance and a thread in turn.
fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        "a:b",
        "{x}",
        "}{",
        "*",
        "a*",
        "?[a-z]",
        "line\nbreak",
        "cr\r\nx-header: 1",
        "tab\there",
        " lead and trail ",
        "日本語",
        "e\u{301}",
        "é",
        "\u{202e}rtl",
        "..",
        ".",
        "../../etc",
        "a/b",
        "a%2Fb",
        "%",
        "a?b#c&d=e",
        "a+b",
        "a;b",
        "\"quoted\"",
        "'; DROP TABLE messages; --",
        "\\",
        "$(id)",
        "`id`",
        "all:all",
        "ALL",
        "null",
        "\u{7f}\u{1b}[31m",
        "mail.default",
        "--help",
        "-",
    ]
    .map(str::to_owned)
    .into();
    names.extend(["x".repeat(300), "🦀".repeat(300), "ü:{}*".repeat(60)]);
    names
}

fn instance(name: &str) -> InstanceId {
    InstanceId::parse(name).unwrap()
}

/// One message to each name, each with the name as its id; over the network.
async fn through_http(node: &Node) {
    let names = hostile();
    for name in &names {
        let client = node.client(name, 0);
        client.presence().register(&instance(name), &RegisterInstance::default()).await.unwrap();
        let message = SendMessage {
            id: Some(MessageId::parse(name.as_str()).unwrap()),
            thread: Some(MessageId::parse(name.as_str()).unwrap()),
            ..SendMessage::new(vec![instance(name)], "hello")
        };
        let sent = client.mail().send(&message, None).await.unwrap_or_else(|e| panic!("{name:?}: {e}"));
        assert_eq!(sent.message.content.id.as_str(), name);
    }
    for name in &names {
        let client = node.client(name, 0);
        let id = MessageId::parse(name.as_str()).unwrap();
        let message = client.mail().message(&id).await.unwrap_or_else(|e| panic!("{name:?}: {e}"));
        assert_eq!((message.content.from.as_str(), message.content.thread.as_ref()), (name.as_str(), Some(&id)));
        let inbox = client.mail().inbox(&ReadInbox::default()).await.unwrap();
        assert_eq!(inbox.messages.len(), 1, "{name:?} sees another's mail: {:?}", inbox.messages);
        let list = async |list| client.mail().list(&list).await.unwrap().items.len();
        assert_eq!(list(ListMessages { recipient: Some(instance(name)), ..Default::default() }).await, 1, "{name:?}");
        assert_eq!(list(ListMessages { sender: Some(instance(name)), ..Default::default() }).await, 1, "{name:?}");
        assert_eq!(list(ListMessages { thread: Some(id.clone()), ..Default::default() }).await, 1, "{name:?}");
        assert_eq!(client.mail().mark_read(&MarkRead { ids: vec![id.clone()] }).await.unwrap().marked, 1, "{name:?}");
        let ack = AckMessage { comment: Some(name.clone()), on_behalf_of: None };
        assert!(!client.mail().acknowledge(&id, &ack).await.unwrap().already, "{name:?}");
        let here = client.presence().instance(&instance(name)).await.unwrap_or_else(|e| panic!("{name:?}: {e}"));
        assert_eq!(here.instance.as_str(), name);
    }
    let everyone = node.client("me", 0).presence().list().await.unwrap();
    assert_eq!(everyone.instances.len(), names.len());
}

/// The same names as arguments of commands, in a namespace of that name.
fn through_commands(bed: &Bed) {
    for name in hostile() {
        let space: String = name.chars().take(40).collect();
        let run = |arguments: &[&str]| {
            let flags = [format!("--as={name}"), format!("--namespace={space}")];
            let mut all = vec![flags[0].as_str(), flags[1].as_str(), "--json"];
            all.extend(arguments);
            let output = bed.run(&all);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{name:?} {arguments:?}: {said}");
            serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
        };
        let (id, request) = (format!("--id={name}"), format!("--request-id={space}"));
        let sent = run(&["mail", "send", &id, &request, "--", &name, "hello"]);
        assert_eq!(sent["message"]["id"], name.as_str());
        assert_eq!(run(&["mail", "list", &format!("--to={name}")])["items"].as_array().unwrap().len(), 1, "{name:?}");
        assert_eq!(run(&["mail", "wait", "--timeout", "5s"])["messages"][0]["from"], name.as_str());
        assert_eq!(run(&["mail", "ack", "--", &name])["ack"]["by"], name.as_str());
        run(&["agent", "register"]);
        assert_eq!(run(&["agent", "list"])["instances"].as_array().unwrap().len(), 1, "{name:?}");
    }
}

/// Request ids that a header could make one of two: each is a write of its own, and a repetition finds its own.
async fn alike_request_ids(node: &Node) {
    let client = node.client("me", 0);
    let mut ids = std::collections::BTreeSet::new();
    for request in ["é", "%C3%A9", "%25C3%25A9", "r", "\"r\"", "%72", "a b", "a%20b", "a+b", "日本語"] {
        let request = Some(RequestId::parse(request).unwrap());
        let message = SendMessage::new(vec![instance("requests")], "hello");
        let sent = client.mail().send(&message, request.clone()).await.unwrap();
        assert!(!sent.replayed && ids.insert(sent.message.content.id.clone()), "{request:?} is taken for another");
        let again = client.mail().send(&message, request.clone()).await.unwrap();
        assert_eq!((again.replayed, &again.message.content.id), (true, &sent.message.content.id), "{request:?}");
    }
}

/// The same names as arguments of tools, one session for each as its agent.
fn through_mcp(bed: &Bed) {
    for name in hostile() {
        let call = |id: u32, tool: &str, arguments: serde_json::Value| {
            let params = json!({"name": tool, "arguments": arguments});
            json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
        };
        let about =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let answers = bed.mcp(
            &[format!("--as={name}"), "--namespace=over-mcp".into()],
            &[
                json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}),
                json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
                call(2, "mail_send", json!({"to": [name], "subject": "hello", "id": name, "thread": name})),
                call(3, "mail_read", json!({"id": name})),
                call(4, "mail_list", json!({"recipient": name})),
                call(5, "coord_ack_message", json!({"message_id": name})),
                call(6, "presence_register", json!({"role": name.chars().take(40).collect::<String>()})),
            ],
        );
        let result = |id: u32| {
            let answer =
                answers.iter().find(|answer| answer["id"] == id).unwrap_or_else(|| panic!("{name:?}: {answers:?}"));
            let result = &answer["result"];
            assert!(result["content"].is_array() && result["isError"] != true, "{name:?}: {answer}");
            &answer["result"]["structuredContent"]
        };
        assert_eq!(result(2)["id"], name.as_str());
        assert_eq!((&result(3)["from"], &result(3)["thread"]), (&json!(name), &json!(name)));
        assert_eq!(result(4)["messages"].as_array().map(Vec::len), Some(1), "{name:?}: {}", result(4));
        result(5);
        result(6);
    }
}

/// What is printed for people stays one line each, whatever the names are.
fn for_people(bed: &Bed) {
    let output = bed.run(&["mail", "send", "--as=a\n\u{1b}[31mb", "--id=x\ny", "--", "c\r\nd", "s"]);
    assert!(output.status.success());
    let listed = bed.run(&["mail", "list", "--all"]);
    let text = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text:?}");
    assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
}

async fn hostile_names(bed: Bed) {
    for_people(&bed);
    through_commands(&bed);
    through_mcp(&bed);
    let node = bed.serve("node").await.isolated("over-http");
    through_http(&node).await;
    alike_request_ids(&node).await;
}

#[tokio::test]
async fn hostile_names_are_names_on_a_file() {
    hostile_names(Bed::sqlite()).await;
}

#[tokio::test]
async fn hostile_names_are_names_on_redis() {
    hostile_names(Bed::redis().await).await;
}

#[tokio::test]
async fn a_name_that_cannot_be_one_is_refused_with_the_rule() {
    let bed = Bed::sqlite();
    for (arguments, rule) in [
        (vec!["mail", "send", "", "s", "--as=me"], "it is empty"),
        (vec!["mail", "list", "--to="], "it is empty"),
        (vec!["mail", "read", "--as=me", ""], "it is empty"),
    ] {
        let output = bed.run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(rule), "{said}");
    }
    let node = bed.serve("node").await;
    for body in [
        r#"{"to":[""],"subject":"s"}"#.to_owned(),
        r#"{"to":["a\u0000b"],"subject":"s"}"#.to_owned(),
        format!(r#"{{"to":["{}"],"subject":"s"}}"#, "x".repeat(1_281)),
        r#"{"to":[],"subject":"s"}"#.to_owned(),
    ] {
        let answer = node.request("POST", "/v1/mail/messages", &body).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("request.invalid")), "{answer:?}");
    }
}
