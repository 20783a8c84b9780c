//! Entries as events of the Open Cybersecurity Schema Framework, version 1.1 (<https://schema.ocsf.io/1.1.0>):
//! Authentication (3002) for logins, API Activity (6003) for the rest.

use super::hash::Hash;
use mainstay_api::audit::{AuditClass, AuditEntry, AuditOutcome};
use serde_json::{Value, json};

/// The version of the schema.
const VERSION: &str = "1.1.0";

/// The event for an entry.
pub(super) fn event(entry: &AuditEntry, hash: Hash) -> Value {
    let login = entry.class == AuditClass::Login;
    let (category, class) = if login { (3, 3_002) } else { (6, 6_003) };
    let activity = activity(entry.class);
    let (status, status_text) = status(entry.outcome);
    let (severity, severity_text) = severity(entry);
    let user = user(entry);
    let mut event = json!({
        "category_uid": category,
        "category_name": if login { "Identity & Access Management" } else { "Application Activity" },
        "class_uid": class,
        "class_name": if login { "Authentication" } else { "API Activity" },
        "activity_id": activity,
        "type_uid": class * 100 + activity,
        "time": entry.at.as_millis(),
        "severity_id": severity,
        "severity": severity_text,
        "status_id": status,
        "status": status_text,
        "metadata": {
            "version": VERSION,
            "product": { "name": "Mainstay", "vendor_name": "Mainstay" },
            "uid": format!("{}#{}", entry.chain, entry.seq),
            "log_name": entry.chain.to_string(),
            "sequence": entry.seq,
        },
        "api": { "operation": entry.action, "request": { "uid": entry.request_id.as_deref().unwrap_or("") } },
        "actor": { "user": user },
        "src_endpoint": endpoint(entry.from.as_deref()),
        "unmapped": { "hash": hash.to_string(), "prev": entry.prev, "class": entry.class, "outcome": entry.outcome },
    });
    if login {
        event["user"] = user;
        event["service"] = json!({ "name": "Mainstay" });
    }
    if let Some(resource) = &entry.resource {
        event["resources"] = json!([{ "type": resource.kind, "uid": resource.id.as_deref().unwrap_or("*") }]);
    }
    if let Some(correlation_id) = &entry.correlation_id {
        event["metadata"]["correlation_uid"] = json!(correlation_id);
    }
    if let Some(of) = entry.of {
        event["unmapped"]["of"] = json!(of);
    }
    if let Some(reason) = &entry.reason {
        event["message"] = json!(reason);
    }
    if let Some(code) = &entry.code {
        event["status_code"] = json!(code);
    }
    event
}

/// For logins: 1 is a logon. For the rest: 1 create, 2 read, 3 update, 4 delete, 99 other.
fn activity(class: AuditClass) -> i64 {
    match class {
        AuditClass::Login => 1,
        AuditClass::Read | AuditClass::Export | AuditClass::BreakGlass => 2,
        AuditClass::Write | AuditClass::Privilege => 3,
        AuditClass::Delete => 4,
        AuditClass::Access | AuditClass::System => 99,
    }
}

fn status(outcome: AuditOutcome) -> (i64, &'static str) {
    match outcome {
        AuditOutcome::Success => (1, "Success"),
        AuditOutcome::Refused | AuditOutcome::Failed => (2, "Failure"),
        AuditOutcome::Started => (99, "Started"),
    }
}

fn severity(entry: &AuditEntry) -> (i64, &'static str) {
    match (entry.class, entry.outcome) {
        (AuditClass::BreakGlass, _) => (3, "Medium"),
        (_, AuditOutcome::Refused | AuditOutcome::Failed) => (2, "Low"),
        _ => (1, "Informational"),
    }
}

/// Where the call came from: an address, or a name where there is none.
fn endpoint(from: Option<&str>) -> Value {
    match from {
        Some(from) if from.parse::<std::net::IpAddr>().is_ok() => json!({ "ip": from }),
        from => json!({ "name": from.unwrap_or("unknown") }),
    }
}

fn user(entry: &AuditEntry) -> Value {
    let mut user = json!({ "uid": entry.principal });
    if let Some(subject) = &entry.subject {
        user["uid_alt"] = json!(subject.user);
        user["domain"] = json!(format!("{}:{}", subject.realm, subject.tenant));
    }
    user
}
