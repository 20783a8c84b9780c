//! Entries as FHIR R4 `AuditEvent` resources (<https://hl7.org/fhir/R4/auditevent.html>).

use super::hash::Hash;
use mainstay_api::audit::{AuditClass, AuditEntry, AuditOutcome};
use serde_json::{Value, json};

/// The code system of the kinds of events that FHIR itself defines.
const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
/// The code system of DICOM, from which FHIR takes the others.
const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// The code system of the kinds of things that are acted on.
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
/// Where identifiers of this installation stand.
const SYSTEM: &str = "urn:mainstay";

/// The resource for an entry.
pub(super) fn event(entry: &AuditEntry, hash: Hash) -> Value {
    let (system, code, display) = kind(entry.class);
    let mut event = json!({
        "resourceType": "AuditEvent",
        "meta": { "tag": [{ "system": format!("{SYSTEM}:audit-hash"), "code": hash.to_string() }] },
        "type": { "system": system, "code": code, "display": display },
        "subtype": [{ "system": format!("{SYSTEM}:action"), "code": entry.action }],
        "action": action(entry.class),
        "recorded": entry.at.to_string(),
        "outcome": outcome(entry.outcome),
        "agent": [agent(entry)],
        "source": {
            "site": entry.namespace.as_ref().map_or("server", |namespace| namespace.as_str()),
            "observer": { "identifier": { "system": SYSTEM, "value": entry.chain.to_string() } },
            "type": [{
                "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                "code": "4", "display": "Application Server",
            }],
        },
        "entity": entities(entry),
    });
    if entry.class == AuditClass::BreakGlass {
        let subtype = json!({ "system": DICOM, "code": "110127", "display": "Emergency Override Started" });
        event["subtype"].as_array_mut().into_iter().for_each(|subtypes| subtypes.push(subtype.clone()));
    }
    if let Some(code) = &entry.code {
        event["outcomeDesc"] = json!(code);
    }
    if let Some(reason) = &entry.reason {
        event["purposeOfEvent"] = json!([{ "text": reason }]);
    }
    event
}

fn kind(class: AuditClass) -> (&'static str, &'static str, &'static str) {
    match class {
        AuditClass::Read | AuditClass::Write | AuditClass::Delete => (EVENT_TYPE, "rest", "RESTful Operation"),
        AuditClass::Export => (DICOM, "110106", "Export"),
        AuditClass::Login => (DICOM, "110114", "User Authentication"),
        AuditClass::Access | AuditClass::Privilege | AuditClass::BreakGlass => (DICOM, "110113", "Security Alert"),
        AuditClass::System => (DICOM, "110100", "Application Activity"),
    }
}

/// Create, read, update, delete or execute. Whether a write made or changed something, the action says.
fn action(class: AuditClass) -> &'static str {
    match class {
        AuditClass::Read | AuditClass::Export | AuditClass::BreakGlass => "R",
        AuditClass::Write | AuditClass::Privilege => "U",
        AuditClass::Delete => "D",
        AuditClass::Login | AuditClass::Access | AuditClass::System => "E",
    }
}

/// 0 is a success, 4 a minor failure (who asked may mend it), 8 a serious one.
fn outcome(outcome: AuditOutcome) -> &'static str {
    match outcome {
        AuditOutcome::Started | AuditOutcome::Success => "0",
        AuditOutcome::Refused => "4",
        AuditOutcome::Failed => "8",
    }
}

fn agent(entry: &AuditEntry) -> Value {
    let mut agent = json!({
        "who": { "identifier": { "system": format!("{SYSTEM}:principal"), "value": entry.principal } },
        "requestor": entry.class != AuditClass::System,
    });
    if let Some(subject) = &entry.subject {
        agent["altId"] = json!(format!("{}:{}:{}", subject.realm, subject.tenant, subject.user));
    }
    if let Some(from) = &entry.from {
        // 1 is the name of a machine, 2 an IP address.
        let kind = if from.parse::<std::net::IpAddr>().is_ok() { "2" } else { "1" };
        agent["network"] = json!({ "address": from, "type": kind });
    }
    agent
}

fn entities(entry: &AuditEntry) -> Vec<Value> {
    let mut entities = Vec::new();
    if let Some(resource) = &entry.resource {
        let value = resource.id.as_deref().unwrap_or("*");
        entities.push(json!({
            "what": { "identifier": { "system": format!("{SYSTEM}:{}", resource.kind), "value": value } },
            "type": { "system": ENTITY_TYPE, "code": "2", "display": "System Object" },
        }));
    }
    let mut details = vec![json!({ "type": "seq", "valueString": entry.seq.to_string() })];
    let texts = [("request_id", &entry.request_id), ("correlation_id", &entry.correlation_id)];
    details.extend(
        texts.into_iter().filter_map(|(name, value)| Some(json!({ "type": name, "valueString": value.as_ref()? }))),
    );
    if let Some(of) = entry.of {
        details.push(json!({ "type": "of", "valueString": of.to_string() }));
    }
    entities.push(json!({
        "what": { "identifier": { "system": format!("{SYSTEM}:audit-entry"), "value": format!("{}#{}", entry.chain, entry.seq) } },
        "detail": details,
    }));
    entities
}
