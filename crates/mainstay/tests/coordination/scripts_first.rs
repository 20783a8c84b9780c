//! The scripts with the rules and the output of the first stage, on files.

use crate::site::{Ran, Site};

const PUBLISH: &str = "publish-message.sh";
const CHECK: &str = "check-messages.sh";
const ACK: &str = "ack-message.sh";

const FOOTER: &str = "---\nDisplayed 1 message(s)\n\nTo acknowledge a message:\n  \
                      ./scripts/coordination/ack-message.sh <message-id>\n";

fn header(me: &str) -> String {
    format!("\n=== Coordination Messages ===\nCurrent instance: {me}\n\n")
}

fn id_of(ran: &Ran) -> String {
    ran.stdout.lines().find_map(|line| line.strip_prefix("  ID: ")).unwrap().to_owned()
}

#[test]
fn a_publication_names_its_file() {
    for site in Site::each() {
        let ran = site.first("backend", PUBLISH, &["READY_FOR_REVIEW", "agent/P01-F01", "Done"]);
        assert_eq!(
            ran.steady(),
            "Message published:\n  ID: <id>\n  Type: READY_FOR_REVIEW\n  From: backend -> To: orchestrator\n  \
             Subject: agent/P01-F01\n  File: <file-time>-backend-ready_for_review.json\n  Requires acknowledgment: \
             Yes\n"
        );
        assert_eq!(ran.status, 0);
        let ran = site.first("backend", PUBLISH, &["GENERAL", "s", "d", "--no-ack"]);
        assert_eq!(
            ran.steady(),
            "Message published:\n  ID: <id>\n  Type: GENERAL\n  From: backend -> To: frontend\n  Subject: s\n  File: \
             <file-time>-backend-general.json\n"
        );
        assert_eq!(ran.status, 0);
    }
}

#[test]
fn warnings_come_before_what_is_published_all_the_same() {
    let site = Site::sqlite();
    let ran = site.first("orchestrator", PUBLISH, &["REVIEW_FAILED", "s", "d"]);
    assert!(ran.stdout.starts_with("Warning: Response messages should specify --to <instance>\nMessage"), "{ran:?}");
    let ran = site.first("orchestrator", PUBLISH, &["CONTRACT_APPROVED", "s", "d"]);
    let warning = "Warning: Contract orchestration messages should specify --to <instance>\nMessage";
    assert!(ran.stdout.starts_with(warning), "{ran:?}");
    let ran = site.first("orchestrator", PUBLISH, &["CONTRACT_APPROVED", "s", "d", "--to", "backend"]);
    assert!(ran.stdout.starts_with("Message published:\n"), "{ran:?}");
    let ran = site.first("", PUBLISH, &["GENERAL", "s", "d"]);
    let warning =
        "Warning: CLAUDE_INSTANCE_ID not set. Run 'source scripts/cli-identity.sh <ui|agent>' first.\nMessage";
    assert!(ran.stdout.starts_with(warning), "{ran:?}");
}

#[test]
fn a_check_shows_what_waits_for_me_and_with_pending_what_waits_for_anyone() {
    for site in Site::each() {
        let published = site.first("backend", PUBLISH, &["BLOCKING_ISSUE", "s", "d", "--to", "frontend"]);
        let id = id_of(&published);
        let shown = "\x1b[1;33m[PENDING]\x1b[0m \x1b[0;31mBLOCKING_ISSUE\x1b[0m\n  ID: \x1b[0;36m<id>\x1b[0m\n  \
                     From: backend -> To: frontend\n  Time: <time>\n  Subject: s\n  Description: d\n\n";
        let ran = site.first("frontend", CHECK, &[]);
        assert_eq!((ran.steady(), ran.status), (header("frontend") + shown + FOOTER, 0));
        let ran = site.first("devops", CHECK, &[]);
        assert_eq!((ran.steady(), ran.status), (header("devops") + "No recent messages found.\n", 0));
        let ran = site.first("devops", CHECK, &["--pending"]);
        let title = "\x1b[1;33mMessages Pending Acknowledgment:\x1b[0m\n\n";
        assert_eq!((ran.steady(), ran.status), (header("devops") + title + shown, 0));
        let ran = site.first("frontend", CHECK, &["--reviews"]);
        assert_eq!(ran.steady(), header("frontend") + "No messages match the filter criteria.\n");
        let ran = site.first("", CHECK, &["--contracts"]);
        assert!(
            ran.stdout.starts_with("\n=== Coordination Messages ===\nNote: CLAUDE_INSTANCE_ID not set\n\n"),
            "{ran:?}"
        );

        let ran = site.first("frontend", ACK, &[&id, "--comment", "ok"]);
        assert_eq!(
            ran.steady(),
            "Message acknowledged:\n  ID: <id>\n  Type: BLOCKING_ISSUE\n  From: backend\n  Acknowledged by: \
             frontend\n  Time: <time>\n  Comment: ok\n"
        );
        let ran = site.first("frontend", CHECK, &[]);
        assert_eq!(ran.steady(), header("frontend") + "No recent messages found.\n");
        let ran = site.first("devops", CHECK, &["--pending"]);
        assert_eq!(ran.steady(), header("devops") + title + "  No pending messages.\n");
    }
}

#[test]
fn an_acknowledged_proposal_is_answered_to_its_sender() {
    for site in Site::each() {
        let arguments = ["CONTRACT_CHANGE_PROPOSED", "hitl_api", "More figures", "--to", "frontend"];
        let id = id_of(&site.first("backend", PUBLISH, &arguments));
        let ran = site.first("frontend", ACK, &[&id, "--comment", "ok"]);
        assert_eq!(
            ran.steady(),
            "Message acknowledged:\n  ID: <id>\n  Type: CONTRACT_CHANGE_PROPOSED\n  From: backend\n  Acknowledged \
             by: frontend\n  Time: <time>\n  Comment: ok\n\nPublishing acknowledgment message...\nMessage \
             published:\n  ID: <id>\n  Type: CONTRACT_CHANGE_ACK\n  From: frontend -> To: backend\n  Subject: \
             hitl_api\n  File: <file-time>-frontend-contract_change_ack.json\n"
        );
        let ran = site.first("backend", CHECK, &["--type", "CONTRACT_CHANGE_ACK"]);
        assert!(ran.stdout.contains("\n  Description: Acknowledged: ok\n"), "{ran:?}");
    }
}

#[test]
fn a_message_that_needs_no_acknowledgement_is_acknowledged_with_a_note() {
    let site = Site::sqlite();
    let id = id_of(&site.first("backend", PUBLISH, &["GENERAL", "s", "d", "--no-ack"]));
    let ran = site.first("frontend", ACK, &[&id]);
    let expected = "Note: This message does not require acknowledgment\nMessage acknowledged:\n  ID: <id>\n  Type: \
                    GENERAL\n  From: backend\n  Acknowledged by: frontend\n  Time: <time>\n";
    assert_eq!((ran.steady().as_str(), ran.status), (expected, 0));
}
