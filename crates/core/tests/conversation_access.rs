//! Who may export and erase the conversations of others.

use mainstay_core::api::conversations::CreateConversation;
use mainstay_core::api::{Code, Namespace, Realm, Subject, SubjectId, TenantId};
use mainstay_core::conversations::{ConversationRules, ConversationService, Whose};
use mainstay_core::roles::{Grant, Grants, Role};
use mainstay_core::{Caller, FakeClock, Principal, RandomMint};
use mainstay_testkit::model;
use std::sync::Arc;

fn subject(realm: &str, tenant: &str, user: &str) -> Subject {
    Subject {
        realm: Realm::parse(realm).unwrap(),
        tenant: TenantId::parse(tenant).unwrap(),
        user: SubjectId::parse(user).unwrap(),
    }
}

fn bearer(subject: Subject) -> Caller {
    Caller { principal: Principal::Token(subject.clone()), subject, ..Caller::owner() }
}

async fn service_with(subjects: &[Subject]) -> Arc<ConversationService> {
    let (store, clock) = (model::stores().conversations, Arc::new(FakeClock::at(7_258_118_400_000)));
    let service = ConversationService::new(store, clock, Arc::new(RandomMint), ConversationRules::default());
    for subject in subjects {
        service.create(&bearer(subject.clone()), None, CreateConversation::default()).await.unwrap();
    }
    Arc::new(service)
}

fn of(subject: &Subject) -> Whose {
    Whose::Other { subject: subject.clone(), reason: "a request".into() }
}

#[tokio::test]
async fn the_administrator_of_a_tenant_reaches_nobody_of_another_tenant_or_realm() {
    let own = subject("team", "acme", "ada");
    let foreign = [subject("team", "globex", "gil"), subject("other", "acme", "ada")];
    let service = service_with(&[own.clone(), foreign[0].clone(), foreign[1].clone()]).await;
    let admin = bearer(subject("team", "acme", "root"));
    for other in &foreign {
        let refused = service.export_all(&admin, &of(other)).await.err().unwrap();
        assert_eq!(refused.code(), Code::Forbidden);
        assert_eq!(service.erase(&admin, &of(other)).await.unwrap_err().code(), Code::Forbidden);
        let theirs = service.list(&bearer(other.clone()), Default::default()).await.unwrap();
        assert_eq!(theirs.items.len(), 1);
    }
    assert!(service.export_all(&admin, &of(&own)).await.is_ok());
    assert_eq!(service.erase(&admin, &of(&own)).await.unwrap().conversations, 1);
}

#[tokio::test]
async fn a_credential_of_one_namespace_reaches_no_other_user() {
    let ada = subject("team", "acme", "ada");
    let service = service_with(std::slice::from_ref(&ada)).await;
    let here = Grants::new(vec![Grant { namespace: Some(Namespace::default()), scopes: Role::Admin.scopes() }]);
    let admin = Caller { grants: here, ..Caller::owner() };
    assert_eq!(service.export_all(&admin, &of(&ada)).await.err().unwrap().code(), Code::Forbidden);
    assert_eq!(service.erase(&admin, &of(&ada)).await.unwrap_err().code(), Code::Forbidden);
    assert_eq!(service.erase(&Caller::owner(), &of(&ada)).await.unwrap().conversations, 1);
}
