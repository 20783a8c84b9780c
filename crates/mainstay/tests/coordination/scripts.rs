//! The scripts with the output of the last stage, byte for byte; what differs from the original differs on purpose.

use crate::site::Site;

const PUBLISH: &str = "publish-message.sh";
const CHECK: &str = "check-messages.sh";
const ACK: &str = "ack-message.sh";

const USAGE_OF_ACK: &str = "Usage: ./scripts/coordination/ack-message.sh <message-id> [--comment <comment>]

Arguments:
  message-id   The ID of the message to acknowledge (e.g., msg-abc12345)

Options:
  --comment <comment>  Add a comment to the acknowledgment
  -h, --help           Show this help

Example:
  ./scripts/coordination/ack-message.sh msg-abc12345
  ./scripts/coordination/ack-message.sh msg-abc12345 --comment 'Looks good, proceed'
";

const FOOTER: &str = "
To acknowledge: ./scripts/coordination/ack-message.sh <message-id>
";

/// A message as check-messages.sh shows it; the tag and the type come with their colours.
fn shown(tag: &str, kind: &str, way: &str, subject: &str, description: &str) -> String {
    format!(
        "{tag} {kind}\n  ID: \x1b[0;36m<id>\x1b[0m\n  From: {way}\n  Time: <time>\n  Subject: {subject}\n  \
         Description: {description}\n\n"
    )
}

const PENDING: &str = "\x1b[1;33m[PENDING]\x1b[0m";
const ACKNOWLEDGED: &str = "\x1b[0;32m[ACK]\x1b[0m";
const INFO: &str = "\x1b[0;36m[INFO]\x1b[0m";
const GENERAL: &str = "\x1b[0;34mGENERAL\x1b[0m";
const READY: &str = "\x1b[0;36mREADY_FOR_REVIEW\x1b[0m";

fn header(me: &str) -> String {
    format!("\n=== Coordination Messages ===\nInstance: {me}\n\n")
}

const PENDING_TITLE: &str = "\x1b[1;33mMessages Pending Acknowledgment:\x1b[0m\n\n";

#[test]
fn a_conversation_reads_as_in_the_transcript() {
    for site in Site::each() {
        let ran = site.script("backend", PUBLISH, &["READY_FOR_REVIEW", "agent/P01-F01", "All parts done"]);
        assert_eq!(
            ran.steady(),
            "Message published:\n  ID: <id>\n  Type: READY_FOR_REVIEW\n  From: backend -> To: orchestrator\n  \
             Subject: agent/P01-F01\n  Requires acknowledgment: Yes\n"
        );
        assert_eq!((ran.stderr.as_str(), ran.status), ("", 0));
        let review = ran.stdout.lines().nth(1).unwrap().trim_start_matches("  ID: ").to_owned();

        // The original published this, and exited with 1.
        let ran = site.script("backend", PUBLISH, &["GENERAL", "status", "hello", "--no-ack"]);
        assert_eq!(
            ran.steady(),
            "Message published:\n  ID: <id>\n  Type: GENERAL\n  From: backend -> To: frontend\n  Subject: status\n"
        );
        assert_eq!((ran.stderr.as_str(), ran.status), ("", 0));
        site.publish("backend", &["GENERAL", "s", "mult\nline $HOME"]);

        let review_shown = shown(PENDING, READY, "backend -> To: orchestrator", "agent/P01-F01", "All parts done");
        let to_frontend = shown(PENDING, GENERAL, "backend -> To: frontend", "s", "mult\nline $HOME")
            + &shown(INFO, GENERAL, "backend -> To: frontend", "status", "hello");
        let ran = site.script("backend", CHECK, &["--all"]);
        let expected = header("backend") + &to_frontend + &review_shown + "---\nDisplayed 3 message(s)\n" + FOOTER;
        assert_eq!((ran.steady(), ran.status), (expected, 0));
        let ran = site.script("frontend", CHECK, &[]);
        let expected = header("frontend") + &to_frontend + "---\nDisplayed 2 message(s)\n" + FOOTER;
        assert_eq!((ran.steady(), ran.status), (expected, 0));
        let ran = site.script("orchestrator", CHECK, &["--pending"]);
        let expected =
            header("orchestrator") + PENDING_TITLE + &review_shown + "---\nDisplayed 1 message(s)\n" + FOOTER;
        assert_eq!((ran.steady(), ran.status), (expected, 0));

        let ran = site.script("orchestrator", ACK, &[&review, "--comment", "Looks good"]);
        let acknowledged = "Message acknowledged:\n  ID: <id>\n  Acknowledged by: orchestrator\n  Time: <time>\n  \
                            Comment: Looks good\n";
        assert_eq!((ran.steady().as_str(), ran.stderr.as_str(), ran.status), (acknowledged, "", 0));
        // The original printed the second caller; the store held the first. What is shown is what stands.
        let again = site.script("backend", ACK, &[&review, "--comment", "again"]);
        assert_eq!((again.stdout, again.status), (ran.stdout, 0));

        let ran = site.script("orchestrator", CHECK, &[]);
        let shown = shown(ACKNOWLEDGED, READY, "backend -> To: orchestrator", "agent/P01-F01", "All parts done");
        let expected = header("orchestrator") + &shown + "---\nDisplayed 1 message(s)\n" + FOOTER;
        assert_eq!((ran.steady(), ran.status), (expected, 0));
    }
}

#[test]
fn an_empty_inbox_is_said_in_the_words_of_the_original() {
    for site in Site::each() {
        let ran = site.script("nobody", CHECK, &["--pending"]);
        let expected = header("nobody") + PENDING_TITLE + "  No pending messages.\n";
        assert_eq!((ran.steady(), ran.status), (expected, 0));
        let ran = site.script("nobody", CHECK, &[]);
        assert_eq!((ran.steady(), ran.status), (header("nobody") + "No messages match the filter.\n", 0));
    }
}

#[test]
fn mistakes_are_told_on_stdout_with_the_usage_and_status_1() {
    let site = Site::sqlite();
    let ran = site.script("backend", ACK, &[]);
    assert_eq!((ran.stdout, ran.status), (format!("Error: Message ID required\n{USAGE_OF_ACK}"), 1));
    let ran = site.script("backend", ACK, &["msg-1", "x"]);
    assert_eq!((ran.stdout, ran.status), (format!("Error: Unexpected argument 'x'\n{USAGE_OF_ACK}"), 1));
    let ran = site.script("backend", ACK, &["--help"]);
    assert_eq!((ran.stdout.as_str(), ran.status), (USAGE_OF_ACK, 0));

    let usage = site.script("backend", PUBLISH, &["-h"]);
    assert_eq!((usage.stderr.as_str(), usage.status), ("", 0));
    let first = "Usage: ./scripts/coordination/publish-message.sh <type> <subject> <description> [--to <instance>] \
                 [--no-ack]\n\nArguments:\n";
    assert!(usage.stdout.starts_with(first), "{usage:?}");
    assert!(usage.stdout.contains("\n\nMessage Types:\n  "), "{usage:?}");
    assert!(usage.stdout.lines().any(|line| line == "  BLOCKING_ISSUE"), "{usage:?}");
    for (arguments, error) in [
        (&["GENERAL", "s"][..], "Error: Missing required arguments\n"),
        (&["GENERAL", "s", "d", "e"], "Error: Too many arguments\n"),
    ] {
        let ran = site.script("backend", PUBLISH, arguments);
        assert_eq!((ran.stdout, ran.status), (format!("{error}{}", usage.stdout), 1));
        assert_eq!(ran.stderr, "");
    }

    let usage = site.script("backend", CHECK, &["--help"]);
    assert_eq!(usage.status, 0);
    let ran = site.script("backend", CHECK, &["--nope"]);
    assert_eq!((ran.stdout, ran.status), (format!("Unknown option: --nope\n{}", usage.stdout), 1));
}

#[test]
fn options_of_the_binary_are_no_options_of_the_scripts() {
    let site = Site::sqlite();
    for option in ["--json", "--version", "--store"] {
        let ran = site.script("backend", CHECK, &[option]);
        assert!(ran.stdout.starts_with(&format!("Unknown option: {option}\n")), "{ran:?}");
        assert_eq!(ran.status, 1);
    }
    let ran = site.script("backend", PUBLISH, &["--json", "GENERAL", "s", "d"]);
    assert!(ran.stdout.starts_with("Error: Too many arguments\n"), "{ran:?}");
}

#[test]
fn what_is_not_there_is_said_and_not_swallowed() {
    for site in Site::each() {
        let ran = site.script("backend", ACK, &["msg-nope"]);
        let expected = "Error: Message 'msg-nope' not found\n\nUse './scripts/coordination/check-messages.sh \
                        --pending' to see pending messages\n";
        assert_eq!((ran.stdout.as_str(), ran.status), (expected, 1));

        let bad = site.script("backend", PUBLISH, &["BAD", "s", "d"]);
        let mut lines = bad.stdout.lines();
        assert_eq!((lines.next(), bad.status), (Some("Error: Invalid message type 'BAD'"), 1));
        let types = lines.next().unwrap().strip_prefix("Valid types: ").unwrap();
        let types: Vec<&str> = types.split(' ').collect();
        for kind in ["READY_FOR_REVIEW", "NOTIFICATION", "SWARM_FAILED", "CONTRACT_CHANGE_ACK", "BUILD_FIXED"] {
            assert!(types.contains(&kind), "{kind} in {types:?}");
        }
        assert_eq!(lines.next(), None);
        // The original ended here without a word.
        let ran = site.script("backend", CHECK, &["--type", "NOPE"]);
        assert_eq!(ran.stdout, bad.stdout.replace("BAD", "NOPE"));
        assert_eq!(ran.status, 1);
    }
}

#[test]
fn text_is_data_whatever_a_shell_would_make_of_it() {
    for site in Site::each() {
        let subject = "quo\"te 'single' $HOME `touch hacked` $(touch hacked) \\n %s";
        let description = "one\ntwo \"three\"\n`touch hacked`; touch hacked\n\"\"\"\n✓ \u{1f680} \\u2713";
        let id = site.publish("backend", &["BUILD_BROKEN", subject, description, "--to", "frontend"]);
        let ran = site.script("frontend", CHECK, &["--from", "backend", "--type", "BUILD_BROKEN"]);
        let kind = "\x1b[0;34mBUILD_BROKEN\x1b[0m";
        let shown = shown(PENDING, kind, "backend -> To: frontend", subject, description);
        assert_eq!(ran.steady(), header("frontend") + &shown + "---\nDisplayed 1 message(s)\n" + FOOTER);
        let comment = "it's \"fine\" `touch hacked` $HOME";
        let ran = site.script("frontend", ACK, &[&id, "--comment", comment]);
        assert!(ran.stdout.ends_with(&format!("\n  Comment: {comment}\n")), "{ran:?}");
        assert!(!site.path("hacked").exists());
    }
}

#[test]
fn a_broadcast_is_shown_to_everyone_and_acknowledged_by_each_alone() {
    for site in Site::each() {
        let id = site.publish("backend", &["STATUS_UPDATE", "bc", "to everyone", "--to", "all"]);
        let kind = "\x1b[0;34mSTATUS_UPDATE\x1b[0m";
        let pending = shown(PENDING, kind, "backend -> To: all", "bc", "to everyone");
        for me in ["frontend", "orchestrator"] {
            let ran = site.script(me, CHECK, &[]);
            assert_eq!(ran.steady(), header(me) + &pending + "---\nDisplayed 1 message(s)\n" + FOOTER);
        }
        assert_eq!(site.script("frontend", ACK, &[&id]).status, 0);
        let ran = site.script("frontend", CHECK, &["--pending"]);
        assert_eq!(ran.steady(), header("frontend") + PENDING_TITLE + "  No pending messages.\n");
        let ran = site.script("orchestrator", CHECK, &["--pending"]);
        let expected = header("orchestrator") + PENDING_TITLE + &pending + "---\nDisplayed 1 message(s)\n" + FOOTER;
        assert_eq!(ran.steady(), expected);
    }
}

#[test]
fn the_usual_targets_are_those_of_the_original() {
    let site = Site::sqlite();
    for (me, kind, to) in [
        ("backend", "GENERAL", "frontend"),
        ("frontend", "GENERAL", "backend"),
        ("devops", "GENERAL", "all"),
        ("frontend", "META_CHANGE_REQUEST", "orchestrator"),
        ("devops", "CONTRACT_CHANGE_PROPOSED", "orchestrator"),
    ] {
        let ran = site.script(me, PUBLISH, &[kind, "s", "d"]);
        assert!(ran.stdout.contains(&format!("\n  From: {me} -> To: {to}\n")), "{ran:?}");
    }
}

#[test]
fn nobody_publishes_as_unknown_with_a_warning_and_the_identity_file_gives_a_name() {
    let site = Site::sqlite();
    let ran = site.script("", PUBLISH, &["GENERAL", "s", "d", "--to", "backend"]);
    assert_eq!(
        ran.steady(),
        "Warning: Identity file not found at .claude/instance-identity.json\nMessage published:\n  ID: <id>\n  Type: \
         GENERAL\n  From: unknown -> To: backend\n  Subject: s\n  Requires acknowledgment: Yes\n"
    );
    assert_eq!(ran.status, 0);
    let ran = site.script("", CHECK, &[]);
    assert!(ran.stdout.starts_with("\n=== Coordination Messages ===\nNote: Identity file not found\n\n"), "{ran:?}");

    std::fs::create_dir(site.path(".claude")).unwrap();
    let identity = r#"{"instance_id": "backend", "branch_prefix": "agent/", "can_merge": false}"#;
    std::fs::write(site.path(".claude/instance-identity.json"), identity).unwrap();
    let ran = site.script("", CHECK, &[]);
    assert!(ran.stdout.starts_with("\n=== Coordination Messages ===\nInstance: backend\n\n"), "{ran:?}");
}

#[test]
fn without_its_redis_every_script_says_so_and_fails() {
    let site = Site::redis();
    site.redis.as_ref().unwrap().kill();
    let calls: [(&str, &[&str]); 3] = [(PUBLISH, &["GENERAL", "a", "b"]), (CHECK, &[]), (ACK, &["msg-00000001"])];
    for (script, arguments) in calls {
        let ran = site.script("orchestrator", script, arguments);
        assert_eq!(ran.stderr, "Error: Redis not available. Ensure Redis is running.\n", "{script}");
        assert_eq!((ran.stdout.as_str(), ran.status), ("", 1), "{script}");
    }
}
