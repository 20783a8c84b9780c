//! What stands in a Redis: nothing that expires, nothing in the clear, and nothing of what was removed.

use super::node::{Node, expired, whose};
use mainstay_core::Caller;
use mainstay_core::secrets::KeyRing;
use mainstay_redis::RedisOptions;
use mainstay_testkit::fixtures::{AuthorizationServer, RedisServer};

struct Bed {
    redis: RedisServer,
    server: AuthorizationServer,
    node: Node,
}

async fn bed() -> Bed {
    let redis = RedisServer::start().await.unwrap();
    let stores = Box::pin(mainstay_redis::open(RedisOptions::from_url(&redis.url()).unwrap())).await.unwrap();
    let server = AuthorizationServer::start().await.unwrap();
    Bed { node: Node::on(&stores, "a", &KeyRing::generate().unwrap()), redis, server }
}

impl Bed {
    /// Asks the server, and answers what it says as text.
    async fn ask(&self, script: &str) -> String {
        format!("{:?}", self.redis.cli(&["EVAL", script, "0"]).await.unwrap())
    }
}

/// Names of keys with an expiry.
const EXPIRING: &str = "local found = {} for _, key in ipairs(redis.call('KEYS', '*')) do
    if redis.call('TTL', key) ~= -1 then found[#found + 1] = key end end return #found";
/// How many keys of credentials there are.
const KEPT: &str = "local all = 0 for _, key in ipairs(redis.call('KEYS', '*{pool:*')) do
    if redis.call('TYPE', key).ok ~= 'string' then all = all + 1 end end return all";
/// How many keys, and what is in them, hold any of these texts.
const CLEAR: &str = "local found = 0 for _, key in ipairs(redis.call('KEYS', '*')) do
    local kind, all = redis.call('TYPE', key).ok, {}
    if kind == 'hash' then all = redis.call('HGETALL', key)
    elseif kind == 'string' then all = {redis.call('GET', key)}
    elseif kind == 'zset' then all = redis.call('ZRANGE', key, 0, -1)
    elseif kind == 'set' then all = redis.call('SMEMBERS', key)
    else return redis.error_reply('a key of kind ' .. kind) end
    all[#all + 1] = key
    for _, text in ipairs(all) do for _, secret in ipairs({'a-0', 'r-0', 'a-1', 'r-1', 'client_secret'}) do
        if string.find(text, secret, 1, true) then found = found + 1 end end end
    end return found";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_credential_expires_or_stands_in_the_clear() {
    let bed = bed().await;
    let whose = whose();
    let seen = bed.node.put(&whose, &expired(&bed.server.url())).await;
    for _ in 0..2 {
        assert_eq!(bed.ask(EXPIRING).await, "int(0)");
        assert_eq!(bed.ask(CLEAR).await, "int(0)");
        assert_ne!(bed.ask(KEPT).await, "int(0)");
        drop(bed.node.tokens.refresh(&whose, seen).await.unwrap());
    }
    assert_eq!(bed.node.bearer(&whose).await, "a-1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_credential_is_left_when_it_is_removed() {
    let bed = bed().await;
    let whose = whose();
    bed.node.put(&whose, &expired(&bed.server.url())).await;
    bed.node.bearer(&whose).await;
    bed.node.tokens.remove(&Caller::owner(), whose.pool.pool.clone(), whose.provider.clone()).await.unwrap();
    assert_eq!(bed.ask(KEPT).await, "int(0)");
}
