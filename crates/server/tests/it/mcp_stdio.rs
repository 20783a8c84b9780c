//! The adapter over a pair of streams.

use crate::mcp_support::{LEGACY, MODERN, Site, told, uri_of, with_meta};
use serde_json::{Value, json};

#[tokio::test]
async fn both_protocols_are_spoken() {
    let site = Site::start().await;
    let mut earlier = site.stdio("backend");
    assert_eq!(earlier.initialize(LEGACY).await["protocolVersion"], LEGACY);
    assert_eq!(earlier.tool("whoami", json!({})).await["structuredContent"]["instance"], "backend");
    earlier.close().await;
    let mut current = site.stdio("backend");
    let found = current.result("server/discover", with_meta(json!({}), MODERN)).await;
    assert!(found["supportedVersions"].as_array().unwrap().contains(&json!(MODERN)));
    let call = with_meta(json!({"name": "whoami", "arguments": {}}), MODERN);
    assert_eq!(current.result("tools/call", call).await["structuredContent"]["instance"], "backend");
    current.close().await;
}

#[tokio::test]
async fn the_original_version_is_answered_with_itself() {
    let site = Site::start().await;
    let mut client = site.stdio("orchestrator");
    assert_eq!(client.initialize("2024-11-05").await["protocolVersion"], "2024-11-05");
    let arguments = json!({"msg_type": "GENERAL", "subject": "s", "description": "d"});
    assert_eq!(told(&client.tool("coord_publish_message", arguments).await)["to"], "orchestrator");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_written_at_once_are_answered_in_their_order_and_see_each_other() {
    let site = Site::start().await;
    let mut client = site.stdio("backend");
    client.initialize(LEGACY).await;
    let mut lines = String::new();
    for number in 0..40 {
        let (name, arguments) = match number % 2 {
            0 => ("mail_send", json!({"to": ["backend"], "subject": format!("number {number}")})),
            _ => ("mail_counts", json!({})),
        };
        let call = json!({"name": name, "arguments": arguments});
        let line = json!({"jsonrpc": "2.0", "id": 100 + number, "method": "tools/call", "params": call});
        lines.push_str(&format!("{line}\n"));
    }
    client.write_text(&lines).await;
    for number in 0..40 {
        let answer = client.read().await.unwrap();
        assert_eq!(answer["id"], 100 + number);
        if number % 2 == 1 {
            assert_eq!(answer["result"]["structuredContent"]["total"], (number + 1) / 2);
        }
    }
    client.close().await;
}

#[tokio::test]
async fn a_wait_holds_nothing_up_and_is_woken() {
    let site = Site::start().await;
    let mut client = site.stdio("backend");
    client.initialize(LEGACY).await;
    let wait = json!({"name": "mail_wait", "arguments": {"wait_ms": 60_000}});
    client.write(&json!({"jsonrpc": "2.0", "id": "wait", "method": "tools/call", "params": wait})).await;
    let send = json!({"name": "mail_send", "arguments": {"to": ["backend"], "subject": "to myself"}});
    client.write(&json!({"jsonrpc": "2.0", "id": "send", "method": "tools/call", "params": send})).await;
    let mut answers: Vec<Value> = Vec::new();
    for _ in 0..2 {
        answers.push(client.read().await.unwrap());
    }
    answers.sort_by_key(|answer| answer["id"].to_string());
    assert_eq!(answers[1]["result"]["structuredContent"]["messages"][0]["subject"], "to myself");
    client.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_waits_and_the_session() {
    let site = Site::start().await;
    let mut client = site.stdio("backend");
    client.initialize(LEGACY).await;
    client.result("resources/subscribe", json!({"uri": "mailbox://me"})).await;
    let wait = json!({"name": "mail_wait", "arguments": {"wait_ms": 60_000}});
    client.write(&json!({"jsonrpc": "2.0", "id": "wait", "method": "tools/call", "params": wait})).await;
    while site.parts.services.hub.watches() < 2 {
        tokio::task::yield_now().await;
    }
    client.hang_up().await;
    let ended = client.read().await.expect("the wait is answered, not cut after the library's patience");
    assert_eq!(ended["result"]["_meta"]["dev.mainstay/error"]["code"], "server.stopping");
    client.close().await;
    tokio::time::timeout(crate::support::SOON, async {
        while site.parts.services.hub.watches() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("nothing of the session is left");
}

#[tokio::test]
async fn a_client_that_says_nothing_ends_well() {
    let site = Site::start().await;
    site.stdio("backend").close().await;
}

#[tokio::test]
async fn an_earlier_client_is_told_of_what_it_subscribed_to_and_of_nothing_else() {
    let site = Site::start().await;
    let mut client = site.stdio("backend");
    client.initialize(LEGACY).await;
    client.result("resources/subscribe", json!({"uri": "mailbox://backend"})).await;
    let send = json!({"name": "mail_send", "arguments": {"to": ["backend"], "subject": "ping"}});
    client.write(&json!({"jsonrpc": "2.0", "id": "send", "method": "tools/call", "params": send})).await;
    let messages = [client.read().await.unwrap(), client.read().await.unwrap()];
    let notification = messages.iter().find(|message| message.get("id").is_none()).unwrap();
    assert_eq!(uri_of(notification), "mailbox://backend");

    client.result("resources/unsubscribe", json!({"uri": "mailbox://backend"})).await;
    client.tool("mail_send", json!({"to": ["backend"], "subject": "ping"})).await;
    client.write(&json!({"jsonrpc": "2.0", "id": "last", "method": "ping"})).await;
    assert_eq!(client.read().await.unwrap()["id"], "last", "no notification after the end of the subscription");
    let other = client.ask("resources/subscribe", json!({"uri": "mailbox://frontend"})).await;
    assert_eq!(other["error"]["code"], -32602);
}

#[tokio::test]
async fn a_current_client_listens_on_its_connection() {
    let site = Site::start().await;
    let mut client = site.stdio("backend");
    let params = with_meta(json!({"notifications": {"resourceSubscriptions": ["mailbox://me"]}}), MODERN);
    client.write(&json!({"jsonrpc": "2.0", "id": "sub", "method": "subscriptions/listen", "params": params})).await;
    let accepted = client.read().await.unwrap();
    assert_eq!(accepted["params"]["notifications"]["resourceSubscriptions"], json!(["mailbox://me"]));
    let call = json!({"name": "mail_send", "arguments": {"to": ["backend"], "subject": "ping"}});
    let params = with_meta(call, MODERN);
    client.write(&json!({"jsonrpc": "2.0", "id": "send", "method": "tools/call", "params": params})).await;
    let messages = [client.read().await.unwrap(), client.read().await.unwrap()];
    let notification = messages.iter().find(|message| message.get("id").is_none()).unwrap();
    assert_eq!(notification["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "sub");
    client.close().await;
}
