//! Keys that come, go, and cannot be fetched, against a real HTTP server.

use super::issuer::*;
use http::StatusCode;
use mainstay_core::FakeClock;
use mainstay_core::api::Code;
use mainstay_server::identity::tokens::{IssuerConfig, KeyOrigin, TenantRule, Tenants, TokenVerifier};
use mainstay_testkit::fixtures::TlsFiles;
use serde_json::json;
use std::sync::Arc;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

fn trusting(config: IssuerConfig) -> (Arc<TokenVerifier>, Arc<FakeClock>) {
    let clock = clock();
    (Arc::new(TokenVerifier::new(vec![config], Arc::<FakeClock>::clone(&clock)).unwrap()), clock)
}

fn discovered(site: &Site) -> IssuerConfig {
    config(KeyOrigin::Discovery(site.discovery_url()))
}

#[tokio::test]
async fn a_new_key_is_found_when_its_first_token_comes_and_a_withdrawn_one_ends() {
    let (old, new) = (Signer::es256("old"), Signer::es256("new"));
    let site = Site::start([&old.jwk]).await;
    let (verifier, clock) = trusting(discovered(&site));
    assert!(verifier.verify(&old.token(&claims())).await.is_ok());
    assert_eq!(site.requests(), 2, "the document and the keys");

    site.publish_keys([&old.jwk, &new.jwk]);
    clock.advance(MINUTE_MS);
    assert!(verifier.verify(&new.token(&claims())).await.is_ok());
    assert_eq!(site.requests(), 4);

    site.publish_keys([&new.jwk]);
    clock.advance(10 * MINUTE_MS);
    verifier.run_once().await;
    assert_eq!(refusal(&verifier, &old.token(&claims())).await, Code::CredentialInvalid);
    assert!(verifier.verify(&new.token(&claims())).await.is_ok());
}

#[tokio::test]
async fn tokens_with_made_up_keys_make_one_fetch_in_half_a_minute() {
    let signer = Signer::es256("k");
    let site = Site::start([&signer.jwk]).await;
    let (verifier, clock) = trusting(discovered(&site));
    assert!(verifier.verify(&signer.token(&claims())).await.is_ok());
    let made_up = |n: usize| {
        let header = json!({ "alg": "ES256", "kid": format!("made up {n}") });
        signer.token_with(&header, &claims().to_string())
    };
    let before = site.requests();
    for n in 0..50 {
        assert_eq!(refusal(&verifier, &made_up(n)).await, Code::CredentialInvalid);
    }
    assert_eq!(site.requests(), before, "the last fetch is too recent");
    clock.advance(30_000);
    for n in 0..50 {
        assert_eq!(refusal(&verifier, &made_up(n)).await, Code::CredentialInvalid);
    }
    assert_eq!(site.requests(), before + 2);
    assert!(verifier.verify(&signer.token(&claims())).await.is_ok());
}

#[tokio::test]
async fn callers_that_come_together_share_one_fetch_even_when_the_first_goes_away() {
    let signer = Signer::es256("k");
    let site = Site::start([&signer.jwk]).await;
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    site.published.lock().unwrap().held = Some(Arc::clone(&gate));
    let (verifier, _clock) = trusting(discovered(&site));
    let token = signer.token(&claims());
    let call = || {
        let (verifier, token) = (Arc::clone(&verifier), token.clone());
        tokio::spawn(async move { verifier.verify(&token).await.map(|identified| identified.principal.to_string()) })
    };
    let first = call();
    while site.requests() == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    let others: Vec<_> = (0..20).map(|_| call()).collect();
    tokio::task::yield_now().await;
    gate.add_permits(100);
    for other in others {
        assert_eq!(other.await.unwrap().unwrap(), "token:team:acme:ada");
    }
    assert_eq!(site.requests(), 2);
}

#[tokio::test]
async fn known_keys_serve_a_day_while_their_issuer_is_away() {
    let signer = Signer::es256("k");
    let site = Site::start([&signer.jwk]).await;
    let (verifier, clock) = trusting(discovered(&site));
    let token = signer.token(&claims_with(json!({ "exp": NOW_S + 90_000 })));
    assert!(verifier.verify(&token).await.is_ok());
    site.fail(StatusCode::INTERNAL_SERVER_ERROR);
    clock.advance(24 * HOUR_MS - 1);
    verifier.run_once().await;
    assert!(verifier.verify(&token).await.is_ok());
    clock.advance(1);
    let error = verifier.verify(&token).await.unwrap_err();
    assert_eq!(error.code(), Code::KeysUnavailable);
    assert!(error.problem.retryable && error.problem.retry_after_ms.is_some());
    site.recover();
    clock.advance(MINUTE_MS);
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn nobody_waits_for_an_issuer_whose_keys_are_at_hand() {
    let signer = Signer::es256("k");
    let site = Site::start([&signer.jwk]).await;
    let (verifier, clock) = trusting(discovered(&site));
    let token = signer.token(&claims());
    assert!(verifier.verify(&token).await.is_ok());
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    site.published.lock().unwrap().held = Some(Arc::clone(&gate));
    clock.advance(11 * MINUTE_MS);
    assert!(verifier.verify(&token).await.is_ok(), "the issuer hangs, and this does not");
    gate.add_permits(100);
}

#[tokio::test]
async fn an_issuer_that_never_answered_is_unavailable_and_asked_again_later() {
    let signer = Signer::es256("k");
    let site = Site::start([&signer.jwk]).await;
    site.fail(StatusCode::BAD_GATEWAY);
    let unnamed = IssuerConfig { issuer: None, ..discovered(&site) };
    for config in [discovered(&site), unnamed] {
        site.fail(StatusCode::BAD_GATEWAY);
        let (verifier, clock) = trusting(config);
        let token = signer.token(&claims());
        assert_eq!(refusal(&verifier, &token).await, Code::KeysUnavailable);
        let asked = site.requests();
        assert_eq!(refusal(&verifier, &token).await, Code::KeysUnavailable);
        assert_eq!(site.requests(), asked, "it was asked a moment ago");
        site.recover();
        clock.advance(5_000);
        assert!(verifier.verify(&token).await.is_ok());
    }
}

#[tokio::test]
async fn what_an_issuer_may_not_publish_is_not_taken() {
    let signer = Signer::es256("k");
    let token = signer.token(&claims());
    // Addresses at which the keys could be had: that they are not asked is what is tested.
    let own = |host: &str, site: &Site| format!("{}/keys", site.url.replace("127.0.0.1", host));
    type Prepare<'a> = &'a dyn Fn(&Site);
    let refused = async |prepare: Prepare| {
        let site = Site::start([&signer.jwk]).await;
        prepare(&site);
        let (verifier, _clock) = trusting(discovered(&site));
        refusal(&verifier, &token).await
    };
    let doc = "/.well-known/openid-configuration";
    let cases: [(&str, Prepare); 10] = [
        ("another issuer", &|site| site.discovery("https://other.example", &format!("{}/keys", site.url))),
        ("a longer issuer", &|site| site.discovery(&format!("{ISSUER}/"), &format!("{}/keys", site.url))),
        ("keys over plain http", &|site| site.discovery(ISSUER, &own("0.0.0.0", site))),
        ("keys behind a password", &|site| site.discovery(ISSUER, &own("user:secret@127.0.0.1", site))),
        ("keys in a file", &|site| site.discovery(ISSUER, "file:///etc/hosts")),
        ("keys that moved", &|site| {
            site.publish("/moved", json!({ "keys": [signer.jwk] }).to_string());
            site.published.lock().unwrap().redirects.insert("/keys".into(), "/moved".into());
        }),
        ("an error", &|site| site.fail(StatusCode::FORBIDDEN)),
        ("no document", &|site| site.publish(doc, "<html>".into())),
        ("no keys", &|site| site.publish("/keys", "{}".into())),
        ("keys without end", &|site| site.publish("/keys", format!("{{\"keys\":[{}]}}", " ".repeat(1_048_576)))),
    ];
    for (what, prepare) in cases {
        assert_eq!(refused(prepare).await, Code::KeysUnavailable, "{what}");
    }
    let many = vec![signer.jwk.clone(); 101];
    assert_eq!(refused(&|site| site.publish_keys(&many)).await, Code::KeysUnavailable);
}

#[tokio::test]
async fn an_issuer_of_many_tenants_names_each_in_its_name() {
    let signer = Signer::es256("k");
    let mut own = signer.jwk.clone();
    own["issuer"] = json!("https://login.example/{tenantid}/v2.0");
    let site = Site::start([&own]).await;
    site.discovery("https://login.example/{tenantid}/v2.0", &format!("{}/keys", site.url));
    let tenants = ["t-1", "t-2"].map(|tenant| tenant.parse().unwrap());
    let config = IssuerConfig {
        issuer: None,
        tenant: TenantRule::Claim { claim: "tid".into(), allowed: Tenants::Only(tenants.into()) },
        ..discovered(&site)
    };
    let (verifier, _clock) = trusting(config);
    let token = |iss: &str, tid: &str| {
        signer.token(&claims_with(json!({ "iss": format!("https://login.example/{iss}/v2.0"), "tid": tid })))
    };
    for tenant in ["t-1", "t-2"] {
        let identified = verifier.verify(&token(tenant, tenant)).await.unwrap();
        assert_eq!(identified.subject.tenant.as_str(), tenant);
    }
    assert_eq!(refusal(&verifier, &token("t-3", "t-3")).await, Code::TenantNotAllowed);
    for (iss, tid) in [("t-1", "t-2"), ("t-3", "t-1"), ("{tenantid}", "{tenantid}"), ("a/b", "a/b"), ("", "")] {
        assert_eq!(refusal(&verifier, &token(iss, tid)).await, Code::IssuerMismatch, "{iss} {tid}");
    }
}

#[tokio::test]
async fn an_issuer_of_many_tenants_cannot_be_trusted_for_one_without_asking_which() {
    let site = Site::start([&Signer::es256("k").jwk]).await;
    site.discovery("https://login.example/{tenantid}/v2.0", &format!("{}/keys", site.url));
    let fixed = TenantRule::Fixed("acme".parse().unwrap());
    let (verifier, _clock) = trusting(IssuerConfig { issuer: None, tenant: fixed, ..discovered(&site) });
    let token = Signer::es256("k").token(&claims_with(json!({ "iss": "https://login.example/acme/v2.0" })));
    assert_eq!(refusal(&verifier, &token).await, Code::KeysUnavailable);
}

#[tokio::test]
async fn an_issuer_is_asked_over_tls_and_only_one_with_a_certificate_that_is_trusted() {
    let signer = Signer::es256("k");
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [own, foreign] = folders.each_ref().map(|folder| TlsFiles::generate(folder.path()).unwrap());
    let site = Site::start_tls(&own, [&signer.jwk]).await;
    let token = signer.token(&claims());
    let with = |files: &TlsFiles| IssuerConfig { ca_file: Some(files.ca_path().into()), ..discovered(&site) };
    let (verifier, _clock) = trusting(with(&foreign));
    assert_eq!(refusal(&verifier, &token).await, Code::KeysUnavailable);
    assert_eq!(site.requests(), 0);
    let (verifier, _clock) = trusting(with(&own));
    assert!(verifier.verify(&token).await.is_ok());

    let plain = Site::start([&signer.jwk]).await;
    site.discovery(ISSUER, &format!("{}/keys", plain.url));
    let (verifier, _clock) = trusting(with(&own));
    assert_eq!(refusal(&verifier, &token).await, Code::KeysUnavailable);
    assert_eq!(plain.requests(), 0, "what is published over TLS does not lead to an open door of this machine");
}

#[tokio::test]
async fn a_file_of_keys_is_read_again_when_it_changes() {
    let (old, new) = (Signer::es256("old"), Signer::es256("new"));
    let trusting = Trusting::keys([&old.jwk]);
    let write = |keys: serde_json::Value| std::fs::write(trusting.file.path(), keys.to_string()).unwrap();
    assert!(trusting.verifier.verify(&old.token(&claims())).await.is_ok());
    write(json!({ "keys": [new.jwk] }));
    assert!(trusting.verifier.verify(&new.token(&claims())).await.is_ok(), "an unknown key is looked for at once");
    assert_eq!(trusting.refusal(&old.token(&claims())).await, Code::CredentialInvalid);
    write(json!({ "keys": [old.jwk] }));
    trusting.clock.advance(1_000);
    assert_eq!(trusting.refusal(&new.token(&claims())).await, Code::CredentialInvalid, "a withdrawn one ends");
    write(json!({ "keys": [new.jwk] }));
    assert!(trusting.verifier.verify(&new.token(&claims())).await.is_ok());
    std::fs::write(trusting.file.path(), "{").unwrap();
    trusting.clock.advance(1_000);
    assert!(trusting.verifier.verify(&new.token(&claims())).await.is_ok(), "half a file does not count");
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_stop_the_fetches() {
    let (old, new) = (Signer::es256("old"), Signer::es256("new"));
    let site = Site::start([&old.jwk]).await;
    let (verifier, clock) = trusting(discovered(&site));
    assert!(verifier.verify(&old.token(&claims())).await.is_ok());
    site.publish_keys([&new.jwk]);
    clock.advance(-HOUR_MS);
    let early = claims_with(json!({ "iat": null, "nbf": null }));
    assert!(verifier.verify(&new.token(&early)).await.is_ok());
}
