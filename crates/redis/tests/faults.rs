//! What happens to writes when the link, the server or its role fails: nothing acknowledged is lost, nothing is done
//! twice, and an error says whether the write may have taken place.

use mainstay_core::api::errors::{Applied, Code};
use mainstay_core::api::ids::RequestId;
use mainstay_core::api::mail::{AckMessage, ListMessages, ReadInbox, SendMessage, Start};
use mainstay_core::api::{InstanceId, MessageId, Namespace};
use mainstay_core::mail::{MailRules, MailService};
use mainstay_core::{Caller, Hint, RandomMint, Stores, SystemClock, Topic};
use mainstay_redis::RedisOptions;
use mainstay_testkit::fixtures::{FaultProxy, RedisCluster, RedisSentinel, RedisServer, RedisServerOptions};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

fn instance(name: &str) -> InstanceId {
    InstanceId::parse(name).unwrap()
}

fn caller(name: &str) -> Caller {
    Caller { instance: Some(instance(name)), ..Caller::owner() }
}

fn service(stores: &Stores) -> MailService {
    MailService::new(Arc::clone(&stores.mail), Arc::new(SystemClock), Arc::new(RandomMint), MailRules::default())
}

async fn open(url: &str) -> (Stores, MailService) {
    let stores = mainstay_redis::open(RedisOptions::from_url(url).unwrap()).await.unwrap();
    let service = service(&stores);
    (stores, service)
}

fn to(name: &str, subject: &str) -> SendMessage {
    SendMessage::new(vec![instance(name)], subject)
}

fn request(id: &str) -> Option<RequestId> {
    Some(RequestId::parse(id).unwrap())
}

async fn subjects(mail: &MailService, name: &str) -> Vec<String> {
    let list = ListMessages { recipient: Some(instance(name)), limit: Some(1_000), ..Default::default() };
    let page = mail.list(&caller(name), list).await.unwrap();
    page.items.into_iter().map(|message| message.content.subject).collect()
}

#[tokio::test]
async fn mail_goes_from_hand_to_hand() {
    let server = RedisServer::start().await.unwrap();
    let (_stores, mail) = open(&server.url()).await;
    let sent = mail.send(&caller("backend"), request("r1"), to("frontend", "API is ready")).await.unwrap();
    assert!(!sent.replayed);
    let again = mail.send(&caller("backend"), request("r1"), to("frontend", "API is ready")).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.message.content, sent.message.content);

    let inbox = mail.inbox(&caller("frontend"), &ReadInbox::default()).await.unwrap();
    assert_eq!(inbox.messages.len(), 1);
    assert_eq!(inbox.messages[0].content, sent.message.content);
    let id = sent.message.content.id;
    let ack = mail.acknowledge(&caller("frontend"), &id, AckMessage::default()).await.unwrap();
    assert!(!ack.already);
    assert_eq!(mail.counts(&caller("frontend")).await.unwrap().pending, 0);
}

#[tokio::test]
async fn a_link_cut_before_the_script_ran_is_healed_by_sending_it_again() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::in_front_of(server.port()).await.unwrap();
    let (_stores, mail) = open(&format!("redis://127.0.0.1:{}", proxy.port())).await;
    mail.send(&caller("a"), request("warm up"), to("b", "warm up")).await.unwrap();

    proxy.cut_before_command("EVALSHA", 1);
    mail.send(&caller("a"), request("r1"), to("b", "once")).await.unwrap();

    assert_eq!(proxy.cuts(), 1);
    assert_eq!(subjects(&mail, "b").await, ["once", "warm up"]);
}

#[tokio::test]
async fn a_link_cut_after_the_script_ran_never_stores_a_message_twice() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::in_front_of(server.port()).await.unwrap();
    let (_stores, mail) = open(&format!("redis://127.0.0.1:{}", proxy.port())).await;
    mail.send(&caller("a"), request("warm up"), to("b", "warm up")).await.unwrap();

    proxy.cut_after_command("EVALSHA", 1);
    let sent = mail.send(&caller("a"), request("r1"), to("b", "once")).await.unwrap();

    assert_eq!(proxy.cuts(), 1);
    assert!(sent.replayed, "the second run must have found the result of the first");
    assert_eq!(subjects(&mail, "b").await, ["once", "warm up"]);
}

#[tokio::test]
async fn a_write_that_may_have_run_is_said_to_be_one_also_where_the_second_attempt_is_refused() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::in_front_of(server.port()).await.unwrap();
    let (_stores, mail) = open(&format!("redis://127.0.0.1:{}", proxy.port())).await;
    mail.send(&caller("a"), request("warm up"), to("b", "warm up")).await.unwrap();

    proxy.cut_after_command("EVALSHA", 1);
    let (sender, letter) = (caller("a"), to("b", "once"));
    let send = mail.send(&sender, request("r1"), letter);
    let refuse = async {
        while proxy.cuts() == 0 {
            tokio::task::yield_now().await;
        }
        proxy.refuse();
    };
    let (sent, ()) = tokio::join!(send, refuse);
    // Where the second attempt was faster than the refusal there is nothing to show, and it was a replay.
    match sent {
        Ok(sent) => assert!(sent.replayed),
        Err(error) => assert_eq!((error.code(), error.problem.applied), (Code::StoreUnavailable, Applied::Unknown)),
    }
    proxy.pass();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(subjects(&mail, "b").await, ["once", "warm up"]);
}

#[tokio::test]
async fn a_reader_whose_membership_the_store_has_lost_misses_no_broadcast() {
    let server = RedisServer::start().await.unwrap();
    let (_stores, mail) = open(&server.url()).await;
    mail.send(&caller("a"), None, to("all", "before")).await.unwrap();
    let first = mail.inbox(&caller("b"), &ReadInbox::default()).await.unwrap();
    assert_eq!(first.messages.len(), 1);

    let mut connection = server.connection().await.unwrap();
    let members = "mainstay:{mail.default}:members";
    let forgotten: u32 = redis::cmd("DEL").arg(members).query_async(&mut connection).await.unwrap();
    assert_eq!(forgotten, 1);
    mail.send(&caller("a"), None, to("all", "meanwhile")).await.unwrap();
    let read = ReadInbox { after: Start::After(first.position), ..ReadInbox::default() };
    let next = mail.inbox(&caller("b"), &read).await.unwrap();
    let found: Vec<&str> = next.messages.iter().map(|message| message.content.subject.as_str()).collect();
    assert_eq!(found, ["meanwhile"]);
}

#[tokio::test]
async fn without_a_request_id_a_cut_write_is_reported_as_perhaps_applied_and_not_sent_again() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::in_front_of(server.port()).await.unwrap();
    let (_stores, mail) = open(&format!("redis://127.0.0.1:{}", proxy.port())).await;
    mail.send(&caller("a"), None, to("b", "warm up")).await.unwrap();

    proxy.cut_after_command("EVALSHA", 1);
    let error = mail.send(&caller("a"), None, to("b", "once")).await.unwrap_err();

    assert_eq!((error.code(), error.problem.applied), (Code::StoreUnavailable, Applied::Unknown));
    assert_eq!(subjects(&mail, "b").await, ["once", "warm up"]);
}

#[tokio::test]
async fn a_half_open_link_ends_a_call_in_bounded_time() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::in_front_of(server.port()).await.unwrap();
    let mut options = RedisOptions::from_url(&format!("redis://127.0.0.1:{}", proxy.port())).unwrap();
    options.response_timeout_ms = 200;
    options.connect_timeout_ms = 200;
    let stores = mainstay_redis::open(options).await.unwrap();
    let mail = service(&stores);
    mail.send(&caller("a"), None, to("b", "warm up")).await.unwrap();

    proxy.black_hole();
    let sender = caller("a");
    let call = mail.send(&sender, request("r1"), to("b", "lost"));
    let error = tokio::time::timeout(Duration::from_secs(20), call).await.unwrap().unwrap_err();
    assert_eq!((error.code(), error.problem.applied), (Code::StoreUnavailable, Applied::Unknown));

    proxy.drop_all();
    proxy.pass();
    tokio::time::sleep(Duration::from_millis(300)).await;
    mail.send(&caller("a"), request("r1"), to("b", "lost")).await.unwrap();
    assert_eq!(subjects(&mail, "b").await, ["lost", "warm up"]);
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_an_error_at_once_and_says_so() {
    let options = RedisOptions::from_url("redis://127.0.0.1:1").unwrap();
    let opened = tokio::time::timeout(Duration::from_secs(10), mainstay_redis::open(options)).await.unwrap();
    let error = opened.err().unwrap();
    assert_eq!((error.code(), error.problem.applied), (Code::StoreUnavailable, Applied::No));
    assert!(error.problem.detail.contains("127.0.0.1:1"), "{}", error.problem.detail);
}

#[tokio::test]
async fn a_killed_redis_comes_back_with_what_it_acknowledged_a_second_before() {
    let server = RedisServer::start_with(RedisServerOptions::new().aof()).await.unwrap();
    let (_stores, mail) = open(&server.url()).await;
    for n in 0..50 {
        mail.send(&caller("a"), None, to("b", &format!("m{n}"))).await.unwrap();
    }
    // `everysec`: what is older than a second is on the disk; two seconds leave room for a busy machine.
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.kill();
    let error = mail.send(&caller("a"), request("r"), to("b", "during")).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
    assert!(error.problem.retryable && error.problem.retry_after_ms.is_some());

    server.restart().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    mail.send(&caller("a"), request("r"), to("b", "during")).await.unwrap();
    let stored: BTreeSet<String> = subjects(&mail, "b").await.into_iter().collect();
    assert_eq!(stored.len(), 51, "{stored:?}");
}

#[tokio::test]
async fn a_waiting_reader_is_woken_and_wakes_again_after_a_restart_of_redis() {
    use futures::StreamExt;
    let server = RedisServer::start_with(RedisServerOptions::new().aof()).await.unwrap();
    let (stores, mail) = open(&server.url()).await;
    let mut hints = stores.hints.subscribe();
    let patience = Duration::from_secs(20);
    let first = tokio::time::timeout(patience, hints.next()).await.unwrap().unwrap();
    assert_eq!(first, Hint::Everything, "the beginning of a subscription says that anything may have been missed");

    mail.send(&caller("a"), None, to("b", "one")).await.unwrap();
    let hint = tokio::time::timeout(patience, hints.next()).await.unwrap().unwrap();
    assert_eq!(hint, Hint::Topic(Topic::Mail(Namespace::default(), instance("b"))));

    server.kill();
    server.restart().await.unwrap();
    let after = tokio::time::timeout(patience, hints.next()).await.unwrap().unwrap();
    assert_eq!(after, Hint::Everything, "a lost connection is told to the readers");
}

#[tokio::test]
async fn a_failover_by_sentinel_under_load_loses_no_acknowledged_message_that_was_replicated_and_doubles_none() {
    let sentinel = RedisSentinel::start().await.unwrap();
    let (_stores, mail) = open(&sentinel.url()).await;
    let mail = Arc::new(mail);
    let mut acknowledged = Vec::new();
    let mut failed = 0;
    let mut old_master = None;
    for n in 0..400 {
        if n == 100 {
            // Replication is asynchronous: what this test counts on must have arrived before the master dies.
            tokio::time::sleep(Duration::from_millis(500)).await;
            old_master = Some(sentinel.kill_master().await.unwrap());
        }
        let (subject, id) = (format!("m{n}"), format!("r{n}"));
        let mut sent = false;
        for _ in 0..200 {
            match mail.send(&caller("a"), request(&id), to("b", &subject)).await {
                Ok(_) => {
                    sent = true;
                    break;
                }
                Err(error) => {
                    assert!(error.problem.retryable, "{error}");
                    failed += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        assert!(sent, "no send succeeded for 20 s after the failover");
        acknowledged.push(subject);
    }
    assert!(failed > 0, "the master's death must have been noticed");
    assert_ne!(sentinel.master_port().await.unwrap(), old_master.unwrap());
    let stored = subjects(&mail, "b").await;
    let unique: BTreeSet<&String> = stored.iter().collect();
    assert_eq!(unique.len(), stored.len(), "nothing is stored twice");
    assert_eq!(unique, acknowledged.iter().collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn a_slot_that_moves_while_messages_arrive_loses_and_doubles_none() {
    let cluster = RedisCluster::start().await.unwrap();
    let (_stores, mail) = open(&cluster.url()).await;
    let key = "mainstay:{mail.default}:meta";
    for n in 0..20 {
        mail.send(&caller("a"), request(&format!("r{n}")), to("b", &format!("m{n}"))).await.unwrap();
    }
    let slot = cluster.slot_of(key).await.unwrap();
    let owner = cluster.slot_owner(slot).await.unwrap();
    cluster.move_slot(slot, (owner + 1) % 3).await.unwrap();
    for n in 20..40 {
        mail.send(&caller("a"), request(&format!("r{n}")), to("b", &format!("m{n}"))).await.unwrap();
    }
    let stored = subjects(&mail, "b").await;
    assert_eq!(stored.len(), 40);
    let id = mail.list(&caller("b"), ListMessages::default()).await.unwrap().items[0].content.id.clone();
    mail.acknowledge(&caller("b"), &id, AckMessage::default()).await.unwrap();
    assert!(mail.read(&caller("b"), &MessageId::parse(id.as_str()).unwrap()).await.unwrap().acknowledged);
}
