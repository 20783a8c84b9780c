//! Forgeries: each fails as what it is.

use super::issuer::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use mainstay_core::api::Code;
use mainstay_server::identity::tokens::{IssuerConfig, KeyOrigin, SigningAlgorithm, TokenVerifier};
use serde_json::{Value, json};

#[tokio::test]
async fn a_token_of_the_issuer_is_its_bearer_and_no_other_key_signs_for_it() {
    for signer in [Signer::es256("k"), Signer::rs256("k")] {
        let trusting = Trusting::keys([&signer.jwk]);
        let identified = trusting.verifier.verify(&signer.token(&claims())).await.unwrap();
        assert_eq!(identified.principal.to_string(), "token:team:acme:ada");
    }
    let trusting = Trusting::keys([&Signer::es256("k").jwk]);
    let forged = Signer::es256("k").token(&claims());
    assert_eq!(trusting.refusal(&forged).await, Code::CredentialInvalid);
}

#[tokio::test]
async fn whatever_is_changed_after_signing_breaks_the_signature() {
    let signer = Signer::es256("k");
    let trusting = Trusting::keys([&signer.jwk]);
    let token = signer.token(&claims());
    let parts: Vec<&str> = token.split('.').collect();
    let other_user = URL_SAFE_NO_PAD.encode(claims_with(json!({ "sub": "eve" })).to_string());
    let other_header = URL_SAFE_NO_PAD.encode(json!({ "kid": "k", "alg": "ES256" }).to_string());
    let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
    for changed in [
        format!("{}.{other_user}.{}", parts[0], parts[2]),
        format!("{other_header}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.{zeros}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], &parts[2][..parts[2].len() - 2]),
        format!("{token}="),
        format!("{token}.x"),
        format!(" {token}"),
    ] {
        assert_eq!(trusting.refusal(&changed).await, Code::CredentialInvalid, "{changed}");
    }
}

#[tokio::test]
async fn an_unsigned_token_is_refused_however_it_spells_none() {
    let signer = Signer::es256("k");
    let trusting = Trusting::keys([&signer.jwk]);
    for alg in ["none", "None", "NONE", "nOnE", "", "none ", "null"] {
        let header = json!({ "alg": alg, "kid": "k" });
        for signature in ["", "AA"] {
            let token = signed(&header, &claims().to_string(), |_| signature.into());
            assert_eq!(trusting.refusal(&token).await, Code::CredentialInvalid, "{alg:?} {signature:?}");
        }
        let token = signer.token_with(&header, &claims().to_string());
        assert_eq!(trusting.refusal(&token).await, Code::CredentialInvalid, "{alg:?}, signed");
    }
}

#[tokio::test]
async fn a_public_key_never_serves_as_a_secret() {
    use p256::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
    let signer = Signer::es256("k");
    let public = p256::SecretKey::from_pkcs8_der(signer.key.as_bytes()).unwrap().public_key();
    let pem = public.to_public_key_pem(p256::pkcs8::LineEnding::LF).unwrap();
    let rsa = Signer::rs256("r");
    let trusting = Trusting::keys([&signer.jwk, &rsa.jwk]);
    let secrets = [
        pem.clone().into_bytes(),
        pem.trim_end().as_bytes().to_vec(),
        public.to_public_key_der().unwrap().as_bytes().to_vec(),
        public.to_sec1_bytes().to_vec(),
        signer.jwk.to_string().into_bytes(),
        rsa.jwk.to_string().into_bytes(),
        URL_SAFE_NO_PAD.decode(rsa.jwk["n"].as_str().unwrap()).unwrap(),
        Vec::new(),
    ];
    for secret in secrets {
        for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            for kid in [json!("k"), json!("r"), Value::Null] {
                let mut header = json!({ "alg": format!("{alg:?}"), "kid": kid });
                if kid.is_null() {
                    header.as_object_mut().unwrap().remove("kid");
                }
                let key = EncodingKey::from_secret(&secret);
                let token = signed(&header, &claims().to_string(), |message| {
                    jsonwebtoken::crypto::sign(message, &key, alg).unwrap()
                });
                assert_eq!(trusting.refusal(&token).await, Code::CredentialInvalid, "{alg:?} {kid}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_of_a_set_that_is_a_secret_is_not_one() {
    let secret = b"an octet key that somebody put into a public set";
    let oct = json!({ "kty": "oct", "kid": "k", "k": URL_SAFE_NO_PAD.encode(secret), "alg": "HS256" });
    let trusting = Trusting::keys([&oct]);
    let token = signed(&json!({ "alg": "HS256", "kid": "k" }), &claims().to_string(), |message| {
        jsonwebtoken::crypto::sign(message, &EncodingKey::from_secret(secret), Algorithm::HS256).unwrap()
    });
    assert_eq!(trusting.refusal(&token).await, Code::CredentialInvalid);
}

#[tokio::test]
async fn a_key_that_the_token_brings_or_points_to_is_ignored() {
    let signer = Signer::es256("k");
    let thief = Signer::es256("k");
    let site = Site::start([&thief.jwk]).await;
    let trusting = Trusting::keys([&signer.jwk]);
    let elsewhere = format!("{}/keys", site.url);
    for (member, value) in
        [("jwk", thief.jwk.clone()), ("jku", json!(elsewhere)), ("x5u", json!(elsewhere)), ("x5c", json!(["MIIB"]))]
    {
        let mut header = thief.header();
        header[member] = value;
        let token = thief.token_with(&header, &claims().to_string());
        assert_eq!(trusting.refusal(&token).await, Code::CredentialInvalid, "{member}");
    }
    let mut critical = signer.header();
    critical["crit"] = json!(["b64"]);
    critical["b64"] = json!(false);
    let token = signer.token_with(&critical, &claims().to_string());
    assert_eq!(trusting.refusal(&token).await, Code::CredentialInvalid);
    assert_eq!(site.requests(), 0);
}

#[tokio::test]
async fn a_key_signs_only_with_what_it_was_given_to() {
    let signer = Signer::rs256("k");
    let with = |member: &str, value: Value| {
        let mut jwk = signer.jwk.clone();
        jwk[member] = value;
        jwk
    };
    let token = signer.token(&claims());
    for refused in [
        with("use", json!("enc")),
        with("key_ops", json!(["encrypt"])),
        with("alg", json!("RS512")),
        with("alg", json!("RSA-OAEP")),
        with("kty", json!("EC")),
        with("n", json!(URL_SAFE_NO_PAD.encode([0xff; 128]))),
        with("issuer", json!("https://another.example")),
        with("kid", json!("other")),
    ] {
        assert_eq!(Trusting::keys([&refused]).refusal(&token).await, Code::CredentialInvalid, "{refused}");
    }
    for accepted in [with("key_ops", json!(["verify"])), with("alg", json!("RS256")), with("issuer", json!(ISSUER))] {
        assert!(Trusting::keys([&accepted]).verifier.verify(&token).await.is_ok(), "{accepted}");
    }
    let pss = Signer { alg: Algorithm::PS256, ..signer.clone() }.token(&claims());
    let trusting = Trusting::keys([&with("alg", json!("PS256"))]);
    assert_eq!(trusting.refusal(&pss).await, Code::CredentialInvalid, "PS256 is not among the default algorithms");
    let only_es256 = |config: IssuerConfig| IssuerConfig { algorithms: vec![SigningAlgorithm::ES256], ..config };
    let trusting = Trusting::keys_with([&signer.jwk], only_es256);
    assert_eq!(trusting.refusal(&token).await, Code::CredentialInvalid);
}

#[tokio::test]
async fn a_broken_key_neither_serves_nor_spoils_the_others() {
    let signer = Signer::es256("good");
    let short = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "short", "x": "AAAA" });
    let off_curve = json!({ "kty": "EC", "crv": "P-256", "kid": "off",
        "x": URL_SAFE_NO_PAD.encode([1; 32]), "y": URL_SAFE_NO_PAD.encode([1; 32]) });
    let odd = [short, off_curve, json!(7), json!({ "kty": "EC" }), json!({ "kid": "x" }), signer.jwk.clone()];
    let ed = |config: IssuerConfig| IssuerConfig {
        algorithms: vec![SigningAlgorithm::ES256, SigningAlgorithm::EdDSA],
        ..config
    };
    let trusting = Trusting::keys_with(&odd, ed);
    assert!(trusting.verifier.verify(&signer.token(&claims())).await.is_ok());
    for (alg, kid) in [("EdDSA", "short"), ("ES256", "off")] {
        let token = signer.token_with(&json!({ "alg": alg, "kid": kid }), &claims().to_string());
        assert_eq!(trusting.refusal(&token).await, Code::CredentialInvalid, "{kid}");
    }
}

#[tokio::test]
async fn a_token_that_names_no_key_needs_an_issuer_with_one() {
    let (one, two) = (Signer::es256("1"), Signer::es256("2"));
    let nameless = one.token_with(&json!({ "alg": "ES256" }), &claims().to_string());
    assert!(Trusting::keys([&one.jwk]).verifier.verify(&nameless).await.is_ok());
    let trusting = Trusting::keys([&one.jwk, &two.jwk]);
    assert_eq!(trusting.refusal(&nameless).await, Code::CredentialInvalid);
    let with_rsa = Trusting::keys([&one.jwk, &Signer::rs256("3").jwk]);
    assert!(with_rsa.verifier.verify(&nameless).await.is_ok(), "one key alone is of the algorithm");
    let unknown = one.token_with(&json!({ "alg": "ES256", "kid": "4" }), &claims().to_string());
    assert_eq!(trusting.refusal(&unknown).await, Code::CredentialInvalid);
}

#[tokio::test]
async fn a_token_that_was_not_signed_by_the_issuer_learns_nothing() {
    let trusting = Trusting::keys([&Signer::es256("k").jwk]);
    let thief = Signer::es256("k");
    for changes in [
        json!({ "exp": NOW_S - 3_600 }),
        json!({ "aud": "another" }),
        json!({ "tid": "globex" }),
        json!({ "sub": null, "exp": "soon" }),
    ] {
        let token = thief.token(&claims_with(changes.clone()));
        assert_eq!(trusting.refusal(&token).await, Code::CredentialInvalid, "{changes}");
    }
    let token = thief.token(&claims_with(json!({ "iss": "https://another.example" })));
    assert_eq!(trusting.refusal(&token).await, Code::IssuerMismatch, "whose keys to take is said before");
}

#[tokio::test]
async fn huge_deep_and_senseless_tokens_are_refused() {
    let signer = Signer::es256("k");
    let trusting = Trusting::keys([&signer.jwk]);
    let long = signer.token(&claims_with(json!({ "pad": "x".repeat(16_384) })));
    let deep = format!(r#"{{"iss":"{ISSUER}","x":{}}}"#, "[".repeat(5_000));
    for token in [long.as_str(), &signer.token_with(&signer.header(), &deep), "a.b.c", "", "..", "\u{1f980}.x.y"] {
        assert_eq!(trusting.refusal(token).await, Code::CredentialInvalid, "{:.40}", token);
    }
    let twice = claims().to_string().replacen('{', r#"{"sub":"eve","#, 1);
    let token = signer.token_with(&signer.header(), &twice);
    assert_eq!(trusting.refusal(&token).await, Code::CredentialInvalid);
}

#[tokio::test]
async fn a_shared_secret_signs_hs256_and_nothing_else() {
    let secret = "a secret of the legacy hub, 32 bytes or more";
    let origin = KeyOrigin::Secret(secret.into());
    let legacy = IssuerConfig { issuer: None, audience: Vec::new(), ..config(origin) };
    let verifier = TokenVerifier::new(vec![legacy], clock()).unwrap();
    let sign = |alg: Algorithm, secret: &str, changes: Value| {
        let key = EncodingKey::from_secret(secret.as_bytes());
        signed(&json!({ "alg": format!("{alg:?}"), "typ": "JWT" }), &claims_with(changes).to_string(), |message| {
            jsonwebtoken::crypto::sign(message, &key, alg).unwrap()
        })
    };
    let plain = json!({ "iss": null, "aud": null });
    assert!(verifier.verify(&sign(Algorithm::HS256, secret, plain.clone())).await.is_ok());
    let wrong = "another secret of the legacy hub, as long";
    assert_eq!(refusal(&verifier, &sign(Algorithm::HS256, wrong, plain.clone())).await, Code::CredentialInvalid);
    assert_eq!(refusal(&verifier, &sign(Algorithm::HS512, secret, plain)).await, Code::CredentialInvalid);
    let addressed = sign(Algorithm::HS256, secret, json!({ "iss": null }));
    assert_eq!(refusal(&verifier, &addressed).await, Code::AudienceMismatch);
    let named = sign(Algorithm::HS256, secret, json!({ "aud": null }));
    assert_eq!(refusal(&verifier, &named).await, Code::IssuerMismatch);
    let asymmetric = Signer::es256("k").token(&claims_with(json!({ "iss": null, "aud": null })));
    assert_eq!(refusal(&verifier, &asymmetric).await, Code::CredentialInvalid);
}

#[tokio::test]
async fn one_issuer_cannot_speak_for_another() {
    let (a, b) = (Signer::es256("k"), Signer::es256("k"));
    let file = |signer: &Signer| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), json!({ "keys": [signer.jwk] }).to_string()).unwrap();
        file
    };
    let (file_a, file_b) = (file(&a), file(&b));
    let config_b = IssuerConfig {
        name: "other".parse().unwrap(),
        issuer: Some("https://other.example".into()),
        ..config(KeyOrigin::File(file_b.path().into()))
    };
    let verifier = TokenVerifier::new(vec![config(KeyOrigin::File(file_a.path().into())), config_b], clock()).unwrap();
    let of_b = claims_with(json!({ "iss": "https://other.example" }));
    let principal = async |token: &str| verifier.verify(token).await.unwrap().principal.to_string();
    assert_eq!(principal(&a.token(&claims())).await, "token:team:acme:ada");
    assert_eq!(principal(&b.token(&of_b)).await, "token:other:acme:ada");
    assert_eq!(refusal(&verifier, &b.token(&claims())).await, Code::CredentialInvalid);
    assert_eq!(refusal(&verifier, &a.token(&of_b)).await, Code::CredentialInvalid);
}

#[test]
fn a_configuration_that_would_let_forgeries_in_is_refused() {
    let file = || KeyOrigin::File("keys.json".into());
    let secret = |text: &str| KeyOrigin::Secret(text.into());
    let base = || config(file());
    let url = |text: &str| KeyOrigin::Url(text.parse().unwrap());
    for (rule, broken) in [
        ("audience", IssuerConfig { audience: Vec::new(), ..base() }),
        ("issuer", IssuerConfig { issuer: None, ..base() }),
        ("HS256", IssuerConfig { algorithms: vec![SigningAlgorithm::ES256, SigningAlgorithm::HS256], ..base() }),
        ("algorithms", IssuerConfig { algorithms: Vec::new(), ..base() }),
        ("HS256", IssuerConfig { algorithms: vec![SigningAlgorithm::RS256], ..config(secret(&"x".repeat(32))) }),
        ("32 bytes", IssuerConfig { algorithms: vec![SigningAlgorithm::HS256], ..config(secret("short")) }),
        ("https", config(url("http://issuer.example/keys"))),
        ("https", config(url("ftp://issuer.example/keys"))),
        ("password", config(url("https://user:secret@issuer.example/keys"))),
        ("https", config(url("http://localhost.evil.example/keys"))),
        ("local", IssuerConfig { name: "local".parse().unwrap(), ..base() }),
        ("ca_file", IssuerConfig { ca_file: Some("/nowhere".into()), ..config(url("https://issuer.example")) }),
    ] {
        let refused = TokenVerifier::new(vec![broken], clock()).unwrap_err();
        assert!(refused.rule.contains(rule), "{rule}: {refused}");
    }
    assert!(TokenVerifier::new(vec![base(), base()], clock()).unwrap_err().rule.contains("twice"));
    let same = IssuerConfig { name: "b".parse().unwrap(), ..base() };
    assert!(TokenVerifier::new(vec![base(), same], clock()).unwrap_err().rule.contains("same `issuer`"));
    let many = (0..33).map(|n| IssuerConfig { name: format!("i{n}").parse().unwrap(), ..base() }).collect();
    assert!(TokenVerifier::new(many, clock()).unwrap_err().rule.contains("at most 32"));
}

#[test]
fn three_parts_of_base64url_are_taken_for_a_token() {
    for token in ["e30.e30.c2ln", "a.b.", "A-_.9.x"] {
        assert!(TokenVerifier::recognizes(token), "{token}");
    }
    for other in ["", "a.b", "a.b.c.d", "..c", "a..c", "a.b.c=", "mk_key-1_secret", "a b.c.d"] {
        assert!(!TokenVerifier::recognizes(other), "{other}");
    }
}
