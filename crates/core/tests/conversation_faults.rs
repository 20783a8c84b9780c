//! What conversations keep to while their store fails them, others write at the same time, or too much is asked.

use async_trait::async_trait;
use futures::TryStreamExt;
use mainstay_core::api::conversations::{CreateConversation, NewMessage, PatchConversation, ReadMessages, Role};
use mainstay_core::api::{Code, ConversationId, Timestamp};
use mainstay_core::conversations::{
    Agent, AgentError, Append, Appended, Chat, ChatRules, ConversationRules, ConversationService, ConversationStore,
    Create, Created, EchoAgent, Fork, Forked, ListPage, ListQuery, Lookup, MessagesPage, MessagesQuery, Owner, Patch,
    Patched, Prompt, Recalled, Record, Renew, Say, Take, Taken, TurnKept,
};
use mainstay_core::mail::RequestMemo;
use mainstay_core::{Caller, Error, FakeClock, RandomMint, Result};
use mainstay_testkit::model;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Notify;

const NOW_MS: i64 = 7_258_118_400_000;

/// What goes wrong, with a model underneath that does what it should.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// A use is not noted.
    TouchFails,
    /// Somebody else always changes a conversation just before a patch.
    PatchLoses,
    /// A client changes the workflow just before an answer is stored, this many times.
    WorkflowChanges(u32),
    /// The answer to a take is lost; one that can be repeated is.
    TakeBreaks,
}

struct Faulty {
    inner: Arc<dyn ConversationStore>,
    fault: Fault,
    changes: AtomicU32,
}

impl Faulty {
    /// Somebody else changes the workflow.
    async fn change_workflow(&self, at: &Lookup, change: u32) {
        let record = self.inner.find(at).await.unwrap().unwrap();
        let mut workflow: serde_json::Value =
            record.workflow.as_deref().map_or(json!({}), |workflow| serde_json::from_slice(workflow).unwrap());
        workflow["client"] = json!(change);
        let patch = Patch {
            at: at.clone(),
            expected_version: record.summary.version,
            status: record.summary.status,
            head: record.summary.head,
            body: record.body,
            workflow: Some(workflow.to_string().into()),
            lifetime: None,
        };
        assert_eq!(self.inner.patch(patch).await.unwrap(), Patched::Patched);
    }
}

#[async_trait]
impl ConversationStore for Faulty {
    async fn create(&self, create: Create) -> Result<Created> {
        self.inner.create(create).await
    }

    async fn find(&self, at: &Lookup) -> Result<Option<Record>> {
        self.inner.find(at).await
    }

    async fn touch(&self, at: &Lookup) -> Result<bool> {
        if self.fault == Fault::TouchFails {
            return Err(Error::new(Code::StoreFull, "the store takes no writes", "Make room."));
        }
        self.inner.touch(at).await
    }

    async fn list(&self, query: ListQuery) -> Result<ListPage> {
        self.inner.list(query).await
    }

    async fn append(&self, append: Append) -> Result<Appended> {
        if let Fault::WorkflowChanges(most) = self.fault
            && append.workflow.is_some()
        {
            let change = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
            if change <= most {
                self.change_workflow(&append.at, change).await;
            }
        }
        self.inner.append(append).await
    }

    async fn recall(&self, at: &Lookup, memo: &RequestMemo) -> Result<Option<Recalled>> {
        self.inner.recall(at, memo).await
    }

    async fn messages(&self, query: MessagesQuery) -> Result<Option<MessagesPage>> {
        self.inner.messages(query).await
    }

    async fn patch(&self, patch: Patch) -> Result<Patched> {
        if self.fault == Fault::PatchLoses {
            let change = self.changes.fetch_add(1, Ordering::SeqCst);
            self.change_workflow(&patch.at, change).await;
        }
        self.inner.patch(patch).await
    }

    async fn delete(&self, at: &Lookup) -> Result<bool> {
        self.inner.delete(at).await
    }

    async fn erase(&self, owner: &Owner, limit: u32) -> Result<u32> {
        self.inner.erase(owner, limit).await
    }

    async fn take_turn(&self, take: Take) -> Result<Taken> {
        if self.fault != Fault::TakeBreaks {
            return self.inner.take_turn(take).await;
        }
        self.inner.take_turn(take.clone()).await?;
        if take.key.is_none() {
            return Err(Error::new(Code::StoreUnavailable, "the connection broke", "Repeat the call."));
        }
        self.inner.take_turn(take).await
    }

    async fn renew_turn(&self, renew: Renew) -> Result<TurnKept> {
        self.inner.renew_turn(renew).await
    }

    async fn end_turn(&self, at: &Lookup, fence: u64) -> Result<TurnKept> {
        self.inner.end_turn(at, fence).await
    }

    async fn fork(&self, fork: Fork) -> Result<Forked> {
        self.inner.fork(fork).await
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32> {
        self.inner.purge(now, limit).await
    }
}

struct Desk {
    conversations: Arc<ConversationService>,
    clock: Arc<FakeClock>,
    ada: Caller,
    id: ConversationId,
}

async fn desk(fault: Fault) -> Desk {
    let (inner, clock) = (model::stores().conversations, Arc::new(FakeClock::at(NOW_MS)));
    let store = Arc::new(Faulty { inner, fault, changes: AtomicU32::new(0) });
    let (mint, rules) = (Arc::new(RandomMint), ConversationRules::default());
    let conversations = Arc::new(ConversationService::new(store, clock.clone(), mint, rules));
    let ada = Caller::owner();
    let id = conversations.create(&ada, None, CreateConversation::default()).await.unwrap().conversation.summary.id;
    Desk { conversations, clock, ada, id }
}

impl Desk {
    fn chat(&self, agent: Arc<dyn Agent>, max_turns: usize) -> Arc<Chat> {
        Arc::new(Chat::new(self.conversations.clone(), agent, ChatRules { max_turns, ..ChatRules::default() }))
    }
}

fn say(text: &str) -> Say {
    Say { message: NewMessage::text(Role::User, text), context: None }
}

#[tokio::test]
async fn what_was_read_is_returned_though_its_use_cannot_be_noted() {
    let desk = desk(Fault::TouchFails).await;
    desk.clock.advance(60_001);
    let read = desk.conversations.read(&desk.ada, &desk.id).await.unwrap();
    assert_eq!(read.summary.last_accessed_at.as_millis(), NOW_MS);
    desk.conversations.messages(&desk.ada, &desk.id, ReadMessages::default()).await.unwrap();
    let lines: Vec<_> = desk.conversations.export(&desk.ada, &desk.id).await.unwrap().try_collect().await.unwrap();
    assert_eq!(lines.len(), 1);
}

#[tokio::test]
async fn a_look_of_a_live_reader_prolongs_no_life() {
    let desk = desk(Fault::None).await;
    desk.clock.advance(60_001);
    let looked = desk.conversations.look(&desk.ada, &desk.id, ReadMessages::default()).await.unwrap();
    let looked = looked.expires_at.unwrap();
    let read = desk.conversations.messages(&desk.ada, &desk.id, ReadMessages::default()).await.unwrap();
    assert_eq!(read.expires_at.unwrap().as_millis() - looked.as_millis(), 60_001);
}

#[tokio::test]
async fn a_patch_that_others_keep_from_its_place_is_a_conflict_with_the_version_that_stands() {
    let desk = desk(Fault::PatchLoses).await;
    let patch = PatchConversation { title: Some(Some("a title".into())), ..PatchConversation::default() };
    let refused = desk.conversations.patch(&desk.ada, &desk.id, patch).await.unwrap_err();
    assert_eq!((refused.code(), refused.problem.status), (Code::ConversationVersion, 409));
    let stands = desk.conversations.read(&desk.ada, &desk.id).await.unwrap().summary.version;
    assert_eq!(refused.problem.current_version, Some(stands));
}

#[tokio::test]
async fn what_a_client_writes_into_the_workflow_while_a_turn_ends_is_kept() {
    let desk = desk(Fault::WorkflowChanges(3)).await;
    let said = desk.chat(Arc::new(EchoAgent), 1).send(&desk.ada, None, &desk.id, say("one")).await.unwrap();
    assert_eq!((&said.workflow["client"], &said.workflow["turnCount"]), (&json!(3), &json!(1)));
    let read = desk.conversations.read(&desk.ada, &desk.id).await.unwrap();
    assert_eq!((read.workflow, read.summary.message_count), (Some(said.workflow), 2));
}

#[tokio::test]
async fn a_workflow_that_never_rests_fails_the_turn_and_ends_it() {
    let desk = desk(Fault::WorkflowChanges(u32::MAX)).await;
    let chat = desk.chat(Arc::new(EchoAgent), 1);
    let refused = chat.send(&desk.ada, None, &desk.id, say("one")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ConversationVersion);
    let read = desk.conversations.read(&desk.ada, &desk.id).await.unwrap();
    assert_eq!((read.summary.turn, read.summary.message_count), (None, 1));
}

#[tokio::test]
async fn a_take_whose_answer_is_lost_does_not_lock_the_chat() {
    let desk = desk(Fault::TakeBreaks).await;
    let chat = desk.chat(Arc::new(EchoAgent), 1);
    for turn in 1..=2 {
        let said = chat.send(&desk.ada, None, &desk.id, say("one")).await.unwrap();
        assert_eq!(said.workflow["turnCount"], turn);
    }
}

/// An agent that answers when it may.
#[derive(Default)]
struct Held {
    asked: Notify,
    go: Notify,
}

#[async_trait]
impl Agent for Held {
    async fn answer(&self, _: Prompt) -> Result<Vec<NewMessage>, AgentError> {
        self.asked.notify_one();
        self.go.notified().await;
        Ok(vec![NewMessage::text(Role::Assistant, "answer")])
    }
}

#[tokio::test]
async fn a_turn_counts_until_it_ends_though_its_caller_has_gone() {
    let desk = desk(Fault::None).await;
    let agent = Arc::new(Held::default());
    let chat = desk.chat(agent.clone(), 1);
    let other = chat.start(&desk.ada, None).await.unwrap().conversation;
    let (first, ada, id) = (Arc::clone(&chat), desk.ada.clone(), desk.id.clone());
    let leaving = tokio::spawn(async move { first.send(&ada, None, &id, say("one")).await });
    agent.asked.notified().await;
    leaving.abort();
    assert!(leaving.await.unwrap_err().is_cancelled());
    let refused = chat.send(&desk.ada, None, &other, say("two")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Overloaded);
    assert!(refused.problem.retry_after_ms.is_some());
    agent.go.notify_one();
    agent.go.notify_one();
    // The turn ends in a task of its own; the next send is admitted when it has.
    loop {
        match chat.send(&desk.ada, None, &other, say("two")).await {
            Ok(said) => break assert_eq!(said.messages.len(), 1),
            Err(error) => assert_eq!(error.code(), Code::Overloaded),
        }
        agent.go.notify_one();
        tokio::task::yield_now().await;
    }
}
