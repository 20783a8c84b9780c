//! What the scripts print.

use super::Stage;
use super::arguments::Check;
use crate::printer::printable;
use mainstay_api::legacy::LegacyMessage;
use mainstay_api::mail::TYPES;
use std::fmt::Write as _;
use std::path::Path;

const CYAN: &str = "\x1b[0;36m";
const YELLOW: &str = "\x1b[1;33m";
const RED: &str = "\x1b[0;31m";
const GREEN: &str = "\x1b[0;32m";
const BLUE: &str = "\x1b[0;34m";
const PLAIN: &str = "\x1b[0m";

/// The name of another script beside the one that was called.
pub fn sibling(script: &str, name: &str) -> String {
    Path::new(script).with_file_name(name).display().to_string()
}

/// The usage of publish-message.sh.
pub fn publish_usage(script: &str) -> String {
    let mut text = format!(
        "Usage: {script} <type> <subject> <description> [--to <instance>] [--no-ack]\n\n\
         Arguments:\n  type         The message type (see below)\n  subject      Brief subject line\n  \
         description  Detailed message content\n\nOptions:\n  --to <instance>  Target instance\n  \
         --no-ack         Do not require acknowledgment\n  -h, --help       Show this help\n\nMessage Types:\n"
    );
    for kind in TYPES {
        let _ = writeln!(text, "  {kind}");
    }
    text
}

/// The usage of check-messages.sh.
pub fn check_usage(script: &str) -> String {
    format!(
        "Usage: {script} [options]\n\nOptions:\n  --all          Show the messages of every instance\n  \
         --pending      Show only messages pending acknowledgment\n  --from <id>    Show only messages from this \
         instance\n  --type <type>  Show only messages of this type\n  --reviews      Show only review messages\n  \
         --contracts    Show only contract messages\n  --recent       Show only the last 24 hours\n  \
         --week         Show only the last 7 days\n  -h, --help     Show this help\n"
    )
}

/// The usage of ack-message.sh.
pub fn ack_usage(script: &str) -> String {
    format!(
        "Usage: {script} <message-id> [--comment <comment>]\n\nArguments:\n  \
         message-id   The ID of the message to acknowledge (e.g., msg-abc12345)\n\nOptions:\n  \
         --comment <comment>  Add a comment to the acknowledgment\n  -h, --help           Show this help\n\n\
         Example:\n  {script} msg-abc12345\n  {script} msg-abc12345 --comment 'Looks good, proceed'\n"
    )
}

/// What publish-message.sh prints when it has published.
pub fn published(stage: Stage, message: &LegacyMessage) -> String {
    let mut text = format!(
        "Message published:\n  ID: {}\n  Type: {}\n  From: {} -> To: {}\n  Subject: {}\n",
        printable(&message.id),
        message.kind,
        printable(&message.from),
        printable(&message.to),
        printable(&message.payload.subject),
    );
    if stage == Stage::A {
        let time = message.timestamp.trim_end_matches('Z').replace(':', "-");
        let _ = writeln!(text, "  File: {time}-{}-{}.json", printable(&message.from), message.kind.to_lowercase());
    }
    if message.requires_ack {
        text.push_str("  Requires acknowledgment: Yes\n");
    }
    text
}

/// What check-messages.sh prints before the messages.
pub fn check_header(stage: Stage, identity: Option<&str>, check: &Check) -> String {
    let mut text = String::from("\n=== Coordination Messages ===\n");
    match (stage, identity) {
        (Stage::A, Some(me)) => drop(writeln!(text, "Current instance: {}", printable(me))),
        (Stage::A, None) => text.push_str("Note: CLAUDE_INSTANCE_ID not set\n"),
        (Stage::D, Some(me)) => drop(writeln!(text, "Instance: {}", printable(me))),
        (Stage::D, None) => text.push_str("Note: Identity file not found\n"),
    }
    text.push('\n');
    if check.pending {
        let _ = write!(text, "{YELLOW}Messages Pending Acknowledgment:{PLAIN}\n\n");
    }
    text
}

/// What check-messages.sh prints where there is nothing to show.
pub fn check_empty(stage: Stage, check: &Check) -> &'static str {
    match stage {
        _ if check.pending => "  No pending messages.\n",
        Stage::D => "No messages match the filter.\n",
        Stage::A if check.from.is_none() && check.kind.is_none() && check.family.is_none() => {
            "No recent messages found.\n"
        }
        Stage::A => "No messages match the filter criteria.\n",
    }
}

/// One message as check-messages.sh shows it.
pub fn shown(message: &LegacyMessage) -> String {
    let tag = match (message.acknowledged, message.requires_ack) {
        (true, _) => format!("{GREEN}[ACK]{PLAIN}"),
        (false, true) => format!("{YELLOW}[PENDING]{PLAIN}"),
        (false, false) => format!("{CYAN}[INFO]{PLAIN}"),
    };
    let colour = match message.kind.as_str() {
        "CONTRACT_CHANGE_PROPOSED" | "CONTRACT_REVIEW_NEEDED" | "INTERFACE_UPDATE" => YELLOW,
        "BLOCKING_ISSUE" | "REVIEW_FAILED" | "CONTRACT_REJECTED" => RED,
        "READY_FOR_MERGE" | "CONTRACT_PUBLISHED" | "REVIEW_COMPLETE" | "CONTRACT_APPROVED" => GREEN,
        "READY_FOR_REVIEW" | "CONTRACT_FEEDBACK" => CYAN,
        _ => BLUE,
    };
    format!(
        "{tag} {colour}{}{PLAIN}\n  ID: {CYAN}{}{PLAIN}\n  From: {} -> To: {}\n  Time: {}\n  Subject: {}\n  \
         Description: {}\n\n",
        message.kind,
        printable(&message.id),
        printable(&message.from),
        printable(&message.to),
        message.timestamp,
        printable(&message.payload.subject),
        printable(&message.payload.description),
    )
}

/// What check-messages.sh prints after the messages.
pub fn check_footer(stage: Stage, script: &str, count: usize, check: &Check) -> String {
    let ack = sibling(script, "ack-message.sh");
    match stage {
        Stage::A if check.pending => String::new(),
        Stage::A => {
            format!("---\nDisplayed {count} message(s)\n\nTo acknowledge a message:\n  {ack} <message-id>\n")
        }
        Stage::D => format!("---\nDisplayed {count} message(s)\n\nTo acknowledge: {ack} <message-id>\n"),
    }
}

/// What ack-message.sh prints when the message is acknowledged.
pub fn acknowledged(stage: Stage, message: &LegacyMessage, by: &str, at: &str, comment: Option<&str>) -> String {
    let mut text = format!("Message acknowledged:\n  ID: {}\n", printable(&message.id));
    if stage == Stage::A {
        let _ = writeln!(text, "  Type: {}\n  From: {}", message.kind, printable(&message.from));
    }
    let _ = writeln!(text, "  Acknowledged by: {}\n  Time: {at}", printable(by));
    if let Some(comment) = comment {
        let _ = writeln!(text, "  Comment: {}", printable(comment));
    }
    text
}
