//! The tools of conversations, with a client of the current protocol.

use crate::mcp_support::{LEGACY, Site, Stdio, caller};
use mainstay_core::Caller;
use mainstay_core::api::Subject;
use serde_json::{Value, json};

#[tokio::test]
async fn a_conversation_is_begun_written_read_forked_and_deleted() {
    let site = Site::start().await;
    let client = site.modern("backend");
    let begun = client.done("conversation_create", json!({ "title": "Plans", "metadata": { "team": "a" } })).await;
    let id = begun["id"].as_str().unwrap();
    let appended = json!({ "id": id, "messages": [{ "role": "user", "text": "one" }], "request_id": "r-1" });
    let first = client.done("conversation_append", appended.clone()).await;
    let again = client.done("conversation_append", appended).await;
    assert_eq!((&first["seqs"], &first["replayed"]), (&json!([1]), &json!(false)));
    assert_eq!((&again["seqs"], &again["replayed"]), (&json!([1]), &json!(true)));
    let answer = client.done("chat_send", json!({ "id": id, "text": "Hello" })).await;
    assert_eq!(answer["messages"][0]["text"], "Hello");
    let read = client.done("conversation_messages", json!({ "id": id, "after": 1 })).await;
    let roles: Vec<&str> = read["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant"]);
    let shown = client.done("conversation_show", json!({ "id": id })).await;
    assert_eq!((&shown["message_count"], &shown["metadata"]["team"]), (&json!(3), &json!("a")));
    let fork = client.done("conversation_fork", json!({ "id": id, "up_to": 1 })).await;
    assert_eq!(fork["message_count"], 1);
    let listed = client.done("conversation_list", json!({})).await;
    assert_eq!(listed["conversations"].as_array().unwrap().len(), 2);
    assert_eq!(client.done("conversation_delete", json!({ "id": id })).await, json!({ "deleted": true }));
    let gone = client.tool("conversation_show", json!({ "id": id })).await;
    assert_eq!(gone["_meta"]["dev.mainstay/error"]["code"], "conversations.not_found");
}

#[tokio::test]
async fn tools_reach_the_conversations_of_their_user_alone() {
    let site = Site::start().await;
    let begun = site.modern("backend").done("conversation_create", json!({})).await;
    let id = &begun["id"];
    let eve = Caller { subject: Subject::local("eve"), ..caller(Some("backend")) };
    let mut stdio = Stdio::connect(&site.parts, eve);
    stdio.initialize(LEGACY).await;
    let calls = [
        ("conversation_show", json!({ "id": id })),
        ("conversation_messages", json!({ "id": id })),
        ("conversation_append", json!({ "id": id, "messages": [{ "role": "user", "text": "x" }] })),
        ("conversation_fork", json!({ "id": id })),
        ("chat_send", json!({ "id": id, "text": "x" })),
    ];
    for (name, arguments) in calls {
        let result = stdio.tool(name, arguments).await;
        assert_eq!(result["_meta"]["dev.mainstay/error"]["code"], "conversations.not_found", "{name}: {result}");
    }
    let listed = stdio.tool("conversation_list", json!({})).await;
    assert_eq!(listed["structuredContent"]["conversations"], Value::Array(Vec::new()));
    let deleted = stdio.tool("conversation_delete", json!({ "id": id })).await;
    assert_eq!(deleted["structuredContent"], json!({ "deleted": false }));
}
