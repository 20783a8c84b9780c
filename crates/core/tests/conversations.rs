//! Conversations by their service: who may do what, what a request may say, what comes back; and chats that answer.

use async_trait::async_trait;
use futures::TryStreamExt;
use mainstay_core::api::conversations::{
    AppendMessages, CreateConversation, ExportLine, ForkConversation, ListConversations, MessageState, NewMessage,
    PatchConversation, ReadMessages, Retention, RetentionMode, Role, Status, TakeTurn,
};
use mainstay_core::api::ids::RequestId;
use mainstay_core::api::{Code, ConversationId, Subject, TenantId};
use mainstay_core::conversations::{
    Agent, AgentError, Chat, ChatRules, ConversationRules, ConversationService, EchoAgent, Prompt, Say, Whose,
};
use mainstay_core::{Caller, Clock, FakeClock, RandomMint, Result, Scope, Scopes, Stores};
use mainstay_testkit::model;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

const NOW_MS: i64 = 7_258_118_400_000;
const HOUR_MS: i64 = 3_600_000;

struct Desk {
    conversations: Arc<ConversationService>,
    clock: Arc<FakeClock>,
    stores: Stores,
}

fn desk() -> Desk {
    desk_with(ConversationRules::default())
}

fn desk_with(rules: ConversationRules) -> Desk {
    let (stores, clock) = (model::stores(), Arc::new(FakeClock::at(NOW_MS)));
    let mint = Arc::new(RandomMint);
    let conversations = ConversationService::new(stores.conversations.clone(), clock.clone(), mint, rules);
    Desk { conversations: Arc::new(conversations), clock, stores }
}

fn caller(user: &str) -> Caller {
    Caller { subject: Subject::local(user), ..Caller::owner() }
}

fn request(id: &str) -> Option<RequestId> {
    Some(RequestId::parse(id).unwrap())
}

fn said(texts: &[&str]) -> AppendMessages {
    let messages = texts.iter().map(|text| NewMessage::text(Role::User, *text)).collect();
    AppendMessages { messages, expected_version: None, turn: None }
}

impl Desk {
    async fn begin(&self, user: &str) -> ConversationId {
        let created = self.conversations.create(&caller(user), None, CreateConversation::default()).await;
        created.unwrap().conversation.summary.id
    }

    fn chat(&self, agent: impl Agent + 'static) -> Arc<Chat> {
        Arc::new(Chat::new(self.conversations.clone(), Arc::new(agent), ChatRules::default()))
    }

    async fn texts(&self, user: &str, id: &ConversationId) -> Vec<(String, Option<MessageState>)> {
        let page = self.conversations.messages(&caller(user), id, ReadMessages::default()).await.unwrap();
        page.messages.into_iter().map(|m| (m.content.text.unwrap_or_default(), m.state)).collect()
    }
}

fn code<T>(result: Result<T>) -> Code {
    match result {
        Ok(_) => panic!("it was allowed"),
        Err(error) => error.code(),
    }
}

#[tokio::test]
async fn what_is_said_of_a_conversation_is_read_back_and_the_rest_is_filled_in() {
    let desk = desk();
    let create = CreateConversation {
        sdk_conversation_ref: Some(json!({"n": 12_345_678_901_234_567_u64})),
        title: Some("a title".into()),
        current_step: Some(json!("confirm")),
        metadata: Some(json!({"unknown": [1, {"deep": null}]})),
        ..CreateConversation::default()
    };
    let created = desk.conversations.create(&caller("ada"), None, create.clone()).await.unwrap().conversation;
    let read = desk.conversations.read(&caller("ada"), &created.summary.id).await.unwrap();
    assert_eq!(read, created);
    assert_eq!((&read.sdk_conversation_ref, &read.metadata), (&create.sdk_conversation_ref, &create.metadata));
    assert_eq!(read.summary.external_id, read.summary.id.as_str());
    assert_eq!((read.summary.user_id.as_str(), read.summary.tenant_id.as_str()), ("ada", "local"));
    assert_eq!((read.summary.status, read.summary.version), (Status::Active, 1));
    assert_eq!(read.summary.expires_at.unwrap().as_millis(), NOW_MS + 30 * 24 * HOUR_MS);
}

#[tokio::test]
async fn a_foreign_id_and_an_unknown_one_look_the_same() {
    let desk = desk();
    let id = desk.begin("ada").await;
    let unknown = ConversationId::parse("unknown").unwrap();
    let (eve, service) = (caller("eve"), &desk.conversations);
    for id in [&id, &unknown] {
        let problem = service.read(&eve, id).await.unwrap_err().problem;
        assert_eq!(problem.code, Code::ConversationNotFound);
        assert_eq!(problem.detail, format!("you have no conversation {:?}", id.as_str()));
        assert_eq!(code(service.append(&eve, None, id, said(&["x"])).await), Code::ConversationNotFound);
        assert_eq!(code(service.messages(&eve, id, ReadMessages::default()).await), Code::ConversationNotFound);
        assert_eq!(code(service.patch(&eve, id, PatchConversation::default()).await), Code::ConversationNotFound);
        assert_eq!(code(service.take_turn(&eve, None, id, TakeTurn::default()).await), Code::ConversationNotFound);
        assert_eq!(code(service.fork(&eve, None, id, ForkConversation::default()).await), Code::ConversationNotFound);
        assert!(service.export(&eve, id).await.is_err());
        assert!(!service.delete(&eve, id).await.unwrap().deleted);
    }
}

#[tokio::test]
async fn each_operation_needs_its_scope() {
    let desk = desk();
    let id = desk.begin("ada").await;
    let with = |scopes: &[Scope]| Caller { scopes: scopes.iter().copied().collect::<Scopes>(), ..caller("ada") };
    let (reader, writer) = (with(&[Scope::ConversationsRead]), with(&[Scope::ConversationsWrite]));
    let service = &desk.conversations;
    assert!(service.read(&reader, &id).await.is_ok());
    assert_eq!(code(service.read(&writer, &id).await), Code::Forbidden);
    assert_eq!(code(service.list(&writer, ListConversations::default()).await), Code::Forbidden);
    assert_eq!(code(service.append(&reader, None, &id, said(&["x"])).await), Code::Forbidden);
    assert_eq!(code(service.create(&reader, None, CreateConversation::default()).await), Code::Forbidden);
    assert_eq!(code(service.delete(&reader, &id).await), Code::Forbidden);
    assert_eq!(code(service.erase(&reader, &Whose::Own).await), Code::Forbidden);
    let whose = Whose::Other { subject: Subject::local("eve"), reason: "a request".into() };
    let both = with(&[Scope::ConversationsRead, Scope::ConversationsWrite]);
    assert_eq!(code(service.erase(&both, &whose).await), Code::Forbidden);
    assert_eq!(code(service.export_all(&both, &whose).await), Code::Forbidden);
    let unsaid = Whose::Other { subject: Subject::local("eve"), reason: "  ".into() };
    assert_eq!(code(service.erase(&Caller::owner(), &unsaid).await), Code::InvalidRequest);
}

#[tokio::test]
async fn what_the_contract_asks_of_a_message_is_asked() {
    let desk = desk();
    let id = desk.begin("ada").await;
    for (message, expected) in [
        (json!({"role": "user", "kind": "text"}), Some(Code::InvalidRequest)),
        (json!({"role": "user", "kind": "adaptiveCard", "cardJson": {}}), Some(Code::InvalidRequest)),
        (json!({"role": "user", "kind": "adaptiveCard", "cardJson": {}, "cardId": "x"}), None),
        (json!({"role": "tool", "kind": "tool.result", "anything": 1}), None),
        (json!({"role": "user", "text": "x".repeat(256 * 1_024)}), Some(Code::TooLarge)),
    ] {
        let message: NewMessage = serde_json::from_value(message).unwrap();
        let append = AppendMessages { messages: vec![message], expected_version: None, turn: None };
        let appended = desk.conversations.append(&caller("ada"), None, &id, append).await;
        assert_eq!(appended.err().map(|error| error.code()), expected);
    }
    assert!(serde_json::from_value::<NewMessage>(json!({"role": "nobody", "text": "x"})).is_err());
}

#[tokio::test]
async fn what_was_read_can_be_appended_elsewhere_with_places_of_its_own() {
    let desk = desk();
    let (from, to) = (desk.begin("ada").await, desk.begin("ada").await);
    desk.conversations.append(&caller("ada"), None, &from, said(&["zero", "one"])).await.unwrap();
    let page = desk.conversations.messages(&caller("ada"), &from, ReadMessages::default()).await.unwrap();
    let copied: NewMessage = serde_json::from_value(serde_json::to_value(&page.messages[1]).unwrap()).unwrap();
    let append = AppendMessages { messages: vec![copied], expected_version: None, turn: None };
    let appended = desk.conversations.append(&caller("ada"), None, &to, append).await.unwrap();
    assert_eq!(appended.messages[0].seq, 1);
    assert_eq!(appended.messages[0].content, page.messages[1].content);
    let page = desk.conversations.messages(&caller("ada"), &to, ReadMessages::default()).await.unwrap();
    assert_eq!(page.messages, appended.messages);
}

#[tokio::test]
async fn a_repeated_append_gives_the_same_answer() {
    let desk = desk();
    let id = desk.begin("ada").await;
    let service = &desk.conversations;
    let first = service.append(&caller("ada"), request("r"), &id, said(&["one", "two"])).await.unwrap();
    desk.clock.advance(HOUR_MS);
    let again = service.append(&caller("ada"), request("r"), &id, said(&["one", "two"])).await.unwrap();
    assert!(again.replayed && !first.replayed);
    assert_eq!((again.messages, again.version), (first.messages, first.version));
    assert_eq!(code(service.append(&caller("ada"), request("r"), &id, said(&["other"])).await), Code::RequestIdReused);
}

#[tokio::test]
async fn a_read_prolongs_the_life_but_not_more_than_once_a_minute() {
    let desk = desk();
    let id = desk.begin("ada").await;
    let accessed = async || desk.conversations.read(&caller("ada"), &id).await.unwrap().summary;
    desk.clock.advance(60_000);
    assert_eq!(accessed().await.last_accessed_at.as_millis(), NOW_MS);
    desk.clock.advance(1);
    let summary = accessed().await;
    assert_eq!(summary.last_accessed_at.as_millis(), NOW_MS + 60_001);
    assert_eq!(summary.expires_at.unwrap().as_millis(), NOW_MS + 60_001 + 30 * 24 * HOUR_MS);
    desk.clock.advance(29 * 24 * HOUR_MS);
    desk.conversations.messages(&caller("ada"), &id, ReadMessages::default()).await.unwrap();
    desk.clock.advance(29 * 24 * HOUR_MS);
    assert_eq!(accessed().await.last_accessed_at, desk.clock.now());
}

#[tokio::test]
async fn the_retention_of_a_tenant_is_its_own() {
    let mut rules = ConversationRules::default();
    let fixed = Retention { mode: RetentionMode::Fixed, ttl_ms: 60_000 };
    rules.tenants.insert(TenantId::parse("acme").unwrap(), fixed);
    let desk = desk_with(rules);
    let mut of_acme = caller("ada");
    of_acme.subject.tenant = TenantId::parse("acme").unwrap();
    let create = CreateConversation::default;
    let created = desk.conversations.create(&of_acme, None, create()).await.unwrap().conversation;
    assert_eq!((created.summary.retention, created.summary.pinned), (fixed, false));
    let created = desk.conversations.create(&caller("ada"), None, create()).await.unwrap().conversation;
    assert_eq!(created.summary.retention.mode, RetentionMode::Sliding);
    let asked = Retention { mode: RetentionMode::Sliding, ttl_ms: u64::MAX };
    let create = CreateConversation { retention: Some(asked), ..create() };
    assert_eq!(code(desk.conversations.create(&of_acme, None, create).await), Code::InvalidRequest);
}

#[tokio::test]
async fn a_patch_merges_and_one_of_another_version_is_refused_with_the_current_one() {
    let desk = desk();
    let create = CreateConversation { metadata: Some(json!({"a": 1, "b": 2})), ..CreateConversation::default() };
    let id = desk.conversations.create(&caller("ada"), None, create).await.unwrap().conversation.summary.id;
    let patch: PatchConversation =
        serde_json::from_value(json!({"status": "archived", "metadata": {"a": null, "c": 3}, "pinned": true})).unwrap();
    let changed = desk.conversations.patch(&caller("ada"), &id, patch.clone()).await.unwrap();
    assert_eq!(changed.metadata, Some(json!({"b": 2, "c": 3})));
    assert_eq!(
        (changed.summary.status, changed.summary.version, changed.summary.expires_at),
        (Status::Archived, 2, None)
    );
    assert_eq!(desk.conversations.read(&caller("ada"), &id).await.unwrap(), changed);
    let stale = PatchConversation { expected_version: Some(1), ..patch };
    let refused = desk.conversations.patch(&caller("ada"), &id, stale).await.unwrap_err();
    assert_eq!((refused.code(), refused.problem.current_version), (Code::ConversationVersion, Some(2)));
}

#[tokio::test]
async fn an_export_holds_every_conversation_and_message_and_an_erasure_leaves_none() {
    let desk = desk();
    for _ in 0..3 {
        let id = desk.begin("ada").await;
        desk.conversations.append(&caller("ada"), None, &id, said(&["one", "two"])).await.unwrap();
    }
    let of_eve = desk.begin("eve").await;
    let whose = Whose::Other { subject: Subject::local("ada"), reason: "a request of hers".into() };
    let lines: Vec<ExportLine> =
        desk.conversations.export_all(&Caller::owner(), &whose).await.unwrap().try_collect().await.unwrap();
    assert_eq!(lines.len(), 9);
    assert!(matches!(lines[3], ExportLine::Conversation(_)) && matches!(lines[5], ExportLine::Message { .. }));
    assert_eq!(desk.conversations.erase(&Caller::owner(), &whose).await.unwrap().conversations, 3);
    let none: Vec<ExportLine> =
        desk.conversations.export_all(&caller("ada"), &Whose::Own).await.unwrap().try_collect().await.unwrap();
    assert_eq!(none, []);
    assert!(desk.conversations.read(&caller("eve"), &of_eve).await.is_ok());
}

/// An agent that waits to be told what to answer.
struct Told {
    asked: Arc<Notify>,
    answers: Mutex<tokio::sync::mpsc::UnboundedReceiver<Result<Vec<NewMessage>, AgentError>>>,
    prompts: Arc<Mutex<Vec<Prompt>>>,
    calls: Arc<AtomicU32>,
}

struct Teller {
    asked: Arc<Notify>,
    tell: tokio::sync::mpsc::UnboundedSender<Result<Vec<NewMessage>, AgentError>>,
    prompts: Arc<Mutex<Vec<Prompt>>>,
    calls: Arc<AtomicU32>,
}

impl Teller {
    fn say(&self, text: &str) {
        self.tell.send(Ok(vec![NewMessage::text(Role::Assistant, text)])).unwrap();
    }

    fn fail(&self) {
        let failed = AgentError::Failed { detail: "it broke".into(), internal: "status 500".into() };
        self.tell.send(Err(failed)).unwrap();
    }
}

fn told() -> (Told, Teller) {
    let (tell, answers) = tokio::sync::mpsc::unbounded_channel();
    let (asked, prompts, calls) = (Arc::new(Notify::new()), Arc::default(), Arc::default());
    let told = Told {
        asked: Arc::clone(&asked),
        answers: Mutex::new(answers),
        prompts: Arc::clone(&prompts),
        calls: Arc::clone(&calls),
    };
    (told, Teller { asked, tell, prompts, calls })
}

#[async_trait]
impl Agent for Told {
    async fn answer(&self, prompt: Prompt) -> Result<Vec<NewMessage>, AgentError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.prompts.lock().unwrap().push(prompt);
        self.asked.notify_one();
        std::future::poll_fn(|context| self.answers.lock().unwrap().poll_recv(context)).await.unwrap()
    }
}

fn say(text: &str) -> Say {
    Say { message: NewMessage::text(Role::User, text), context: None }
}

#[tokio::test]
async fn a_chat_stores_question_and_answer_and_counts_the_turn() {
    let desk = desk();
    let chat = desk.chat(EchoAgent);
    let started = chat.start(&caller("ada"), None).await.unwrap();
    assert_eq!((&started.workflow["step"], &started.workflow["turnCount"]), (&json!("initial"), &json!(0)));
    let id = started.conversation;
    let said = chat.send(&caller("ada"), None, &id, say("hello")).await.unwrap();
    assert_eq!(said.messages.len(), 1);
    assert_eq!((said.messages[0].seq, said.messages[0].content.text.as_deref()), (2, Some("hello")));
    assert_eq!(said.workflow["turnCount"], 1);
    assert_eq!(desk.texts("ada", &id).await, [("hello".into(), None), ("hello".into(), None)]);
    let read = desk.conversations.read(&caller("ada"), &id).await.unwrap();
    assert_eq!((read.workflow, read.summary.turn, read.summary.version), (Some(said.workflow), None, said.version));
    let unknown = ConversationId::parse("unknown").unwrap();
    assert_eq!(code(chat.send(&caller("ada"), None, &unknown, say("x")).await), Code::ConversationNotFound);
    assert_eq!(code(chat.send(&caller("eve"), None, &id, say("x")).await), Code::ConversationNotFound);
}

#[tokio::test]
async fn while_a_message_is_answered_another_is_refused_as_busy() {
    let desk = desk();
    let (agent, teller) = told();
    let chat = desk.chat(agent);
    let id = chat.start(&caller("ada"), None).await.unwrap().conversation;
    let (first, of) = (Arc::clone(&chat), id.clone());
    let first = tokio::spawn(async move { first.send(&caller("ada"), None, &of, say("one")).await });
    teller.asked.notified().await;
    assert_eq!(desk.texts("ada", &id).await, [("one".into(), Some(MessageState::Pending))]);
    let busy = chat.send(&caller("ada"), None, &id, say("two")).await.unwrap_err();
    assert_eq!((busy.code(), busy.problem.status), (Code::ConversationTurnBusy, 409));
    assert!(busy.problem.retryable && busy.problem.retry_after_ms.is_some());
    assert_eq!(
        code(desk.conversations.append(&caller("ada"), None, &id, said(&["x"])).await),
        Code::ConversationTurnBusy
    );
    teller.say("answer");
    assert_eq!(first.await.unwrap().unwrap().messages[0].content.text.as_deref(), Some("answer"));
    assert_eq!(desk.texts("ada", &id).await, [("one".into(), None), ("answer".into(), None)]);
}

#[tokio::test]
async fn of_a_failed_turn_the_question_is_kept_as_failed_and_nothing_else() {
    let desk = desk();
    let (agent, teller) = told();
    let chat = desk.chat(agent);
    let started = chat.start(&caller("ada"), None).await.unwrap();
    let id = started.conversation;
    teller.fail();
    let failed = chat.send(&caller("ada"), request("r"), &id, say("one")).await.unwrap_err();
    assert_eq!((failed.code(), failed.problem.status), (Code::ConversationAgentFailed, 502));
    assert_eq!(desk.texts("ada", &id).await, [("one".into(), Some(MessageState::Failed))]);
    let read = desk.conversations.read(&caller("ada"), &id).await.unwrap();
    assert_eq!((read.workflow, read.summary.turn), (Some(started.workflow), None));

    teller.say("at last");
    let said = chat.send(&caller("ada"), request("r"), &id, say("one")).await.unwrap();
    assert!(!said.replayed);
    let again = chat.send(&caller("ada"), request("r"), &id, say("one")).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.messages, said.messages);
    assert_eq!(teller.calls.load(Ordering::SeqCst), 2);
    assert_eq!(code(chat.send(&caller("ada"), request("r"), &id, say("other")).await), Code::RequestIdReused);
    let asked =
        teller.prompts.lock().unwrap()[1].history.iter().map(|m| m.content.text.clone().unwrap()).collect::<Vec<_>>();
    assert_eq!(asked, ["one"]);
}

#[tokio::test]
async fn a_message_whose_process_died_has_failed_when_its_lease_is_over() {
    let desk = desk();
    let (agent, teller) = told();
    let id = desk.begin("ada").await;
    let (chat, of) = (desk.chat(agent), id.clone());
    let dying = tokio::spawn(async move { chat.send(&caller("ada"), None, &of, say("one")).await });
    teller.asked.notified().await;
    // The runtime of this test holds on to the turn; its lease is over all the same, as that of a dead process is.
    desk.clock.advance(30_000);
    assert_eq!(desk.texts("ada", &id).await, [("one".into(), Some(MessageState::Failed))]);
    let chat = desk.chat(EchoAgent);
    chat.send(&caller("ada"), None, &id, say("two")).await.unwrap();
    teller.say("too late");
    assert_eq!(code(dying.await.unwrap()), Code::ConversationTurnLost);
    let texts: Vec<String> = desk.texts("ada", &id).await.into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, ["one", "two", "two"]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_slower_than_its_lease_keeps_the_turn() {
    let desk = desk();
    let (agent, teller) = told();
    let id = desk.begin("ada").await;
    let (chat, of) = (desk.chat(agent), id.clone());
    let asking = tokio::spawn(async move { chat.send(&caller("ada"), None, &of, say("one")).await });
    teller.asked.notified().await;
    for _ in 0..8 {
        // The paused runtime moves on to the next renewal whenever nothing else is to be done.
        desk.clock.advance(10_000);
        tokio::time::sleep(std::time::Duration::from_millis(10_001)).await;
    }
    teller.say("slow");
    assert_eq!(asking.await.unwrap().unwrap().messages[0].content.text.as_deref(), Some("slow"));
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_takes_too_long_has_failed() {
    let desk = desk();
    let (agent, _teller) = told();
    let id = desk.begin("ada").await;
    let failed = desk.chat(agent).send(&caller("ada"), None, &id, say("one")).await;
    assert_eq!(code(failed), Code::ConversationAgentFailed);
    assert_eq!(desk.texts("ada", &id).await, [("one".into(), Some(MessageState::Failed))]);
}

#[tokio::test]
async fn ten_simultaneous_sends_leave_a_whole_conversation() {
    let desk = desk();
    let chat = desk.chat(EchoAgent);
    let id = desk.begin("ada").await;
    let sends = (0..10).map(|number| {
        let (chat, id) = (Arc::clone(&chat), id.clone());
        tokio::spawn(async move { chat.send(&caller("ada"), None, &id, say(&format!("n{number}"))).await })
    });
    let mut answered = 0;
    for send in sends.collect::<Vec<_>>() {
        match send.await.unwrap() {
            Ok(_) => answered += 1,
            Err(error) => assert_eq!(error.code(), Code::ConversationTurnBusy),
        }
    }
    let texts = desk.texts("ada", &id).await;
    assert!(answered > 0 && texts.len() == answered * 2);
    assert!(texts.chunks(2).all(|pair| pair[0] == pair[1]));
    drop(desk.stores);
}

#[tokio::test]
async fn an_answer_that_is_empty_or_too_large_is_a_failure_of_the_agent() {
    let desk = desk();
    let (agent, teller) = told();
    let chat = desk.chat(agent);
    let id = desk.begin("ada").await;
    teller.tell.send(Ok(Vec::new())).unwrap();
    assert_eq!(code(chat.send(&caller("ada"), None, &id, say("one")).await), Code::ConversationAgentFailed);
    teller.say(&"x".repeat(300 * 1_024));
    assert_eq!(code(chat.send(&caller("ada"), None, &id, say("two")).await), Code::ConversationAgentFailed);
    let states: Vec<_> = desk.texts("ada", &id).await.into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, [Some(MessageState::Failed), Some(MessageState::Failed)]);
    assert_eq!(desk.conversations.read(&caller("ada"), &id).await.unwrap().workflow, None::<Value>);
}
