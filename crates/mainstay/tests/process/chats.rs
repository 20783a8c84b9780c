//! A server that is killed while its agent thinks: the message has failed, nothing is lost, and the next turn works.

use crate::bed::{Bed, eventually};
use crate::node::Node;
use mainstay_api::conversations::{CreateConversation, MessageState, ReadMessages, SendText};
use mainstay_testkit::fixtures::{Answering, FakeUpstream};

async fn killed_in_a_turn(bed: Bed) {
    let upstream = FakeUpstream::start().await.unwrap();
    upstream.answer(Answering::Never);
    // Settings of a bed live as long as the tests do.
    let url: &'static str = Box::leak(upstream.url().into_boxed_str());
    let bed = bed.with("MAINSTAY_AGENT", "openai").with("MAINSTAY_AGENT_URL", url);
    let node = Node::start(&bed, "first", 0).await;
    let client = node.client("me", 0);
    let created = client.conversations().create(&CreateConversation::default(), None).await.unwrap();
    let id = created.conversation.summary.id;
    let send = |text: &str| SendText { text: text.into(), workflow_context: None };
    let asking = tokio::spawn({
        let (client, id, send) = (client.clone(), id.clone(), send("lost"));
        async move { client.conversations().send(&id, &send, None).await }
    });
    eventually("the agent to be asked", || {
        if upstream.asked().is_empty() { Err("nothing yet".to_owned()) } else { Ok(()) }
    })
    .await;
    node.kill();
    assert!(asking.await.unwrap().is_err());

    upstream.answer(Answering::Repeating);
    let node = Node::start(&bed, "second", 0).await;
    let client = node.client("me", 60_000);
    // The lease of the turn that nobody holds any more ends by itself; a busy call is repeated until then.
    let answered = client.conversations().send(&id, &send("again"), None).await.unwrap();
    assert_eq!(answered.messages[0].content.text.as_deref(), Some("You said: again"));
    let page = client.conversations().messages(&id, &ReadMessages::default()).await.unwrap();
    let told: Vec<_> = page.messages.iter().map(|message| (message.content.text.as_deref(), message.state)).collect();
    assert_eq!(
        told,
        [(Some("lost"), Some(MessageState::Failed)), (Some("again"), None), (Some("You said: again"), None),]
    );
    assert_eq!(answered.workflow_state["turnCount"], 1);
}

#[tokio::test]
async fn a_server_killed_in_a_turn_leaves_a_failed_message_in_a_file() {
    killed_in_a_turn(Bed::sqlite()).await;
}

#[tokio::test]
async fn a_server_killed_in_a_turn_leaves_a_failed_message_in_redis() {
    killed_in_a_turn(Bed::redis().await).await;
}
