//! The defects of the coordination system that Mainstay replaces, each as the promise that takes its place, tried where
//! users meet it. Promises that are proven elsewhere are named here with the test that proves them:
//!
//! - 2, broadcasts that nobody saw and one cleared for all: `coordination::scripts::
//!   a_broadcast_is_shown_to_everyone_and_acknowledged_by_each_alone`; by MCP in `crates/server/tests/it/mcp_legacy.rs`.
//! - 3, exit status 1 on success: `coordination::scripts::a_conversation_reads_as_in_the_transcript`.
//! - 4, swallowed errors: `coordination::scripts::what_is_not_there_is_said_and_not_swallowed`.
//! - 5, text that was run: `coordination::scripts::text_is_data_whatever_a_shell_would_make_of_it`.
//! - 6, a limit that deleted the rest, a heartbeat that did not activate: `notifications_beyond_the_limit_are_kept_…`
//!   and `presence_is_answered_…_and_a_heartbeat_activates` in `crates/server/tests/it/mcp_legacy.rs`.
//! - 10, tools that speak for anybody: `a_sender_without_an_identity_is_refused_…` in `crates/server/tests/it/
//!   mcp_legacy.rs`. What the command line does without a name is below.
//! - 8, indexes that outlived their messages: `a_purge_deletes_what_has_expired_with_everything_that_belongs_to_it` of
//!   the conformance suite, on every store. Its other half, eviction, is below.
//!
//! The defects of the realtime system are in `process/realtime_defects.rs`.

mod common;
#[expect(dead_code, reason = "this file uses a part of what the tests of the scripts use")]
#[path = "coordination/legacy_folder.rs"]
mod legacy_folder;
#[expect(dead_code, reason = "this file uses a part of what the tests of the scripts use")]
#[path = "coordination/site.rs"]
mod site;

use common::{Running, Sandbox};
use legacy_folder::LegacyFolder;
use mainstay_testkit::fixtures::{ClientCertificates, RedisServerOptions};
use serde_json::{Value, json};
use site::{Ran, Site};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Callers at the same moment.
const CALLERS: usize = 8;

fn start(site: &Site, arguments: &[&str]) -> Running {
    let mut command = site.command(arguments);
    Running::from(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

#[test]
fn defect_1_an_agent_that_waits_in_another_process_is_told_of_what_is_published() {
    for site in Site::each() {
        let waiting = start(&site, &["mail", "wait", "--as", "frontend", "--timeout", "60s", "--json"]);
        let id = site.publish("backend", &["GENERAL", "s", "d"]);
        let ran = Ran::of(waiting.finish());
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(ran.stdout.contains(&id), "{ran:?}");
    }
}

#[test]
fn defect_7_one_of_many_that_send_the_same_id_at_once_wins_and_the_first_acknowledgement_stands_for_all() {
    for site in Site::each() {
        let callers: Vec<String> = (0..CALLERS).map(|number| format!("caller-{number}")).collect();
        let send = |me: &String| start(&site, &["mail", "send", "everybody", "s", "--id", "same", "--as", me.as_str()]);
        let sent: Vec<Running> = callers.iter().map(send).collect();
        let sent: Vec<Ran> = sent.into_iter().map(|running| Ran::of(running.finish())).collect();
        assert_eq!(sent.iter().filter(|ran| ran.status == 0).count(), 1, "{sent:?}");

        let acknowledge = |me: &String| {
            let mut command = site.script_command(me, "ack-message.sh", &["same", "--comment", me.as_str()]);
            Running::from(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        };
        let shown: Vec<Running> = callers.iter().map(acknowledge).collect();
        let shown: BTreeSet<String> = shown.into_iter().map(|running| Ran::of(running.finish()).stdout).collect();
        assert_eq!(shown.len(), 1, "everybody was shown the acknowledgement that stands: {shown:?}");
        assert!(shown.first().unwrap().contains("  Comment: caller-"), "{shown:?}");
    }
}

#[test]
fn defect_8_a_redis_that_may_evict_messages_is_said_loudly() {
    let redis = site::wait_for(RedisServerOptions::new().maxmemory_policy("allkeys-lru").start()).unwrap();
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("serve --listen 127.0.0.1:0 --log off");
    command.env("MAINSTAY_STORE", redis.url()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = Running::from(command.spawn().unwrap());
    let mut lines = BufReader::new(server.child().stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("warning") && line.contains("allkeys-lru")));
}

#[test]
fn defect_9_the_oldest_of_many_messages_is_found_by_its_sender() {
    for site in Site::each() {
        let mut folder = LegacyFolder::empty(site.path("legacy"));
        let message = |number: usize, from: &str| {
            let time = format!("2026-01-22T{:02}:{:02}:{:02}Z", number / 3_600, number / 60 % 60, number % 60);
            legacy_folder::message(&format!("msg-{number:08x}"), "GENERAL", [from, "frontend"], &time)
        };
        folder.add("oldest.json", &message(0, "rare"));
        for number in 1..=2_500 {
            folder.add(&format!("{number}.json"), &message(number, "frequent"));
        }
        let report = site.json(&["import", "coordination", folder.path.to_str().unwrap()]);
        assert_eq!(report["created"], json!(2_501));
        let ran = site.script("orchestrator", "check-messages.sh", &["--all", "--from", "rare"]);
        assert!(ran.stdout.contains("msg-00000000") && ran.stdout.contains("Displayed 1 message(s)"), "{ran:?}");
        let ran = site.script("orchestrator", "check-messages.sh", &["--all"]);
        assert!(ran.stdout.contains("Displayed 100 message(s)"), "the newest, as many as the original showed");
        assert_eq!(site.json(&["mail", "stats"])["total_messages"], json!(2_501));
    }
}

#[test]
fn defect_10_mail_without_a_name_is_sent_as_the_user_of_the_system_and_never_as_unknown() {
    for site in Site::each() {
        let sent = site.json(&["mail", "send", "frontend", "s"]);
        assert_eq!(sent["message"]["from"], json!("somebody"), "{sent}");
    }
}

#[test]
fn defect_11_everything_in_redis_stands_under_one_prefix() {
    let site = Site::redis();
    let id = site.publish("backend", &["GENERAL", "s", "d"]);
    site.publish("backend", &["GENERAL", "s", "d", "--to", "all"]);
    site.script("frontend", "ack-message.sh", &[&id]);
    site.run(&["agent", "register", "--as", "backend"]);
    let script = "local count = 0 for _, key in ipairs(redis.call('KEYS', '*')) do \
                  if string.sub(key, 1, 8) ~= 'mainstay' then return key end count = count + 1 end return count > 3";
    let answer = site::wait_for(site.redis.as_ref().unwrap().cli(&["EVAL", script, "0"])).unwrap();
    assert_eq!(format!("{answer:?}"), "int(1)", "a key outside of the prefix, or hardly any");
}

#[test]
fn defect_12_the_scripts_speak_to_a_redis_with_a_password_and_tls() {
    let options = RedisServerOptions::new().password("p@ss/word").tls(ClientCertificates::Ignored);
    let redis = site::wait_for(options.start()).unwrap();
    let ca_file = redis.tls_files().unwrap().ca_path().to_owned();
    let site = Site { redis: Some(redis), ..Site::sqlite() };
    let mut command = site.script_command("backend", "publish-message.sh", &["GENERAL", "s", "d"]);
    let ran = Ran::of(command.env("MAINSTAY_REDIS_CA_FILE", &ca_file).output().unwrap());
    assert_eq!(ran.status, 0, "{ran:?}");
    // A wrong password and an unknown certificate are failures, and tell no secret.
    let ran = site.script("backend", "check-messages.sh", &[]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(!format!("{ran:?}").contains("p@ss"), "{ran:?}");
}

#[test]
fn defect_13_who_follows_an_inbox_hears_of_mail_after_redis_was_away() {
    let redis = site::wait_for(RedisServerOptions::new().aof().start()).unwrap();
    let site = Site { redis: Some(redis), ..Site::sqlite() };
    let redis = site.redis.as_ref().unwrap();
    let mut watching = start(&site, &["mail", "watch", "--as", "frontend", "--json"]);
    let mut lines = BufReader::new(watching.child().stdout.take().unwrap()).lines().map_while(Result::ok);
    let before = site.publish("backend", &["GENERAL", "s", "d"]);
    assert!(lines.next().unwrap().contains(&before));
    redis.kill();
    site::wait_for(redis.restart()).unwrap();
    let after = site.publish("backend", &["GENERAL", "s", "d"]);
    assert!(lines.next().unwrap().contains(&after));
}

#[test]
fn defect_14_messages_are_counted_by_type() {
    for site in Site::each() {
        for kind in ["GENERAL", "GENERAL", "BUILD_BROKEN"] {
            site.publish("backend", &[kind, "s", "d"]);
        }
        let stats = site.json(&["mail", "stats"]);
        assert_eq!(stats["messages_by_type"], json!({"GENERAL": 2, "BUILD_BROKEN": 1}));
    }
}

#[test]
fn defect_15_files_of_one_second_do_not_collide_and_hold_valid_json_whatever_the_text() {
    let site = Site::sqlite();
    let mut folder = LegacyFolder::empty(site.path("legacy"));
    let text = "raw\nnewline, \"quotes\" \\ and \u{0}\u{1f}\t\u{1f680}";
    for number in 0..50 {
        let id = format!("msg-{number:08x}");
        let message = legacy_folder::message(&id, "GENERAL", ["backend", "frontend"], "2026-01-22T23:01:25Z");
        let payload = json!({"payload": {"subject": format!("s {text}"), "description": text}});
        folder.add(&format!("{number}.json"), &legacy_folder::with(&message, &payload));
    }
    site.run(&["import", "coordination", folder.path.to_str().unwrap()]);
    let out = site.path("out");
    site.run(&["export", "coordination", out.to_str().unwrap()]);
    let read = legacy_folder::read(&out);
    assert_eq!(read.len(), 50);
    let same = |(id, message): (&String, &Value)| assert_eq!(read.get(id), Some(message));
    folder.messages.iter().for_each(same);
}
