//! What only Redis can break of conversations: keys without an end, indexes that outlive what they name, commands that
//! walk through every key.

use bytes::Bytes;
use mainstay_core::api::conversations::{MessageState, Retention, RetentionMode, Status};
use mainstay_core::api::{Code, ConversationId, Namespace, Subject, Timestamp};
use mainstay_core::conversations::{
    Append, Appended, ConversationLimits, Create, Created, Fork, Forked, From, Lifetime, ListQuery, Lookup,
    MessagesQuery, Owner, Patch, Patched, Settle, Take, Taken,
};
use mainstay_core::mail::RequestMemo;
use mainstay_core::{Clock, Stores, SystemClock};
use mainstay_redis::RedisOptions;
use mainstay_testkit::fixtures::RedisServer;
use redis::AsyncCommands;

const HOUR_MS: u64 = 3_600_000;

struct Desk {
    _server: RedisServer,
    stores: Stores,
    direct: redis::aio::MultiplexedConnection,
    now: Timestamp,
}

impl Desk {
    async fn open() -> Self {
        let server = RedisServer::start().await.unwrap();
        let stores = mainstay_redis::open(RedisOptions::from_url(&server.url()).unwrap()).await.unwrap();
        let client = redis::Client::open(server.url()).unwrap();
        let direct = client.get_multiplexed_async_connection().await.unwrap();
        Self { _server: server, stores, direct, now: SystemClock.now() }
    }

    fn at(&self, id: &str) -> Lookup {
        let owner = Owner { namespace: Namespace::default(), subject: Subject::local("ada:{b}") };
        Lookup { owner, id: ConversationId::parse(id).unwrap(), now: self.now }
    }

    fn beginning(&self, id: &str, ttl_ms: u64) -> Create {
        let retention = Retention { mode: RetentionMode::Sliding, ttl_ms };
        Create {
            at: self.at(id),
            status: Status::Active,
            head: Bytes::from_static(b"{}"),
            body: Bytes::from_static(b"{}"),
            workflow: None,
            lifetime: Lifetime { retention, pinned: false },
            max_conversations: 100,
            memo: Some(self.memo(id)),
        }
    }

    fn memo(&self, key: &str) -> RequestMemo {
        let until = Timestamp::from_millis(self.now.as_millis() + 60_000);
        RequestMemo { key: format!("owner {key}"), fingerprint: "f".into(), until }
    }

    async fn begin(&self, id: &str, ttl_ms: u64) {
        let created = self.stores.conversations.create(self.beginning(id, ttl_ms)).await.unwrap();
        assert_eq!(created, Created::Created);
    }

    fn append(&self, id: &str, text: &str) -> Append {
        Append {
            at: self.at(id),
            documents: vec![Bytes::from(text.to_owned())],
            pending: false,
            expected_version: None,
            fence: None,
            settle: None,
            workflow: None,
            release: false,
            limits: ConversationLimits { max_messages: 1_000, max_bytes: 1_000_000 },
            memo: None,
        }
    }

    async fn say(&self, id: &str, text: &str) {
        let appended = self.stores.conversations.append(self.append(id, text)).await.unwrap();
        assert!(matches!(appended, Appended::Stored { .. }), "{appended:?}");
    }

    async fn listed(&self) -> Vec<String> {
        let owner = self.at("any").owner;
        let query = ListQuery { owner, status: None, limit: 100, after: None, now: self.now };
        let page = self.stores.conversations.list(query).await.unwrap();
        page.rows.into_iter().map(|row| row.id.into()).collect()
    }

    /// Every key with its time to live in milliseconds; -1 is none.
    async fn lives(&mut self) -> Vec<(String, i64)> {
        let keys: Vec<String> = self.direct.keys("*").await.unwrap();
        let mut lives = Vec::with_capacity(keys.len());
        for key in keys {
            let life = self.direct.pttl(&key).await.unwrap();
            lives.push((key, life));
        }
        lives
    }

    fn key(&self, rest: &str) -> String {
        format!("mainstay:{{conv:default:local:local:ada%3A%7Bb%7D}}:{rest}")
    }
}

/// Does everything once that writes keys.
async fn everything(desk: &Desk, id: &str) {
    desk.begin(id, HOUR_MS).await;
    let store = &desk.stores.conversations;
    store.append(Append { memo: Some(desk.memo(&format!("append {id}"))), ..desk.append(id, "one") }).await.unwrap();
    let take = Take { at: desk.at(id), holder: None, ttl_ms: 1_000, key: None };
    let Taken::Taken { fence, .. } = store.take_turn(take).await.unwrap() else { panic!("the turn is taken") };
    store.append(Append { fence: Some(fence), pending: true, ..desk.append(id, "two") }).await.unwrap();
    assert!(store.touch(&desk.at(id)).await.unwrap());
    let create = desk.beginning(&format!("fork of {id}"), HOUR_MS);
    let fork = Fork { create, source: desk.at(id).id, up_to: 2 };
    assert_eq!(store.fork(fork).await.unwrap(), Forked::Created(Created::Created));
}

#[tokio::test]
async fn no_key_of_a_conversation_lives_for_ever_unless_one_is_pinned() {
    let mut desk = Desk::open().await;
    everything(&desk, "c").await;
    let lives = desk.lives().await;
    assert!(lives.len() > 8, "{lives:?}");
    let longest = i64::try_from(3 * HOUR_MS).unwrap();
    assert!(lives.iter().all(|(_, life)| (1..longest).contains(life)), "{lives:?}");

    let record = desk.stores.conversations.find(&desk.at("c")).await.unwrap().unwrap();
    let patch = |pinned, version| Patch {
        at: desk.at("c"),
        expected_version: version,
        status: Status::Active,
        head: record.summary.head.clone(),
        body: record.body.clone(),
        workflow: None,
        lifetime: Some(Lifetime { pinned, ..record.summary.lifetime }),
    };
    let (pin, unpin) = (patch(true, record.summary.version), patch(false, record.summary.version + 1));
    assert_eq!(desk.stores.conversations.patch(pin).await.unwrap(), Patched::Patched);
    let mut endless: Vec<String> =
        desk.lives().await.into_iter().filter(|(_, life)| *life == -1).map(|(key, _)| key).collect();
    endless.sort();
    assert_eq!(endless, ["c:c", "exp", "idx", "m:c", "p:c"].map(|rest| desk.key(rest)));

    assert_eq!(desk.stores.conversations.patch(unpin).await.unwrap(), Patched::Patched);
    assert!(desk.lives().await.iter().all(|(_, life)| *life > 0));
}

#[tokio::test]
async fn a_record_that_was_deleted_by_hand_leaves_the_list_and_the_index() {
    let mut desk = Desk::open().await;
    for id in ["a", "b", "c"] {
        desk.begin(id, HOUR_MS).await;
    }
    let key = desk.key("c:b");
    let _: u32 = desk.direct.del(key).await.unwrap();
    assert_eq!(desk.listed().await.len(), 2);
    for index in ["idx", "exp"] {
        let members: Vec<String> = desk.direct.zrange(desk.key(index), 0, -1).await.unwrap();
        assert_eq!(members, ["a", "c"], "{index}");
    }
    desk.begin_again("b").await;
    assert_eq!(desk.listed().await.len(), 3);
}

#[tokio::test]
async fn an_index_that_was_deleted_by_hand_comes_back_with_use() {
    let mut desk = Desk::open().await;
    desk.begin("a", HOUR_MS).await;
    let _: u32 = desk.direct.del(&[desk.key("idx"), desk.key("exp")]).await.unwrap();
    assert_eq!(desk.listed().await, Vec::<String>::new());
    desk.say("a", "one").await;
    assert_eq!(desk.listed().await, ["a"]);
}

#[tokio::test]
async fn what_expired_does_not_stay_in_the_index_of_an_owner_who_goes_on() {
    let mut desk = Desk::open().await;
    let mut short = desk.beginning("short", 1_000);
    // Its keys outlive it by the grace of an hour; as if that were over.
    short.at.now = Timestamp::from_millis(desk.now.as_millis() - 7_200_000);
    assert_eq!(desk.stores.conversations.create(short).await.unwrap(), Created::Created);
    desk.begin("long", HOUR_MS).await;
    assert_eq!(desk.listed().await, ["long"]);
    let members: Vec<String> = desk.direct.zrange(desk.key("idx"), 0, -1).await.unwrap();
    assert_eq!(members, ["long"]);
}

#[tokio::test]
async fn nothing_walks_through_every_key() {
    let mut desk = Desk::open().await;
    let _: () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(&mut desk.direct).await.unwrap();
    everything(&desk, "c").await;
    desk.listed().await;
    let query = MessagesQuery { at: desk.at("c"), from: From::After(0), limit: 10 };
    assert_eq!(desk.stores.conversations.messages(query).await.unwrap().unwrap().rows.len(), 2);
    assert!(desk.stores.conversations.delete(&desk.at("c")).await.unwrap());
    while desk.stores.conversations.erase(&desk.at("c").owner, 10).await.unwrap() > 0 {}
    desk.stores.conversations.purge(desk.now, 10).await.unwrap();
    let stats: String = redis::cmd("INFO").arg("commandstats").query_async(&mut desk.direct).await.unwrap();
    for command in ["keys", "scan", "sscan", "hscan", "zscan", "hgetall"] {
        assert!(!stats.contains(&format!("cmdstat_{command}:")), "{command}\n{stats}");
    }
    let left: Vec<String> = desk.direct.keys("*conv:*").await.unwrap();
    assert_eq!(left, Vec::<String>::new(), "an erasure leaves nothing");
}

#[tokio::test]
async fn a_fork_leaves_no_copy_behind_whether_it_is_published_or_refused() {
    let mut desk = Desk::open().await;
    desk.begin("c", HOUR_MS).await;
    desk.say("c", "one").await;
    for (id, expected) in [("d", Created::Created), ("c", Created::Replayed(desk.at("c").id))] {
        let fork = Fork { create: desk.beginning(id, HOUR_MS), source: desk.at("c").id, up_to: 1 };
        assert_eq!(desk.stores.conversations.fork(fork).await.unwrap(), Forked::Created(expected));
        let left: Vec<String> = desk.direct.keys("*}:s*").await.unwrap();
        assert_eq!(left, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_server_at_its_memory_limit_refuses_every_write_whole() {
    let mut desk = Desk::open().await;
    desk.begin("c", HOUR_MS).await;
    let take = Take { at: desk.at("c"), holder: None, ttl_ms: 60_000, key: None };
    let store = desk.stores.conversations.clone();
    let Taken::Taken { fence, .. } = store.take_turn(take).await.unwrap() else { panic!("the turn is taken") };
    let fence = Some(fence);
    store.append(Append { fence, pending: true, ..desk.append("c", "question") }).await.unwrap();
    let before = store.find(&desk.at("c")).await.unwrap();

    desk.limit_memory("1").await;
    let create = store.create(desk.beginning("d", HOUR_MS)).await.unwrap_err();
    assert_eq!(create.code(), Code::StoreFull);
    let fork = Fork { create: desk.beginning("e", HOUR_MS), source: desk.at("c").id, up_to: 1 };
    assert_eq!(store.fork(fork).await.unwrap_err().code(), Code::StoreFull);
    let answer = || Append { fence, settle: Some(Settle::Done), release: true, ..desk.append("c", "answer") };
    assert_eq!(store.append(answer()).await.unwrap_err().code(), Code::StoreFull);
    let fail = Append { settle: Some(Settle::Failed), documents: Vec::new(), ..answer() };
    assert_eq!(store.append(fail).await.unwrap_err().code(), Code::StoreFull);
    assert_eq!(store.find(&desk.at("c")).await.unwrap(), before);
    let query = MessagesQuery { at: desk.at("c"), from: From::After(0), limit: 10 };
    let rows = store.messages(query.clone()).await.unwrap().unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [Some(MessageState::Pending)]);
    assert_eq!(desk.listed().await, ["c"]);

    let more = Append { fence, settle: Some(Settle::Done), pending: true, ..desk.append("c", "answer") };
    desk.limit_memory("0").await;
    store.append(more).await.unwrap();
    let rows = store.messages(query).await.unwrap().unwrap().rows;
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [None, Some(MessageState::Pending)], "an append settles what waited before it alone");
    desk.begin("d", HOUR_MS).await;
}

impl Desk {
    /// Sets how much memory the server may use; 0 is no limit.
    async fn limit_memory(&mut self, bytes: &str) {
        let mut config = redis::cmd("CONFIG");
        let _: () = config.arg("SET").arg("maxmemory").arg(bytes).query_async(&mut self.direct).await.unwrap();
    }

    /// Begins a conversation once more, under a request id of its own.
    async fn begin_again(&self, id: &str) {
        let create = Create { memo: None, ..self.beginning(id, HOUR_MS) };
        assert_eq!(self.stores.conversations.create(create).await.unwrap(), Created::Created);
    }
}
