//! The `coord_*` tools answer as the original did, byte for byte where ids and times are replaced, and without its
//! defects.

use crate::mcp_support::{Http, Site, Stdio, caller, told};
use mainstay_core::api::MessageType;
use mainstay_core::mail::MailRules;
use mainstay_server::mcp::HttpOptions;
use serde_json::{Value, json};

/// The text of an answer, with every id and time replaced.
fn text(result: &Value) -> String {
    let text = result["content"][0]["text"].as_str().unwrap();
    let mut masked = String::new();
    for line in text.lines() {
        let line = match line.find("\"msg-") {
            Some(at) if line[at + 5..at + 13].bytes().all(|b| b.is_ascii_hexdigit()) => {
                format!("{}\"msg-ID{}", &line[..at], &line[at + 13..])
            }
            _ => line.to_owned(),
        };
        let line = match line.find("\"20") {
            Some(at) if line.as_bytes().get(at + 20) == Some(&b'Z') => {
                format!("{}\"TIME{}", &line[..at], &line[at + 21..])
            }
            _ => line,
        };
        masked.push_str(&line);
        masked.push('\n');
    }
    masked.trim_end().to_owned()
}

async fn publish(client: &Http, to: &str, subject: &str) -> String {
    let arguments = json!({"msg_type": "GENERAL", "subject": subject, "description": "d", "to_instance": to});
    told(&client.tool("coord_publish_message", arguments).await)["message_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_published_message_is_answered_checked_notified_and_acknowledged_as_in_the_original() {
    let site = Site::start().await;
    let backend = site.legacy("backend");
    let orchestrator = site.legacy("orchestrator");

    let arguments =
        json!({"msg_type": "READY_FOR_REVIEW", "subject": "agent/P03-F01", "description": "Feature complete"});
    let published = backend.tool("coord_publish_message", arguments).await;
    assert_eq!(
        text(&published),
        "{\n  \"success\": true,\n  \"message_id\": \"msg-ID\",\n  \"type\": \"READY_FOR_REVIEW\",\n  \
         \"from\": \"backend\",\n  \"to\": \"orchestrator\",\n  \"timestamp\": \"TIME\",\n  \"requires_ack\": true\n}"
    );
    assert_eq!(published.as_object().unwrap().keys().collect::<Vec<_>>(), ["content"]);
    let id = told(&published)["message_id"].as_str().unwrap().to_owned();

    let notified = orchestrator.tool("coord_get_notifications", json!({})).await;
    assert_eq!(
        text(&notified),
        "{\n  \"success\": true,\n  \"count\": 1,\n  \"notifications\": [\n    {\n      \
         \"event\": \"message_published\",\n      \"message_id\": \"msg-ID\",\n      \
         \"type\": \"READY_FOR_REVIEW\",\n      \"from\": \"backend\",\n      \"to\": \"orchestrator\",\n      \
         \"requires_ack\": true,\n      \"timestamp\": \"TIME\"\n    }\n  ]\n}"
    );

    let acknowledged = orchestrator.tool("coord_ack_message", json!({"message_id": id, "comment": "Looks good"})).await;
    assert_eq!(
        text(&acknowledged),
        "{\n  \"success\": true,\n  \"message_id\": \"msg-ID\",\n  \"acknowledged_by\": \"orchestrator\"\n}"
    );

    let checked = orchestrator.tool("coord_check_messages", json!({"to_instance": "orchestrator"})).await;
    assert_eq!(
        text(&checked),
        "{\n  \"success\": true,\n  \"count\": 1,\n  \"messages\": [\n    {\n      \"id\": \"msg-ID\",\n      \
         \"type\": \"READY_FOR_REVIEW\",\n      \"from\": \"backend\",\n      \"to\": \"orchestrator\",\n      \
         \"timestamp\": \"TIME\",\n      \"requires_ack\": true,\n      \"acknowledged\": true,\n      \
         \"payload\": {\n        \"subject\": \"agent/P03-F01\",\n        \"description\": \"Feature complete\"\n      \
         },\n      \"ack_by\": \"orchestrator\",\n      \"ack_timestamp\": \"TIME\",\n      \
         \"ack_comment\": \"Looks good\"\n    }\n  ]\n}"
    );
}

#[tokio::test]
async fn presence_is_answered_as_in_the_original_and_a_heartbeat_activates() {
    let site = Site::start().await;
    let pm = site.legacy("pm");
    let beaten = pm.tool("coord_heartbeat", json!({"role": "hb-only"})).await;
    assert_eq!(text(&beaten), "{\n  \"success\": true,\n  \"role\": \"hb-only\",\n  \"last_heartbeat\": \"TIME\"\n}");
    let arguments = json!({"role": "p11-guardrails", "worktree_path": "/x", "session_id": "sess-1"});
    let registered = pm.tool("coord_register_presence", arguments).await;
    assert_eq!(
        text(&registered),
        "{\n  \"success\": true,\n  \"role\": \"p11-guardrails\",\n  \"registered_at\": \"TIME\",\n  \
         \"worktree_path\": \"/x\",\n  \"session_id\": \"sess-1\"\n}"
    );
    let listed = pm.tool("coord_get_presence", json!({})).await;
    assert_eq!(
        text(&listed),
        "{\n  \"success\": true,\n  \"instances\": {\n    \"hb-only\": {\n      \"instance_id\": \"hb-only\",\n      \
         \"active\": true,\n      \"last_heartbeat\": \"TIME\",\n      \"session_id\": null,\n      \
         \"stale\": false,\n      \"seconds_since_heartbeat\": 0\n    },\n    \"p11-guardrails\": {\n      \
         \"instance_id\": \"p11-guardrails\",\n      \"active\": true,\n      \"last_heartbeat\": \"TIME\",\n      \
         \"session_id\": \"sess-1\",\n      \"stale\": false,\n      \"seconds_since_heartbeat\": 0\n    }\n  }\n}"
    );
    for _ in 0..2 {
        let left = pm.tool("coord_deregister_presence", json!({"role": "p11-guardrails"})).await;
        assert_eq!(text(&left), "{\n  \"success\": true,\n  \"role\": \"p11-guardrails\"\n}");
    }
}

#[tokio::test]
async fn failures_keep_their_text_and_say_that_they_are_failures() {
    let site = Site::start().await;
    let backend = site.legacy("backend");
    let missing = backend.tool("coord_ack_message", json!({"message_id": "msg-nope"})).await;
    assert_eq!(text(&missing), "{\n  \"success\": false,\n  \"error\": \"Message not found: msg-nope\"\n}");
    assert_eq!(missing["isError"], true);

    let arguments = json!({"msg_type": "NOPE", "subject": "s", "description": "d"});
    let refused = backend.tool("coord_publish_message", arguments).await;
    assert_eq!(refused["isError"], true);
    let document: Value = serde_json::from_str(refused["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(document["error"], "Invalid message type: NOPE");
    assert_eq!(document["valid_types"].as_array().unwrap().len(), 26);
    assert_eq!(document["valid_types"][0], "READY_FOR_REVIEW");
    assert_eq!(document["valid_types"][25], "SWARM_FAILED");
    assert_eq!(document.as_object().unwrap().len(), 3);
    let checked = backend.tool("coord_check_messages", json!({"msg_type": "NOPE"})).await;
    assert_eq!(text(&checked), text(&refused));

    let incomplete = backend.tool("coord_publish_message", json!({"subject": "s"})).await;
    assert_eq!(incomplete["isError"], true);
    assert!(text(&incomplete).contains("msg_type"), "{incomplete}");
}

#[tokio::test]
async fn a_sender_without_an_identity_is_refused_with_the_hint_of_the_original() {
    let site = Site::start().await;
    for instance in [None, Some("unknown"), Some("all")] {
        let mut stdio = Stdio::connect(&site.parts, caller(instance));
        stdio.initialize("2024-11-05").await;
        let arguments = json!({"msg_type": "GENERAL", "subject": "s", "description": "d"});
        let refused = stdio.tool("coord_publish_message", arguments).await;
        assert_eq!(refused["isError"], true);
        assert_eq!(
            text(&refused),
            "{\n  \"success\": false,\n  \
             \"error\": \"Invalid sender identity. Cannot publish messages with unknown sender.\",\n  \
             \"hint\": \"Set CLAUDE_INSTANCE_ID environment variable\"\n}"
        );
    }
}

#[tokio::test]
async fn types_that_only_stood_in_files_or_in_the_configuration_are_accepted() {
    let extra_types = vec![MessageType::parse("NIGHTLY_REPORT").unwrap()];
    let site = Site::start_with(MailRules { extra_types, ..MailRules::default() }, HttpOptions::default()).await;
    let backend = site.legacy("backend");
    for kind in ["BUILD_BROKEN", "NIGHTLY_REPORT"] {
        let arguments = json!({"msg_type": kind, "subject": "s", "description": "d"});
        assert_eq!(told(&backend.tool("coord_publish_message", arguments).await)["type"], kind);
    }
    let arguments = json!({"msg_type": "nope", "subject": "s", "description": "d"});
    let refused = backend.tool("coord_publish_message", arguments).await;
    let document: Value = serde_json::from_str(refused["content"][0]["text"].as_str().unwrap()).unwrap();
    let types = document["valid_types"].as_array().unwrap();
    assert_eq!((types.len(), &types[26]), (27, &json!("NIGHTLY_REPORT")));
}

#[tokio::test]
async fn notifications_beyond_the_limit_are_kept_for_the_next_call() {
    let site = Site::start().await;
    let (backend, frontend) = (site.legacy("backend"), site.legacy("frontend"));
    let mut sent = Vec::new();
    for number in 0..5 {
        sent.push(publish(&backend, "frontend", &format!("number {number}")).await);
    }
    let mut received = Vec::new();
    for expected in [2, 2, 1, 0] {
        let answer = told(&frontend.tool("coord_get_notifications", json!({"limit": 2})).await);
        assert_eq!(answer["count"], expected);
        let batch: Vec<_> = answer["notifications"].as_array().unwrap().clone();
        received.extend(batch.iter().rev().map(|event| event["message_id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(received, sent);
}

#[tokio::test]
async fn a_broadcast_reaches_each_recipient_and_one_acknowledgement_does_not_clear_it_for_the_others() {
    let site = Site::start().await;
    let (backend, frontend, pm) = (site.legacy("backend"), site.legacy("frontend"), site.legacy("pm"));
    for reader in [&frontend, &pm] {
        reader.tool("coord_get_notifications", json!({})).await;
    }
    let id = publish(&backend, "all", "to everyone").await;
    frontend.tool("coord_ack_message", json!({"message_id": id})).await;
    for (name, pending) in [("frontend", 0), ("pm", 1)] {
        for viewer in [&frontend, &pm, &backend] {
            let filter = json!({"to_instance": name, "pending_only": true});
            let answer = told(&viewer.tool("coord_check_messages", filter).await);
            assert_eq!(answer["count"], pending, "{name}");
        }
    }
    let seen_as = told(&pm.tool("coord_check_messages", json!({"to_instance": "frontend"})).await);
    assert_eq!(seen_as["messages"][0]["ack_by"], "frontend");
    let own = told(&pm.tool("coord_check_messages", json!({"to_instance": "pm"})).await);
    assert_eq!(own["messages"][0]["acknowledged"], false);
}

#[tokio::test]
async fn whoever_is_no_recipient_acknowledges_for_the_only_one_and_the_first_acknowledgement_stands() {
    let site = Site::start().await;
    let (backend, frontend, pm) = (site.legacy("backend"), site.legacy("frontend"), site.legacy("pm"));
    let id = publish(&backend, "frontend", "s").await;
    for client in [&pm, &frontend, &backend] {
        let answer = told(&client.tool("coord_ack_message", json!({"message_id": id})).await);
        assert_eq!(answer["acknowledged_by"], "pm");
    }
    let broadcast = publish(&backend, "all", "s").await;
    let refused = backend.tool("coord_ack_message", json!({"message_id": broadcast})).await;
    assert_eq!(refused["isError"], true, "the sender of a broadcast is none of its recipients");
}

#[tokio::test]
async fn messages_are_checked_with_every_filter_and_up_to_the_limit() {
    let site = Site::start().await;
    let (backend, pm) = (site.legacy("backend"), site.legacy("pm"));
    for number in 0..3 {
        publish(&backend, "frontend", &format!("b{number}")).await;
    }
    publish(&pm, "frontend", "from pm").await;
    publish(&pm, "backend", "elsewhere").await;
    let count = async |filter: Value| told(&pm.tool("coord_check_messages", filter).await)["count"].clone();
    assert_eq!(count(json!({})).await, 5);
    assert_eq!(count(json!({"to_instance": "frontend"})).await, 4);
    assert_eq!(count(json!({"from_instance": "pm"})).await, 2);
    assert_eq!(count(json!({"to_instance": "frontend", "from_instance": "pm", "msg_type": "GENERAL"})).await, 1);
    assert_eq!(count(json!({"msg_type": "BLOCKING_ISSUE"})).await, 0);
    assert_eq!(count(json!({"limit": 2})).await, 2);
    assert_eq!(count(json!({"limit": 5000, "to_instance": null})).await, 5);
    let newest = told(&pm.tool("coord_check_messages", json!({"limit": 1})).await);
    assert_eq!(newest["messages"][0]["payload"]["subject"], "elsewhere");
    assert_eq!(pm.tool("coord_check_messages", json!({"limit": 0})).await["isError"], true);
}
