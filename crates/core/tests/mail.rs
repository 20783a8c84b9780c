//! The rules of mail, on the reference model and with a clock that stands still.

use async_trait::async_trait;
use mainstay_core::api::errors::Applied;
use mainstay_core::api::events::EventId;
use mainstay_core::api::ids::RequestId;
use mainstay_core::api::mail::{AckMessage, Gap, ImportMessage, ListMessages, ReadInbox, SendMessage, Start};
use mainstay_core::api::providers::GatewayKeyId;
use mainstay_core::api::{
    Code, ConversationId, Epoch, InstanceId, KeyId, MessageId, MessageType, Namespace, Position, SessionId, Timestamp,
    UserId,
};
use mainstay_core::mail::{InboxLimits, MailMirror, MailRules, MailService, MirroredMail};
use mainstay_core::{Caller, Error, FakeClock, Mint, RandomMint, Result, Scope};
use mainstay_testkit::model;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

const NOW_MS: i64 = 1_763_673_827_000;
const HOUR_MS: i64 = 3_600_000;

fn name(text: &str) -> InstanceId {
    InstanceId::parse(text).unwrap()
}

fn caller(instance: &str) -> Caller {
    Caller { instance: Some(name(instance)), ..Caller::owner() }
}

fn letter(to: &str, subject: &str) -> SendMessage {
    SendMessage::new(vec![name(to)], subject)
}

struct Desk {
    mail: MailService,
    clock: Arc<FakeClock>,
}

fn desk() -> Desk {
    desk_with(MailRules::default(), Arc::new(RandomMint))
}

fn desk_with(rules: MailRules, mint: Arc<dyn Mint>) -> Desk {
    let clock = Arc::new(FakeClock::at(NOW_MS));
    Desk { mail: MailService::new(model::stores().mail, clock.clone(), mint, rules), clock }
}

async fn refused(desk: &Desk, send: SendMessage) -> (Code, String) {
    let error = desk.mail.send(&caller("a"), None, send).await.unwrap_err();
    (error.code(), error.problem.detail)
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_by_name_and_nothing_is_stored() {
    let desk = desk();
    let all_and_one = SendMessage::new(vec![name("all"), name("b")], "s");
    let past = SendMessage { expires_at: Some(Timestamp::from_millis(NOW_MS)), ..letter("b", "s") };
    let far = SendMessage { expires_at: Some(Timestamp::MAX), ..letter("b", "s") };
    let cases = [
        (letter("b", "  "), Code::InvalidRequest, "subject"),
        (letter("b", &"s".repeat(1_001)), Code::TooLarge, "subject"),
        (SendMessage { body: "b".repeat(256 * 1_024 + 1), ..letter("b", "s") }, Code::TooLarge, "body"),
        (SendMessage { to: vec![], ..letter("b", "s") }, Code::InvalidRequest, "to"),
        (SendMessage { to: vec![name("b"); 101], ..letter("b", "s") }, Code::InvalidRequest, "to"),
        (all_and_one, Code::InvalidRequest, "all"),
        (past, Code::InvalidRequest, "expires_at"),
        (far, Code::InvalidRequest, "expires_at"),
        (SendMessage { kind: MessageType::parse("NOPE").unwrap(), ..letter("b", "s") }, Code::MailInvalidType, "NOPE"),
        (
            SendMessage { reply_to: Some(MessageId::parse("msg-0").unwrap()), ..letter("b", "s") },
            Code::MailNotFound,
            "msg-0",
        ),
    ];
    for (send, code, word) in cases {
        let (found, detail) = refused(&desk, send).await;
        assert_eq!(found, code, "{detail}");
        assert!(detail.contains(word), "{detail}");
    }
    assert_eq!(desk.mail.stats(&caller("a")).await.unwrap().total_messages, 0);
}

#[tokio::test]
async fn every_known_type_and_every_configured_one_is_accepted() {
    let extra = MessageType::parse("DEPLOY_DONE").unwrap();
    let rules = MailRules { extra_types: vec![extra], ..MailRules::default() };
    let desk = desk_with(rules, Arc::new(RandomMint));
    let types = desk.mail.types().types;
    assert_eq!(types.len(), 16 + 10 + 8 + 1);
    for kind in types {
        let send = SendMessage { kind: MessageType::parse(kind).unwrap(), ..letter("b", "s") };
        desk.mail.send(&caller("a"), None, send).await.unwrap();
    }
}

#[tokio::test]
async fn a_repetition_is_recognised_whatever_moment_its_relative_expiry_names() {
    let desk = desk();
    let request = || Some(RequestId::parse("r1").unwrap());
    let in_two_hours = |now_ms: i64| SendMessage {
        expires_at: Some(Timestamp::from_millis(now_ms + 2 * HOUR_MS)),
        ..letter("b", "s")
    };
    let first = desk.mail.send(&caller("a"), request(), in_two_hours(NOW_MS)).await.unwrap();
    desk.clock.advance(1_000);
    let again = desk.mail.send(&caller("a"), request(), in_two_hours(NOW_MS + 1_000)).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.message.content, first.message.content);
    let other = desk.mail.send(&caller("a"), request(), letter("b", "other")).await.unwrap_err();
    assert_eq!(other.code(), Code::RequestIdReused);
}

#[tokio::test]
async fn a_repetition_is_answered_as_one_also_when_the_send_would_not_be_possible_any_more() {
    let desk = desk();
    let request = |id: &str| Some(RequestId::parse(id).unwrap());
    let parent = SendMessage { expires_at: Some(Timestamp::from_millis(NOW_MS + 10)), ..letter("b", "parent") };
    let parent = desk.mail.send(&caller("a"), request("r0"), parent.clone()).await.unwrap().message.content.id;
    let reply = SendMessage { reply_to: Some(parent), ..letter("b", "reply") };
    let first = desk.mail.send(&caller("a"), request("r1"), reply.clone()).await.unwrap();
    let short = SendMessage { expires_at: Some(Timestamp::from_millis(NOW_MS + 10)), ..letter("b", "short") };
    desk.mail.send(&caller("a"), request("r2"), short.clone()).await.unwrap();

    desk.clock.advance(20);
    let again = desk.mail.send(&caller("a"), request("r1"), reply).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.message.content, first.message.content);
    let gone = desk.mail.send(&caller("a"), request("r2"), short.clone()).await.unwrap_err();
    assert_eq!((gone.code(), gone.problem.applied), (Code::MailSentAndGone, Applied::Yes));
    let new = desk.mail.send(&caller("a"), request("r3"), short).await.unwrap_err();
    assert_eq!((new.code(), new.problem.applied), (Code::InvalidRequest, Applied::No));
}

#[tokio::test]
async fn an_id_that_happens_to_exist_is_made_anew_and_a_given_one_is_refused() {
    struct Repeating(AtomicU32);
    impl Mint for Repeating {
        fn message_id(&self) -> MessageId {
            MessageId::parse(format!("msg-{}", self.0.fetch_add(1, Ordering::SeqCst) / 2)).unwrap()
        }

        fn user_id(&self) -> UserId {
            RandomMint.user_id()
        }

        fn key_id(&self) -> KeyId {
            RandomMint.key_id()
        }

        fn gateway_key_id(&self) -> GatewayKeyId {
            RandomMint.gateway_key_id()
        }

        fn session_id(&self) -> SessionId {
            RandomMint.session_id()
        }

        fn secret(&self) -> [u8; 32] {
            RandomMint.secret()
        }

        fn conversation_id(&self) -> ConversationId {
            RandomMint.conversation_id()
        }

        fn chat_message_id(&self) -> MessageId {
            RandomMint.chat_message_id()
        }

        fn event_id(&self) -> EventId {
            RandomMint.event_id()
        }
    }
    let desk = desk_with(MailRules::default(), Arc::new(Repeating(AtomicU32::new(0))));
    let first = desk.mail.send(&caller("a"), None, letter("b", "one")).await.unwrap();
    let second = desk.mail.send(&caller("a"), None, letter("b", "two")).await.unwrap();
    assert_ne!(first.message.content.id, second.message.content.id);

    let taken = SendMessage { id: Some(first.message.content.id), ..letter("b", "three") };
    assert_eq!(refused(&desk, taken).await.0, Code::MailDuplicateId);
}

#[tokio::test]
async fn a_reply_joins_the_thread_of_what_it_replies_to() {
    let desk = desk();
    let first = desk.mail.send(&caller("a"), None, letter("b", "s")).await.unwrap().message.content.id;
    let reply = SendMessage { reply_to: Some(first.clone()), ..letter("a", "re") };
    let reply = desk.mail.send(&caller("b"), None, reply).await.unwrap().message.content;
    assert_eq!(reply.thread.as_ref(), Some(&first));
    let second = SendMessage { reply_to: Some(reply.id), ..letter("b", "re re") };
    assert_eq!(desk.mail.send(&caller("a"), None, second).await.unwrap().message.content.thread, Some(first));
}

#[tokio::test]
async fn a_caller_may_do_what_its_scopes_say_and_no_more() {
    let desk = desk();
    let with = |scopes: &[Scope]| Caller { scopes: scopes.iter().copied().collect(), ..caller("b") };
    let id = desk.mail.send(&caller("a"), None, letter("c", "s")).await.unwrap().message.content.id;

    let reader = with(&[Scope::MailRead]);
    desk.mail.list(&reader, ListMessages::default()).await.unwrap();
    let error = desk.mail.send(&reader, None, letter("c", "s")).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    assert!(error.problem.help.contains("mail:write"));

    let writer = with(&[Scope::MailRead, Scope::MailWrite]);
    let for_c = AckMessage { on_behalf_of: Some(name("c")), ..AckMessage::default() };
    let error = desk.mail.acknowledge(&writer, &id, for_c.clone()).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    assert_eq!(desk.mail.counts(&caller("c")).await.unwrap().pending, 1);

    let done = desk.mail.acknowledge(&caller("b"), &id, for_c).await.unwrap();
    assert_eq!(done.ack.by, name("b"));
    assert_eq!(desk.mail.counts(&caller("c")).await.unwrap().pending, 0);
}

#[tokio::test]
async fn nobody_speaks_as_everyone_or_as_nobody() {
    let desk = desk();
    for instance in [None, Some(name("all"))] {
        let nobody = Caller { instance, ..caller("a") };
        let error = desk.mail.send(&nobody, None, letter("b", "s")).await.unwrap_err();
        assert_eq!(error.code(), Code::InstanceUnknown);
    }
}

#[tokio::test]
async fn a_position_of_another_life_of_the_store_is_told_and_begins_with_what_is_unread() {
    let desk = desk();
    desk.mail.send(&caller("a"), None, letter("b", "new")).await.unwrap();
    let here = desk.mail.inbox(&caller("b"), &ReadInbox::default()).await.unwrap().position;
    let position = Position { epoch: Epoch::parse("elsewhere").unwrap(), ..here };
    let read = ReadInbox { after: Start::After(position), ..ReadInbox::default() };
    let inbox = desk.mail.inbox(&caller("b"), &read).await.unwrap();
    assert_eq!(inbox.gap, Some(Gap::NewEpoch));
    assert_eq!(inbox.messages.len(), 1);
}

#[tokio::test]
async fn unread_mail_that_was_dropped_is_told_to_a_reader_that_had_not_reached_it() {
    let limits = InboxLimits { max_inbox: 2, max_pending: 2, max_messages: 100 };
    let desk = desk_with(MailRules { limits, ..MailRules::default() }, Arc::new(RandomMint));
    let start = desk.mail.inbox(&caller("b"), &ReadInbox::default()).await.unwrap().position;
    for n in 0..3 {
        let send = SendMessage { requires_ack: false, ..letter("b", &format!("m{n}")) };
        desk.mail.send(&caller("a"), None, send).await.unwrap();
    }
    let read = |after| ReadInbox { after, ..ReadInbox::default() };
    let inbox = desk.mail.inbox(&caller("b"), &read(Start::After(start))).await.unwrap();
    assert_eq!((inbox.gap, inbox.messages.len()), (Some(Gap::Trimmed), 2));
    let next = desk.mail.inbox(&caller("b"), &read(Start::After(inbox.position))).await.unwrap();
    assert_eq!((next.gap, next.messages.len()), (None, 0));
}

/// A mirror that takes its time with the first copy, until it is let.
#[derive(Default)]
struct SlowMirror {
    entered: tokio::sync::Notify,
    leave: tokio::sync::Notify,
    copies: std::sync::atomic::AtomicUsize,
    acks: Mutex<Vec<usize>>,
}

struct Slow(Arc<SlowMirror>);

#[async_trait]
impl MailMirror for Slow {
    async fn put(&self, _: &Namespace, message: ImportMessage, _: Timestamp) -> Result<()> {
        if self.0.copies.fetch_add(1, Ordering::SeqCst) == 0 {
            self.0.entered.notify_one();
            self.0.leave.notified().await;
        }
        let acks = message.receipts.iter().filter(|receipt| receipt.ack.is_some()).count();
        self.0.acks.lock().unwrap().push(acks);
        Ok(())
    }
    fn location(&self) -> String {
        "test".into()
    }
}

fn mirrored(mirror: &Arc<SlowMirror>) -> Arc<MailService> {
    let store = Arc::new(MirroredMail::new(model::stores().mail, Arc::new(Slow(Arc::clone(mirror)))));
    let clock = Arc::new(FakeClock::at(NOW_MS));
    Arc::new(MailService::new(store, clock, Arc::new(RandomMint), MailRules::default()))
}

async fn sent_by_a(mail: &MailService) -> MessageId {
    loop {
        let page = mail.list(&caller("a"), ListMessages::default()).await.unwrap();
        if let Some(message) = page.items.first() {
            return message.content.id.clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn copies_of_one_message_reach_the_mirror_in_the_order_of_its_states() {
    let mirror = Arc::new(SlowMirror::default());
    let mail = mirrored(&mirror);
    let sending = {
        let mail = Arc::clone(&mail);
        tokio::spawn(async move { mail.send(&caller("a"), None, letter("b", "s")).await })
    };
    mirror.entered.notified().await;
    let id = sent_by_a(&mail).await;
    let acknowledging = {
        let mail = Arc::clone(&mail);
        tokio::spawn(async move { mail.acknowledge(&caller("b"), &id, AckMessage::default()).await })
    };
    // Enough for the acknowledgement to get as far as it can while the first copy is under way.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    mirror.leave.notify_one();
    sending.await.unwrap().unwrap();
    acknowledging.await.unwrap().unwrap();
    assert_eq!(*mirror.acks.lock().unwrap(), [0, 1]);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_keep_its_write_from_the_mirror() {
    let mirror = Arc::new(SlowMirror::default());
    let mail = mirrored(&mirror);
    let sending = {
        let mail = Arc::clone(&mail);
        tokio::spawn(async move { mail.send(&caller("a"), None, letter("b", "s")).await })
    };
    mirror.entered.notified().await;
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());
    mirror.leave.notify_one();
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*mirror.acks.lock().unwrap(), [0]);
}

#[tokio::test]
async fn a_mirror_gets_every_change_and_its_failure_is_not_that_of_the_write() {
    #[derive(Default)]
    struct Sheet {
        seen: Mutex<Vec<(String, usize)>>,
        broken: std::sync::atomic::AtomicBool,
    }
    struct Mirror(Arc<Sheet>);
    #[async_trait]
    impl MailMirror for Mirror {
        async fn put(&self, _: &Namespace, message: ImportMessage, _: Timestamp) -> Result<()> {
            if self.0.broken.load(Ordering::SeqCst) {
                return Err(Error::unavailable("the mirror is away", "test"));
            }
            let acks = message.receipts.iter().filter(|receipt| receipt.ack.is_some()).count();
            self.0.seen.lock().unwrap().push((message.content.subject, acks));
            Ok(())
        }
        fn location(&self) -> String {
            "test".into()
        }
    }
    let sheet = Arc::new(Sheet::default());
    let store = Arc::new(MirroredMail::new(model::stores().mail, Arc::new(Mirror(Arc::clone(&sheet)))));
    let clock = Arc::new(FakeClock::at(NOW_MS));
    let mail = MailService::new(store, clock, Arc::new(RandomMint), MailRules::default());
    let id = mail.send(&caller("a"), None, letter("b", "s")).await.unwrap().message.content.id;
    mail.acknowledge(&caller("b"), &id, AckMessage::default()).await.unwrap();
    assert_eq!(*sheet.seen.lock().unwrap(), [("s".to_owned(), 0), ("s".to_owned(), 1)]);

    sheet.broken.store(true, Ordering::SeqCst);
    mail.send(&caller("a"), None, letter("b", "while away")).await.unwrap();
    assert_eq!(sheet.seen.lock().unwrap().len(), 2);
}
