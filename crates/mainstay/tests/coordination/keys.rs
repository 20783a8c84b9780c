//! The keys of the original in a Redis, in its three namespaces, as a source.

use crate::site::{self, Site};
use mainstay_testkit::fixtures::RedisServer;
use serde_json::{Value, json};

const TIME: &str = "2026-01-22T23:01:25Z";

fn cli(redis: &RedisServer, arguments: &[&str]) {
    site::wait_for(redis.cli(arguments)).unwrap();
}

/// A message as the client of the original wrote it, and its place in the indexes.
fn publish(redis: &RedisServer, id: &str, to: &str, more: &[&str]) {
    let key = format!("coord:msg:{id}");
    let fields = ["id", id, "type", "GENERAL", "from", "backend", "to", to, "timestamp", TIME];
    let flags = ["requires_ack", "1", "acknowledged", "0", "subject", "s", "description", "d \u{2713}\nline"];
    cli(redis, &[&["HSET", &key], &fields[..], &flags[..], more].concat());
    cli(redis, &["EXPIRE", &key, "2592000"]);
    cli(redis, &["ZADD", "coord:timeline", "1769122885", id]);
    cli(redis, &["SADD", &format!("coord:inbox:{to}"), id]);
    cli(redis, &["SADD", "coord:pending", id]);
}

/// A message as the broken migration wrote it.
fn migrate(redis: &RedisServer, id: &str, subject: &str) {
    let key = format!("coordmsg:{id}");
    let fields = ["id", id, "type", "READY_FOR_MERGE", "from_instance", "ui", "to_instance", "agent"];
    let rest = ["timestamp", TIME, "requires_ack", "True", "acknowledged", "False", "description", "d", "ack_by", ""];
    cli(redis, &[&["HSET", &key, "subject", subject], &fields[..], &rest[..]].concat());
    cli(redis, &["ZADD", "coordtimeline", "1769122885", id]);
    cli(redis, &["SADD", "coordinbox:agent", id]);
}

/// What the original had beside its messages, and what is not its own.
fn surroundings(redis: &RedisServer) {
    let presence = ["backend.active", "1", "backend.last_heartbeat", TIME, "backend.session_id", "s"];
    cli(redis, &[&["HSET", "coord:presence"], &presence[..]].concat());
    cli(redis, &["LPUSH", "coord:notifications:frontend", "{\"event\": \"message_published\"}"]);
    cli(redis, &["SET", "asdlc:coord:lock:main", "backend", "EX", "300"]);
    cli(redis, &["SADD", "asdlc:coord:locks", "main"]);
    cli(redis, &["HSET", "asdlc:coord:status", "backend", "active"]);
    cli(redis, &["SET", "shop:cart:7", "not ours"]);
}

/// Every key that is not Mainstay's, with its content.
fn everything(redis: &RedisServer) -> Vec<String> {
    let script = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
                  if not string.match(key, '^mainstay') then \
                  all[#all + 1] = key .. ' ' .. redis.sha1hex(redis.call('DUMP', key)) .. ' ' .. \
                  tostring(redis.call('TTL', key) > 0) end end table.sort(all) return table.concat(all, '\\n')";
    let value = site::wait_for(redis.cli(&["EVAL", script, "0"])).unwrap();
    let lines: Vec<String> = format!("{value:?}").split("\\n").map(str::to_owned).collect();
    assert!(lines.len() > 5, "{lines:?}");
    lines
}

fn read(site: &Site, id: &str) -> Value {
    site.json(&["mail", "read", id])
}

#[test]
fn messages_of_all_three_namespaces_arrive_and_nothing_there_is_touched() {
    let original = site::redis();
    publish(&original, "msg-00000001", "frontend", &[]);
    let ack = ["acknowledged", "1", "ack_by", "frontend", "ack_timestamp", "2026-01-22T23:05:00Z", "ack_comment", "ok"];
    publish(&original, "msg-00000002", "frontend", &ack);
    publish(&original, "msg-00000003", "all", &["requires_ack", "0"]);
    migrate(&original, "msg-00000004", "migrated");
    // Copied by the migration, and by a later hand; what the client wrote is the truth.
    migrate(&original, "msg-00000001", "a copy that differs");
    cli(&original, &["COPY", "coord:msg:msg-00000003", "asdlc:coord:msg:msg-00000003"]);
    cli(&original, &["COPY", "coord:msg:msg-00000001", "asdlc:coord:msg:msg-00000005"]);
    cli(&original, &["HSET", "asdlc:coord:msg:msg-00000005", "id", "msg-00000005"]);
    surroundings(&original);
    let before = everything(&original);

    let source = format!("coord+{}", original.url());
    for site in Site::each() {
        let dry = site.json(&["import", "coordination", &source, "--dry-run"]);
        let ran = site.run(&["import", "coordination", &source, "--json"]);
        assert_eq!((&dry["created"], &ran.json()["created"], ran.status), (&json!(5), &json!(5), 0), "{ran:?}");
        let again = site.json(&["import", "coordination", &source]);
        assert_eq!((&again["created"], &again["unchanged"]), (&json!(0), &json!(5)));
        assert_eq!(site.run(&["parity", &source, "store"]).status, 0);
        assert_eq!(site.run(&["parity", "store", &source]).status, 0);

        let first = read(&site, "msg-00000001");
        assert_eq!((&first["subject"], &first["body"]), (&json!("s"), &json!("d \u{2713}\nline")), "{first}");
        assert_eq!(first["from"], json!("backend"));
        let second = read(&site, "msg-00000002");
        assert_eq!(second["acknowledged"], json!(true), "{second}");
        assert!(second.to_string().contains("2026-01-22T23:05:00"), "{second}");
        assert_eq!(read(&site, "msg-00000003")["requires_ack"], json!(false));
        let migrated = read(&site, "msg-00000004");
        assert_eq!((&migrated["from"], &migrated["type"]), (&json!("ui"), &json!("READY_FOR_MERGE")), "{migrated}");
    }
    assert_eq!(everything(&original), before);
}

#[test]
fn the_original_and_mainstay_share_one_redis_without_touching_each_other() {
    let site = Site::redis();
    let redis = site.redis.as_ref().unwrap();
    publish(redis, "msg-00000001", "frontend", &[]);
    surroundings(redis);
    let before = everything(redis);
    let source = format!("coord+{}", redis.url());
    assert_eq!(site.json(&["import", "coordination", &source])["created"], json!(1));
    site.run(&["mail", "ack", "msg-00000001", "--as", "frontend"]);
    site.publish("backend", &["GENERAL", "s", "d"]);
    assert_eq!(everything(redis), before);
}

#[test]
fn a_key_that_is_no_message_is_named_and_hides_nothing_else() {
    let original = site::redis();
    publish(&original, "msg-00000001", "frontend", &[]);
    cli(&original, &["SET", "coord:msg:a-string", "x"]);
    cli(&original, &["SADD", "coordmsg:a-set", "x"]);
    cli(&original, &["HSET", "coord:msg:empty", "id", "empty"]);
    publish(&original, "no-time", "frontend", &["timestamp", "yesterday"]);
    publish(&original, "no-flag", "frontend", &["acknowledged", "maybe"]);
    publish(&original, "no-subject", "frontend", &[]);
    cli(&original, &["HDEL", "coord:msg:no-subject", "subject"]);
    publish(&original, "no-flags", "frontend", &[]);
    cli(&original, &["HDEL", "coord:msg:no-flags", "requires_ack", "acknowledged"]);

    let site = Site::sqlite();
    let source = format!("coord+{}", original.url());
    let ran = site.run(&["import", "coordination", &source, "--json"]);
    let report = ran.json();
    let mut failed: Vec<&str> =
        report["failed"].as_array().unwrap().iter().map(|one| one["origin"].as_str().unwrap()).collect();
    failed.sort_unstable();
    let expected = [
        "coord:msg:a-string",
        "coord:msg:empty",
        "coord:msg:no-flag",
        "coord:msg:no-subject",
        "coord:msg:no-time",
        "coordmsg:a-set",
    ];
    assert_eq!(failed, expected);
    assert_eq!((&report["created"], ran.status), (&json!(2), 1));
    // What a message does not say is what the original took for granted.
    let read = read(&site, "no-flags");
    assert_eq!((&read["requires_ack"], &read["acknowledged"]), (&json!(true), &json!(false)), "{read}");
    assert_eq!(site.run(&["parity", &source, "store"]).status, 1);
    assert_eq!(site.run(&["parity", &source, "store", "--ignore-unreadable"]).status, 0);
}
