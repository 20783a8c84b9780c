//! What a token with a valid signature must say, and what follows from it.

use super::issuer::*;
use mainstay_core::api::{Code, Namespace, TenantId};
use mainstay_core::{Role, Scope};
use mainstay_server::identity::tokens::{Access, IssuerConfig, TenantRule, Tenants};
use serde_json::{Value, json};

/// What each of several changes of ordinary claims is refused with.
async fn expect(trusting: &Trusting, signer: &Signer, code: Code, changes: impl IntoIterator<Item = Value>) {
    for change in changes {
        let token = signer.token(&claims_with(change.clone()));
        assert_eq!(trusting.refusal(&token).await, code, "{change}");
    }
}

async fn expect_accepted(trusting: &Trusting, signer: &Signer, changes: impl IntoIterator<Item = Value>) {
    for change in changes {
        let verified = trusting.verifier.verify(&signer.token(&claims_with(change.clone()))).await;
        assert!(verified.is_ok(), "{change}: {}", verified.unwrap_err());
    }
}

#[tokio::test]
async fn times_hold_with_half_a_minute_of_tolerance() {
    let signer = Signer::es256("k");
    let trusting = Trusting::keys([&signer.jwk]);
    let ended = [29, 29].map(|ago| json!({ "exp": NOW_S - ago }));
    expect_accepted(&trusting, &signer, ended).await;
    expect_accepted(
        &trusting,
        &signer,
        [
            json!({ "nbf": NOW_S + 30, "iat": NOW_S + 30 }),
            json!({ "nbf": null, "iat": null }),
            json!({ "exp": NOW_S as f64 + 0.5 }),
        ],
    )
    .await;
    let expired = [json!(NOW_S - 30), json!(0), json!(-1), json!(i64::MIN), json!(-1e300)];
    expect(&trusting, &signer, Code::TokenExpired, expired.map(|exp| json!({ "exp": exp }))).await;
    expect(
        &trusting,
        &signer,
        Code::CredentialInvalid,
        [
            json!({ "nbf": NOW_S + 31 }),
            json!({ "iat": NOW_S + 31 }),
            json!({ "exp": null }),
            json!({ "exp": (NOW_S + 60).to_string() }),
            json!({ "exp": true }),
            json!({ "exp": [NOW_S + 60] }),
            json!({ "nbf": "now" }),
            json!({ "iat": {} }),
        ],
    )
    .await;
    trusting.clock.advance(3_600_000 + 30_000);
    assert_eq!(trusting.refusal(&signer.token(&claims())).await, Code::TokenExpired, "an accepted token ends too");
}

#[tokio::test]
async fn an_age_can_be_demanded_whatever_the_token_says_of_its_end() {
    let signer = Signer::es256("k");
    let aged = |config: IssuerConfig| IssuerConfig { max_age_s: Some(300), ..config };
    let trusting = Trusting::keys_with([&signer.jwk], aged);
    expect_accepted(&trusting, &signer, [json!({ "iat": NOW_S - 329 })]).await;
    expect(&trusting, &signer, Code::TokenExpired, [json!({ "iat": NOW_S - 330 })]).await;
    expect(&trusting, &signer, Code::CredentialInvalid, [json!({ "iat": null })]).await;
}

#[tokio::test]
async fn the_audience_is_one_of_ours() {
    let signer = Signer::es256("k");
    let trusting = Trusting::keys([&signer.jwk]);
    expect_accepted(&trusting, &signer, [json!({ "aud": ["other", AUDIENCE] })]).await;
    let others = [json!("other"), json!([]), json!(["other"]), json!("API://MAINSTAY"), json!("api://mainstay/")];
    expect(&trusting, &signer, Code::AudienceMismatch, others.map(|aud| json!({ "aud": aud }))).await;
    expect(&trusting, &signer, Code::AudienceMismatch, [json!({ "aud": null })]).await;
    let malformed = [json!(7), json!([AUDIENCE, 7]), json!({ "a": AUDIENCE })];
    expect(&trusting, &signer, Code::CredentialInvalid, malformed.map(|aud| json!({ "aud": aud }))).await;
}

#[tokio::test]
async fn the_issuer_is_named_to_the_letter() {
    let signer = Signer::es256("k");
    let trusting = Trusting::keys([&signer.jwk]);
    let others = [format!("{ISSUER}/"), ISSUER.to_uppercase(), ISSUER[1..].into(), format!("{ISSUER}\n"), "".into()];
    expect(&trusting, &signer, Code::IssuerMismatch, others.map(|iss| json!({ "iss": iss }))).await;
    expect(&trusting, &signer, Code::IssuerMismatch, [json!({ "iss": null })]).await;
    expect(&trusting, &signer, Code::CredentialInvalid, [json!({ "iss": [ISSUER] })]).await;
}

#[tokio::test]
async fn tenants_are_let_in_by_name_and_nobody_is_by_default() {
    let signer = Signer::es256("k");
    let keys = [signer.jwk.clone()];
    let trusting = Trusting::keys(&keys);
    let others = ["globex", "ACME", "acme ", "acme\u{200b}"];
    expect(&trusting, &signer, Code::TenantNotAllowed, others.map(|tid| json!({ "tid": tid }))).await;
    let malformed = [Value::Null, json!(""), json!(7), json!(["acme"]), json!("a\0"), json!("x".repeat(301))];
    expect(&trusting, &signer, Code::CredentialInvalid, malformed.map(|tid| json!({ "tid": tid }))).await;

    let claim = |allowed: Tenants| TenantRule::Claim { claim: "tid".into(), allowed };
    let nobody =
        Trusting::keys_with(&keys, |config| IssuerConfig { tenant: claim(Tenants::Only([].into())), ..config });
    expect(&nobody, &signer, Code::TenantNotAllowed, [json!({}), json!({ "tid": "*" })]).await;
    let everybody = Trusting::keys_with(&keys, |config| IssuerConfig { tenant: claim(Tenants::All), ..config });
    expect_accepted(&everybody, &signer, [json!({ "tid": "globex" })]).await;
    expect(&everybody, &signer, Code::CredentialInvalid, [json!({ "tid": null })]).await;

    let fixed = TenantRule::Fixed(TenantId::parse("acme").unwrap());
    let fixed = Trusting::keys_with(&keys, |config| IssuerConfig { tenant: fixed, ..config });
    let identified = fixed.verifier.verify(&signer.token(&claims_with(json!({ "tid": "globex" })))).await.unwrap();
    assert_eq!(identified.subject.tenant.as_str(), "acme", "the tenant of the operator stands");
}

#[tokio::test]
async fn the_user_comes_from_the_claim_that_the_operator_names() {
    let signer = Signer::es256("k");
    let keys = [signer.jwk.clone()];
    let trusting = Trusting::keys(&keys);
    let malformed = [Value::Null, json!(""), json!(7), json!(["ada"]), json!("a\0"), json!("x".repeat(601))];
    expect(&trusting, &signer, Code::CredentialInvalid, malformed.map(|sub| json!({ "sub": sub }))).await;
    let entra = Trusting::keys_with(&keys, |config| IssuerConfig { user_claim: "oid".into(), ..config });
    expect(&entra, &signer, Code::CredentialInvalid, [json!({})]).await;
    let token = signer.token(&claims_with(json!({ "oid": "7f3b", "sub": "pairwise" })));
    assert_eq!(entra.verifier.verify(&token).await.unwrap().subject.user.as_str(), "7f3b");
}

#[tokio::test]
async fn roles_and_scopes_of_the_issuer_become_ours_and_unknown_ones_give_nothing() {
    let signer = Signer::es256("k");
    let access = Access {
        role: None,
        roles_claim: Some("realm_access.roles".into()),
        roles: [("mainstay-admins".into(), Role::Admin), ("mainstay-users".into(), Role::Viewer)].into(),
        scope_claim: Some("scope".into()),
        namespaces: Some(vec![Namespace::parse("a").unwrap(), Namespace::parse("b").unwrap()]),
    };
    let trusting = Trusting::keys_with([&signer.jwk], |config| IssuerConfig { access, ..config });
    let scopes = async |namespace: &str, changes: Value| {
        let identified = trusting.verifier.verify(&signer.token(&claims_with(changes))).await.unwrap();
        let scopes = identified.grants.scopes_in(&Namespace::parse(namespace).unwrap());
        scopes.iter().collect::<Vec<_>>()
    };
    let roles = |names: &[&str], scope: Value| json!({ "realm_access": { "roles": names }, "scope": scope });
    let both = json!("openid mail:read mail:admin");
    let admins = roles(&["offline_access", "mainstay-admins"], both.clone());
    assert_eq!(scopes("a", admins.clone()).await, [Scope::MailRead, Scope::MailAdmin]);
    assert_eq!(scopes("b", admins.clone()).await, [Scope::MailRead, Scope::MailAdmin]);
    assert_eq!(scopes("c", admins).await, []);
    assert_eq!(scopes("a", roles(&["mainstay-users"], both.clone())).await, [Scope::MailRead]);
    assert_eq!(scopes("a", roles(&["owner", "Mainstay-Admins", ""], both.clone())).await, []);
    assert_eq!(scopes("a", roles(&["mainstay-admins"], Value::Null)).await, []);
    assert_eq!(scopes("a", roles(&["mainstay-users"], json!(["mail:read"]))).await, [Scope::MailRead]);
    assert_eq!(scopes("a", json!({ "realm_access": "mainstay-admins", "scope": both })).await, []);
}

#[tokio::test]
async fn a_claim_can_bind_the_bearer_to_an_instance() {
    let signer = Signer::es256("k");
    let bound = |config: IssuerConfig| IssuerConfig {
        instance_claim: Some("https://mainstay.example/instance".into()),
        ..config
    };
    let trusting = Trusting::keys_with([&signer.jwk], bound);
    let token = |value: Value| signer.token(&claims_with(json!({ "https://mainstay.example/instance": value })));
    let identified = trusting.verifier.verify(&token(json!("planner"))).await.unwrap();
    assert_eq!(identified.instance.unwrap().as_str(), "planner");
    assert_eq!(trusting.verifier.verify(&token(Value::Null)).await.unwrap().instance, None);
    for bad in
        [json!("all"), json!(7), json!(""), json!("token:team:acme:eve"), json!("user:usr-1"), json!("key:key-1")]
    {
        assert_eq!(trusting.refusal(&token(bad.clone())).await, Code::CredentialInvalid, "{bad}");
    }
}
