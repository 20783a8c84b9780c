//! The modern tools, resources and prompts, with clients of the current protocol.

use crate::mcp_support::{Http, Site, done};
use serde_json::{Value, json};

async fn send(client: &Http, to: &[&str], subject: &str) -> String {
    let sent = client.done("mail_send", json!({"to": to, "subject": subject, "body": "text"})).await;
    sent["id"].as_str().unwrap().to_owned()
}

fn failed(result: &Value, code: &str) -> String {
    assert_eq!(result["isError"], true, "{result}");
    assert!(result.get("structuredContent").is_none(), "{result}");
    assert_eq!(result["_meta"]["dev.mainstay/error"]["code"], code);
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with(&format!("{code}: ")), "{text}");
    text
}

#[tokio::test]
async fn a_message_is_sent_found_read_and_acknowledged() {
    let site = Site::start().await;
    let (backend, frontend) = (site.modern("backend"), site.modern("frontend"));
    let body = "é".repeat(400);
    let arguments = json!({
        "to": "frontend", "subject": "API is ready", "body": body, "type": "READY_FOR_REVIEW", "priority": "high",
        "attachments": [{"uri": "docs/api.md"}],
    });
    let sent = backend.done("mail_send", arguments).await;
    assert_eq!((&sent["delivered"], &sent["replayed"]), (&json!(1), &json!(false)));
    let id = sent["id"].as_str().unwrap();

    let inbox = frontend.done("mail_inbox", json!({})).await;
    let summary = &inbox["messages"][0];
    assert_eq!(summary["id"], id);
    assert_eq!((&summary["body_bytes"], &summary["read"]), (&json!(800), &json!(false)));
    assert_eq!(summary["preview"].as_str().unwrap().chars().count(), 281);
    assert!(summary.get("body").is_none());

    let message = frontend.done("mail_read", json!({"id": id})).await;
    assert_eq!((&message["body"], &message["from"]), (&json!(body), &json!("backend")));
    assert_eq!(message["attachments"][0]["uri"], "docs/api.md");
    let counts = frontend.done("mail_counts", json!({})).await;
    assert_eq!(counts, json!({"total": 1, "unread": 0, "pending": 1}));
    assert_eq!(frontend.done("mail_inbox", json!({})).await["messages"], json!([]));

    let ack = frontend.done("mail_ack", json!({"id": id, "comment": "seen"})).await;
    assert_eq!((&ack["by"], &ack["already"], &ack["comment"]), (&json!("frontend"), &json!(false), &json!("seen")));
    let again = frontend.done("mail_ack", json!({"id": id, "comment": "again"})).await;
    assert_eq!((&again["already"], &again["comment"]), (&json!(true), &json!("seen")));
    let read_by_sender = backend.done("mail_read", json!({"id": id})).await;
    assert_eq!(read_by_sender["receipts"][0]["ack"]["comment"], "seen");
}

#[tokio::test]
async fn a_repeated_request_id_sends_once() {
    let site = Site::start().await;
    let backend = site.modern("backend");
    let arguments = json!({"to": ["frontend"], "subject": "once", "request_id": "r-1"});
    let first = backend.done("mail_send", arguments.clone()).await;
    let second = backend.done("mail_send", arguments).await;
    assert_eq!((&first["id"], &second["replayed"]), (&second["id"], &json!(true)));
    let other = json!({"to": ["frontend"], "subject": "other", "request_id": "r-1"});
    failed(&backend.tool("mail_send", other).await, "request.id_reused");
}

#[tokio::test]
async fn lists_are_short_and_continue_where_they_ended() {
    let site = Site::start().await;
    let backend = site.modern("backend");
    for number in 0..25 {
        send(&backend, &["frontend"], &format!("number {number}")).await;
    }
    let first = backend.done("mail_list", json!({})).await;
    assert_eq!(first["messages"].as_array().unwrap().len(), 20);
    let rest = backend.done("mail_list", json!({"cursor": first["next"]})).await;
    assert_eq!(rest["messages"].as_array().unwrap().len(), 5);
    assert_eq!(rest["messages"][4]["subject"], "number 0");
    assert!(rest.get("next").is_none());

    let frontend = site.modern("frontend");
    let page = frontend.done("mail_inbox", json!({"limit": 20})).await;
    assert_eq!(page["more"], true);
    let after = frontend.done("mail_inbox", json!({"after": page["position"]})).await;
    assert_eq!((after["messages"].as_array().unwrap().len(), &after["more"]), (5, &json!(false)));
    let marked: Vec<_> = page["messages"].as_array().unwrap().iter().map(|message| message["id"].clone()).collect();
    assert_eq!(frontend.done("mail_mark_read", json!({"ids": marked})).await, json!({"marked": 20}));
    assert_eq!(frontend.done("mail_inbox", json!({})).await["messages"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_wait_returns_with_the_mail_and_without_it_when_the_time_is_over() {
    let site = Site::start().await;
    let (backend, frontend) = (site.modern("backend"), site.modern("frontend"));
    let nothing = frontend.done("mail_wait", json!({"wait_ms": 10})).await;
    assert_eq!(nothing["messages"], json!([]));
    let waiting = {
        let (frontend, after) = (frontend.clone(), nothing["position"].clone());
        tokio::spawn(async move { frontend.done("mail_wait", json!({"after": after, "wait_ms": 60_000})).await })
    };
    let id = send(&backend, &["frontend"], "now").await;
    let woken = tokio::time::timeout(crate::support::SOON, waiting).await.unwrap().unwrap();
    assert_eq!(woken["messages"][0]["id"], *id);
    let unread = frontend.done("mail_wait", json!({})).await;
    assert_eq!(unread["messages"][0]["id"], *id, "what arrived while nobody waited is there at once");
    failed(&frontend.tool("mail_wait", json!({"wait_ms": 60_001})).await, "request.invalid");
}

#[tokio::test]
async fn a_wait_ends_when_the_server_stops() {
    let site = Site::start().await;
    let frontend = site.modern("frontend");
    let waiting = tokio::spawn(async move { frontend.tool("mail_wait", json!({"wait_ms": 60_000})).await });
    while site.parts.services.hub.watches() == 0 {
        tokio::task::yield_now().await;
    }
    site.shutdown.cancel();
    let ended = tokio::time::timeout(crate::support::SOON, waiting).await.unwrap().unwrap();
    failed(&ended, "server.stopping");
}

#[tokio::test]
async fn a_client_that_hangs_up_waits_no_longer() {
    let site = Site::start().await;
    let frontend = site.modern("frontend");
    let waiting = tokio::spawn(async move { frontend.tool("mail_wait", json!({"wait_ms": 60_000})).await });
    while site.parts.services.hub.watches() == 0 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    tokio::time::timeout(crate::support::SOON, async {
        while site.parts.services.hub.watches() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the wait ended");
}

#[tokio::test]
async fn failures_tell_a_model_what_to_do() {
    let site = Site::start().await;
    let backend = site.modern("backend");
    let text = failed(&backend.tool("mail_read", json!({"id": "msg-nope"})).await, "mail.not_found");
    assert!(text.contains("msg-nope") && text.contains("mail_list"), "{text}");
    let arguments = json!({"to": ["x"], "subject": "s", "type": "NOPE"});
    let text = failed(&backend.tool("mail_send", arguments).await, "mail.invalid_type");
    assert!(text.contains("mail_types") && text.contains("READY_FOR_REVIEW"), "{text}");
    let text = failed(&backend.tool("mail_send", json!({"to": ["x"]})).await, "request.invalid");
    assert!(text.contains("`subject`") && text.contains("inputSchema"), "{text}");
    let text = failed(&backend.tool("mail_list", json!({"limit": 101})).await, "request.invalid");
    assert!(text.starts_with("request.invalid: limit: 101"), "{text}");
    let id = send(&backend, &["frontend"], "s").await;
    let text = failed(&backend.tool("mail_ack", json!({"id": id})).await, "mail.not_a_recipient");
    assert!(text.contains("on_behalf_of"), "{text}");
    let nobody = Http { instance: None, ..backend };
    for tool in ["mail_inbox", "presence_heartbeat", "presence_register", "mail_counts"] {
        let text = failed(&nobody.tool(tool, json!({})).await, "auth.instance_missing");
        assert!(text.contains("MAINSTAY_INSTANCE"), "{text}");
    }
}

#[tokio::test]
async fn an_agent_registers_beats_is_seen_and_leaves() {
    let site = Site::start().await;
    let (backend, pm) = (site.modern("backend"), site.modern("pm"));
    backend.done("presence_register", json!({"role": "api", "branch": "agent/x", "session_id": "s1"})).await;
    pm.done("presence_heartbeat", json!({})).await;
    backend.done("presence_heartbeat", json!({"current_work": "tests"})).await;
    let listed = pm.done("presence_list", json!({})).await;
    let names: Vec<_> = listed["instances"].as_array().unwrap().iter().map(|one| one["instance"].clone()).collect();
    assert_eq!(names, ["backend", "pm"]);
    assert_eq!((&listed["instances"][0]["current_work"], &listed["left_out"]), (&json!("tests"), &json!(0)));
    let paged = pm.done("presence_list", json!({"limit": 1})).await;
    assert_eq!(paged["left_out"], 1);
    let next = pm.done("presence_list", json!({"after": "backend"})).await;
    assert_eq!(next["instances"][0]["instance"], "pm");
    assert_eq!(backend.done("presence_unregister", json!({"session_id": "other"})).await["changed"], false);
    assert_eq!(backend.done("presence_unregister", json!({"session_id": "s1"})).await["changed"], true);
    assert_eq!(pm.done("presence_list", json!({})).await["instances"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whoami_tells_who_the_credential_and_the_headers_make_of_the_caller() {
    let site = Site::start().await;
    let me = site.modern("backend").done("whoami", json!({})).await;
    assert_eq!(
        (&me["principal"], &me["instance"], &me["namespace"]),
        (&json!("owner"), &json!("backend"), &json!("default"))
    );
    assert!(me["scopes"].as_array().unwrap().contains(&json!("mail:write")));
}

#[tokio::test]
async fn mailboxes_messages_and_presence_are_resources() {
    let site = Site::start().await;
    let (backend, frontend) = (site.modern("backend"), site.modern("a/b"));
    let id = send(&backend, &["a/b"], "s").await;
    let read = async |client: &Http, uri: &str| -> Value {
        let result = client.result("resources/read", json!({"uri": uri})).await;
        assert_eq!(
            (&result["contents"][0]["uri"], &result["contents"][0]["mimeType"]),
            (&json!(uri), &json!("application/json"))
        );
        serde_json::from_str(result["contents"][0]["text"].as_str().unwrap()).unwrap()
    };
    for uri in ["mailbox://me", "mailbox://a%2Fb"] {
        let own = read(&frontend, uri).await;
        assert_eq!((&own["instance"], &own["counts"]["unread"]), (&json!("a/b"), &json!(1)));
        assert_eq!(own["unread"][0]["id"], *id);
    }
    let others = read(&backend, "mailbox://a%2Fb").await;
    assert_eq!(others["pending"][0]["id"], *id);
    assert!(others.get("counts").is_none(), "what another has read is its own affair");
    assert_eq!(read(&backend, &format!("mail://message/{id}")).await["body"], "text");
    assert_eq!(frontend.done("mail_counts", json!({})).await["unread"], 1, "a resource marks nothing");
    frontend.done("presence_heartbeat", json!({})).await;
    assert_eq!(read(&backend, "presence://instances").await["instances"][0]["instance"], "a/b");

    for uri in ["mail://message/msg-nope", "nothing://here"] {
        let error = frontend.ask("resources/read", json!({"uri": uri})).await["error"].clone();
        assert_eq!((&error["code"], &error["data"]["uri"]), (&json!(-32602), &json!(uri)), "{error}");
    }
    let listed = frontend.result("resources/list", json!({})).await;
    let uris: Vec<_> = listed["resources"].as_array().unwrap().iter().map(|resource| resource["uri"].clone()).collect();
    assert_eq!(uris, ["mailbox://me", "presence://instances"]);
    let templates = frontend.result("resources/templates/list", json!({})).await;
    assert_eq!(templates["resourceTemplates"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn prompts_name_the_tools_of_a_routine() {
    let site = Site::start().await;
    let backend = site.modern("backend");
    let listed = backend.result("prompts/list", json!({})).await;
    let names: Vec<_> = listed["prompts"].as_array().unwrap().iter().map(|prompt| prompt["name"].clone()).collect();
    assert_eq!(names, ["check_mail", "request_review", "hand_over", "standup"]);
    let tools = backend.result("tools/list", json!({})).await;
    let known: Vec<_> = tools["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    for (name, arguments) in [
        ("check_mail", json!({})),
        ("request_review", json!({"reviewer": "pm", "subject": "agent/x"})),
        ("hand_over", json!({"to": "pm", "work": "the parser"})),
        ("standup", json!({})),
    ] {
        let prompt = backend.result("prompts/get", json!({"name": name, "arguments": arguments})).await;
        let text = prompt["messages"][0]["content"]["text"].as_str().unwrap();
        let named = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
        let tools: Vec<_> = named.filter(|word| word.starts_with("mail_") || word.starts_with("presence_")).collect();
        assert!(tools.len() > 1 && tools.iter().all(|tool| known.contains(tool)), "{name}: {tools:?}");
        assert!(text.contains("\"backend\""), "{text}");
    }
    for (name, arguments) in [("nope", json!({})), ("hand_over", json!({"to": "pm"})), ("standup", json!({"x": "y"}))] {
        let error = backend.ask("prompts/get", json!({"name": name, "arguments": arguments})).await["error"].clone();
        assert_eq!(error["code"], -32602, "{error}");
    }
}

#[tokio::test]
async fn a_hostile_id_is_only_an_id() {
    let site = Site::start().await;
    let backend = site.modern("backend");
    for id in ["a:b{c}*", "line\nbreak", "日本", &"🦀".repeat(300)] {
        backend.done("mail_send", json!({"id": id, "to": ["{x}:*\n"], "subject": "s"})).await;
        assert_eq!(done(backend.tool("mail_read", json!({"id": id})).await)["to"], json!(["{x}:*\n"]));
    }
}
