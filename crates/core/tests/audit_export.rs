//! The forms in which the trail is taken out: what the standards require is there.

use futures::TryStreamExt;
use mainstay_core::api::Code;
use mainstay_core::api::audit::{AuditClass, AuditFormat, AuditOutcome, AuditResource, ExportAudit};
use mainstay_core::audit::{AuditRules, AuditService, Record};
use mainstay_core::{Caller, FakeClock, RandomMint, Scope, Scopes};
use mainstay_testkit::model;
use serde_json::Value;
use std::sync::Arc;

const NOW_MS: i64 = 1_763_673_827_000;

/// One entry of every class, in the chain of the default namespace.
async fn desk() -> AuditService {
    let stores = model::stores();
    let audit =
        AuditService::new(stores.audit, Arc::new(FakeClock::at(NOW_MS)), Arc::new(RandomMint), AuditRules::default());
    for class in AuditClass::ALL {
        let outcome = if class == AuditClass::Access { AuditOutcome::Refused } else { AuditOutcome::Success };
        let record = Record {
            outcome,
            code: (outcome == AuditOutcome::Refused).then_some(Code::Forbidden),
            resource: Some(AuditResource { kind: "conversation".into(), id: Some("c1".into()) }),
            from: Some(if class == AuditClass::System { "this process".into() } else { "192.0.2.7".into() }),
            request_id: Some("req-1".into()),
            reason: (class == AuditClass::BreakGlass).then(|| "emergency".into()),
            ..Record::of(&Caller::owner(), format!("test.{}", class.as_str()), class)
        };
        audit.record(record).await.unwrap();
    }
    audit
}

async fn lines(audit: &AuditService, export: ExportAudit) -> Vec<Value> {
    let pieces = audit.export(&Caller::owner(), export).await.unwrap();
    let text: String = pieces.try_collect().await.unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn of(format: AuditFormat) -> Vec<Value> {
    lines(&desk().await, ExportAudit { format: Some(format), ..Default::default() }).await
}

#[tokio::test]
async fn a_fhir_audit_event_has_what_r4_requires() {
    let events = of(AuditFormat::Fhir).await;
    assert_eq!(events.len(), AuditClass::ALL.len());
    for event in &events {
        assert_eq!(event["resourceType"], "AuditEvent");
        assert!(event["type"]["system"].is_string() && event["type"]["code"].is_string(), "{event}");
        assert!("CRUDE".contains(event["action"].as_str().unwrap()), "{event}");
        assert!(["0", "4", "8", "12"].contains(&event["outcome"].as_str().unwrap()), "{event}");
        assert_eq!(event["recorded"], "2025-11-20T21:23:47.000Z");
        assert!(event["agent"][0]["requestor"].is_boolean(), "{event}");
        assert_eq!(event["agent"][0]["who"]["identifier"]["value"], "owner");
        assert!(event["source"]["observer"]["identifier"]["value"].is_string(), "{event}");
        assert_eq!(event["entity"][0]["what"]["identifier"]["value"], "c1");
    }
    let refused = events.iter().find(|event| event["outcome"] == "4").unwrap();
    assert_eq!(refused["outcomeDesc"], "auth.forbidden");
    let emergency = events.iter().find(|event| event["subtype"][1]["code"] == "110127").unwrap();
    assert_eq!(emergency["purposeOfEvent"][0]["text"], "emergency");
}

#[tokio::test]
async fn an_ocsf_event_has_what_its_class_requires() {
    for event in of(AuditFormat::Ocsf).await {
        let number = |name: &str| event[name].as_i64().unwrap_or_else(|| panic!("{name} in {event}"));
        assert_eq!(number("type_uid"), number("class_uid") * 100 + number("activity_id"));
        assert_eq!(number("time"), NOW_MS);
        assert!((1..=6).contains(&number("severity_id")));
        assert!([1, 2, 99].contains(&number("status_id")));
        assert_eq!(event["metadata"]["version"], "1.1.0");
        assert!(event["metadata"]["product"]["vendor_name"].is_string());
        assert_eq!(event["actor"]["user"]["uid"], "owner");
        assert!(event["src_endpoint"]["ip"].is_string() || event["src_endpoint"]["name"].is_string(), "{event}");
        let login = event["api"]["operation"] == "test.login";
        let class = if login { (3, 3_002) } else { (6, 6_003) };
        assert_eq!((number("category_uid"), number("class_uid")), class);
        assert_eq!(event["user"]["uid"].is_string(), login, "an authentication says whose");
        assert!(!event.to_string().contains("null"), "{event}");
    }
}

#[tokio::test]
async fn the_stored_bytes_come_out_as_they_are_and_a_part_of_them_by_number_and_time() {
    let audit = desk().await;
    let all = lines(&audit, ExportAudit::default()).await;
    assert_eq!((&all[0]["seq"], all.len()), (&1.into(), AuditClass::ALL.len()));
    assert_eq!(lines(&audit, ExportAudit { after: Some(7), ..Default::default() }).await, all[7..]);
    let until = "2025-11-20T21:23:47Z".parse().ok();
    assert!(lines(&audit, ExportAudit { until, ..Default::default() }).await.is_empty());
}

#[tokio::test]
async fn who_may_read_a_namespace_reads_no_other_chain() {
    let audit = desk().await;
    let reader = Caller { scopes: Scopes::from_iter([Scope::AuditRead]), ..Caller::owner() };
    assert!(audit.export(&reader, ExportAudit::default()).await.is_ok());
    for chain in ["server", "namespace:other"] {
        let export = ExportAudit { chain: chain.parse().ok(), ..Default::default() };
        assert_eq!(audit.export(&reader, export).await.err().map(|error| error.code()), Some(Code::Forbidden));
    }
    let stranger = Caller { scopes: Scopes::from_iter([Scope::MailRead]), ..Caller::owner() };
    let refused = audit.export(&stranger, ExportAudit::default()).await;
    assert_eq!(refused.err().map(|error| error.code()), Some(Code::Forbidden));
}
