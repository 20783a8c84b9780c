//! Logging in, second factors, sessions and keys, as an attacker and as a user meets them over HTTP.

use crate::support::{Call, Reply, Setup, Site};
use futures::future::join_all;
use http::Method;
use mainstay_core::FakeClock;
use mainstay_core::api::audit::ChainId;
use mainstay_core::audit::{Order, PageQuery};
use mainstay_core::identity::IdentityRules;
use mainstay_core::secrets::KeyRing;
use serde_json::{Value, json};
use std::sync::Arc;

const PASSWORD: &str = "correct horse battery";
const STEP_MS: i64 = 30_000;

/// A site whose clock stands still, so that a test decides which step of an authenticator it is.
struct Bed {
    site: Site,
    clock: Arc<FakeClock>,
}

impl Bed {
    async fn start() -> Self {
        let clock = Arc::new(FakeClock::at(1_800_000_000_000));
        let identity = IdentityRules { ring: Some(KeyRing::generate().unwrap()), ..IdentityRules::default() };
        let site = Site::start_with(Setup { identity, clock: clock.clone(), ..Setup::default() }).await;
        Self { site, clock }
    }

    async fn add(&self, name: &str) -> String {
        let user = json!({ "name": name, "password": PASSWORD, "grants": [{ "role": "member" }] });
        let user = self.site.call(Call::post("/v1/users", user)).await.ok().await;
        user["id"].as_str().unwrap().to_owned()
    }

    /// A call without any credential but the one that is given.
    async fn with(&self, token: &str, method: Method, path: &str, body: &Value) -> Reply {
        let call = Call::anonymous(method, path).body(body.to_string());
        let call = if token.is_empty() { call } else { call.header("authorization", &format!("Bearer {token}")) };
        self.site.call(call).await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Reply {
        self.with(token, Method::POST, path, &body).await
    }

    async fn login(&self, name: &str, password: &str) -> Reply {
        self.post("", "/v1/auth/login", json!({ "name": name, "password": password })).await
    }

    /// The token of a new session of a user without a second factor.
    async fn session(&self, name: &str) -> String {
        let outcome = self.login(name, PASSWORD).await.ok().await;
        outcome["session"]["token"].as_str().unwrap().to_owned()
    }

    async fn challenge(&self, name: &str) -> String {
        let outcome = self.login(name, PASSWORD).await.ok().await;
        outcome["challenge"]["challenge"].as_str().unwrap().to_owned()
    }

    async fn answer(&self, challenge: &str, code: &str) -> Reply {
        self.post("", "/v1/auth/challenge", json!({ "challenge": challenge, "code": code })).await
    }

    /// Enrols an authenticator; returns its secret, the recovery codes and the new token. The code of the present step
    /// is used up by it.
    async fn enrol(&self, name: &str) -> (Vec<u8>, Vec<String>, String) {
        let token = self.session(name).await;
        let begun = self.post(&token, "/v1/auth/totp", json!({ "password": PASSWORD })).await.ok().await;
        let seed = unbase32(begun["secret"].as_str().unwrap());
        let confirm = json!({ "code": self.code(&seed) });
        let confirmed = self.post(&token, "/v1/auth/totp/confirm", confirm).await.ok().await;
        let codes = confirmed["codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned());
        let new = confirmed["session"]["token"].as_str().unwrap().to_owned();
        self.post(&token, "/v1/auth/logout", json!({})).await.problem("auth.credential_invalid").await;
        (seed, codes.collect(), new)
    }

    /// The code of the present step.
    fn code(&self, seed: &[u8]) -> String {
        use mainstay_core::Clock;
        let now_s = u64::try_from(self.clock.now().as_millis() / 1_000).unwrap();
        let built = totp_rs::Builder::new().with_algorithm(totp_rs::Algorithm::SHA1).with_secret(seed.to_vec());
        built.with_step_duration(30).build().unwrap().generate(now_s).to_string()
    }

    async fn entries(&self) -> Vec<Value> {
        let query = PageQuery { chain: ChainId::Server, order: Order::After(0), limit: 1_000 };
        let stored = self.site.stores.audit.page(query).await.unwrap();
        stored.iter().map(|entry| serde_json::from_str(&entry.body).unwrap()).collect()
    }
}

/// Bytes from base32 (RFC 4648), without padding.
fn unbase32(text: &str) -> Vec<u8> {
    let digit = |c: u8| if c.is_ascii_uppercase() { c - b'A' } else { c - b'2' + 26 };
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for c in text.bytes() {
        held = (held << 5 | u32::from(digit(c))) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}

#[tokio::test]
async fn a_code_is_accepted_once_and_the_one_that_confirmed_the_authenticator_not_again() {
    let bed = Bed::start().await;
    bed.add("ada").await;
    let (seed, _, _) = bed.enrol("ada").await;
    let challenge = bed.challenge("ada").await;
    bed.answer(&challenge, &bed.code(&seed)).await.problem("auth.login_failed").await;
    bed.clock.advance(STEP_MS);
    let code = bed.code(&seed);
    let session = bed.answer(&challenge, &code).await.ok().await;
    let whoami = bed.with(session["token"].as_str().unwrap(), Method::GET, "/v1/whoami", &json!({})).await.ok().await;
    assert!(whoami["principal"].as_str().unwrap().starts_with("user:usr-"), "{whoami}");
    bed.answer(&challenge, &code).await.problem("auth.challenge_invalid").await;
    let again = bed.challenge("ada").await;
    bed.answer(&again, &code).await.problem("auth.login_failed").await;
}

#[tokio::test]
async fn of_the_same_code_at_once_one_is_accepted() {
    let bed = Bed::start().await;
    bed.add("ada").await;
    let (seed, _, _) = bed.enrol("ada").await;
    bed.clock.advance(STEP_MS);
    let code = bed.code(&seed);
    let challenges = [bed.challenge("ada").await, bed.challenge("ada").await, bed.challenge("ada").await];
    let answers = join_all(challenges.iter().map(|challenge| bed.answer(challenge, &code))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status.is_success()).count(), 1);
}

#[tokio::test]
async fn of_a_recovery_code_at_once_one_use_counts() {
    let bed = Bed::start().await;
    bed.add("ada").await;
    let (_, codes, _) = bed.enrol("ada").await;
    let challenges = [bed.challenge("ada").await, bed.challenge("ada").await, bed.challenge("ada").await];
    let body = |challenge: &String| json!({ "challenge": challenge, "recovery_code": codes[0] });
    let answers = challenges.iter().map(|challenge| bed.post("", "/v1/auth/challenge", body(challenge)));
    let answers = join_all(answers).await;
    assert_eq!(answers.iter().filter(|answer| answer.status.is_success()).count(), 1);
}

#[tokio::test]
async fn guesses_count_on_every_surface_together_and_a_locked_account_tells_nothing() {
    let bed = Bed::start().await;
    bed.add("ada").await;
    let (_, _, token) = bed.enrol("ada").await;
    bed.login("ada", "wrong password 1").await.problem("auth.login_failed").await;
    bed.login("ADA", "wrong password 2").await.problem("auth.login_failed").await;
    let change = json!({ "password": "wrong password 3", "new_password": "another long password" });
    bed.post(&token, "/v1/auth/password", change.clone()).await.problem("auth.login_failed").await;
    let proof = json!({ "password": "wrong password 4", "code": "000000" });
    bed.with(&token, Method::DELETE, "/v1/auth/totp", &proof).await.problem("auth.login_failed").await;
    bed.post(&token, "/v1/auth/recovery-codes", proof.clone()).await.problem("auth.login_failed").await;
    let right = bed.login("ada", PASSWORD).await;
    assert_eq!(right.headers["retry-after"], "30");
    let right = right.problem("auth.locked").await;
    let wrong = bed.login("ada", "wrong password 5").await.problem("auth.locked").await;
    assert_eq!(right["detail"], wrong["detail"]);
    bed.post(&token, "/v1/auth/password", change).await.problem("auth.locked").await;
    bed.with(&token, Method::DELETE, "/v1/auth/totp", &proof).await.problem("auth.locked").await;
    bed.clock.advance(30_001);
    bed.challenge("ada").await;
}

#[tokio::test]
async fn of_a_hundred_guesses_at_once_five_are_looked_at() {
    let bed = Bed::start().await;
    bed.add("ada").await;
    let guesses: Vec<String> = (0..100).map(|number| format!("a wrong password {number}")).collect();
    let answers = join_all(guesses.iter().map(|guess| bed.login("ada", guess))).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
    assert_eq!((count(401), count(429)), (5, 95));
}

#[tokio::test]
async fn a_name_that_nobody_has_is_answered_like_one_that_somebody_has() {
    let bed = Bed::start().await;
    bed.add("ada").await;
    for _ in 0..7 {
        let told = |reply: Reply| async move {
            let wait = reply.headers.get("retry-after").cloned();
            let mut problem = reply.json().await;
            problem.as_object_mut().unwrap().remove("request_id");
            (wait, problem)
        };
        let (known, unknown) = (bed.login("ada", "a wrong password").await, bed.login("eve", "a wrong password").await);
        assert_eq!(known.status, unknown.status);
        assert_eq!(told(known).await, told(unknown).await);
    }
}

#[tokio::test]
async fn a_challenge_dies_of_five_answers_even_of_right_ones_after() {
    let bed = Bed::start().await;
    bed.add("ada").await;
    let (seed, _, _) = bed.enrol("ada").await;
    bed.clock.advance(STEP_MS);
    let challenge = bed.challenge("ada").await;
    for _ in 0..5 {
        let reply = bed.answer(&challenge, "12345x").await;
        assert!(matches!(reply.status.as_u16(), 401 | 429), "{}", reply.status);
    }
    bed.answer(&challenge, &bed.code(&seed)).await.problem("auth.challenge_invalid").await;
}

#[tokio::test]
async fn a_session_that_ends_while_requests_are_under_way_is_not_brought_back_by_them() {
    let bed = Bed::start().await;
    let id = bed.add("ada").await;
    let token = bed.session("ada").await;
    // Late enough that every use would be written down.
    bed.clock.advance(120_000);
    let path = format!("/v1/users/{id}/sessions");
    let nothing = json!({});
    let uses = (0..40).map(|_| bed.with(&token, Method::GET, "/v1/whoami", &nothing));
    let (_, ended) = tokio::join!(join_all(uses), bed.site.call(Call::new(Method::DELETE, &path)));
    assert_eq!(ended.ok().await["ended"], 1);
    bed.with(&token, Method::GET, "/v1/whoami", &nothing).await.problem("auth.credential_invalid").await;
    let left = bed.site.call(Call::get(&path)).await.ok().await;
    assert_eq!(left["sessions"], json!([]));
}

#[tokio::test]
async fn a_new_password_ends_every_other_session_and_renews_this_one() {
    let bed = Bed::start().await;
    bed.add("ada").await;
    let (token, other) = (bed.session("ada").await, bed.session("ada").await);
    let change = json!({ "password": PASSWORD, "new_password": "another long password" });
    let renewed = bed.post(&token, "/v1/auth/password", change).await;
    assert_eq!(renewed.headers["cache-control"], "no-store");
    let renewed = renewed.ok().await;
    for dead in [&token, &other] {
        bed.with(dead, Method::GET, "/v1/whoami", &json!({})).await.problem("auth.credential_invalid").await;
    }
    let token = renewed["token"].as_str().unwrap();
    let sessions = bed.with(token, Method::GET, "/v1/auth/sessions", &json!({})).await.ok().await;
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(sessions["sessions"][0]["current"], true);
}

#[tokio::test]
async fn where_there_is_a_second_factor_a_new_password_needs_a_code_of_it() {
    let bed = Bed::start().await;
    bed.add("ada").await;
    let (seed, _, token) = bed.enrol("ada").await;
    bed.clock.advance(STEP_MS);
    let change = |code: Option<String>| {
        let mut change = json!({ "password": PASSWORD, "new_password": "another long password" });
        if let Some(code) = code {
            change["code"] = json!(code);
        }
        bed.post(&token, "/v1/auth/password", change)
    };
    let problem = change(None).await.problem("auth.second_factor_required").await;
    assert_eq!((&problem["status"], &problem["applied"]), (&json!(403), &json!("no")));
    change(Some("000000".into())).await.problem("auth.login_failed").await;
    bed.with(&token, Method::GET, "/v1/whoami", &json!({})).await.ok().await;
    change(Some(bed.code(&seed))).await.ok().await;
    bed.login("ada", PASSWORD).await.problem("auth.login_failed").await;
}

#[tokio::test]
async fn a_user_who_is_disabled_or_may_do_less_is_out_at_once() {
    let bed = Bed::start().await;
    let id = bed.add("ada").await;
    for change in [json!({ "disabled": true }), json!({ "disabled": false, "grants": [{ "role": "viewer" }] })] {
        let token = match change["disabled"] == true {
            true => bed.session("ada").await,
            false => String::from("ms_none"),
        };
        let path = format!("/v1/users/{id}");
        bed.site.call(Call::new(Method::PATCH, &path).body(change.to_string())).await.ok().await;
        bed.with(&token, Method::GET, "/v1/whoami", &json!({})).await.problem("auth.credential_invalid").await;
    }
    let token = bed.session("ada").await;
    let send = crate::support::message(&["bob"], "hello");
    bed.post(&token, "/v1/mail/messages", send).await.problem("auth.forbidden").await;
}

#[tokio::test]
async fn a_key_allows_what_it_was_given_and_nobody_gives_what_he_does_not_have() {
    let bed = Bed::start().await;
    let key = json!({ "name": "reader", "scopes": ["mail:read"], "namespaces": ["team-a"] });
    let made = bed.site.call(Call::post("/v1/keys", key)).await;
    assert_eq!(made.headers["cache-control"], "no-store");
    let made = made.ok().await;
    let (token, id) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    // A key of one namespace need not name it.
    let listed = bed.with(token, Method::GET, "/v1/mail/messages", &json!({})).await;
    assert_eq!(listed.status, 200);
    bed.post(token, "/v1/mail/messages", crate::support::message(&["b"], "s")).await.problem("auth.forbidden").await;
    bed.with(token, Method::GET, "/v1/keys", &json!({})).await.problem("auth.forbidden").await;
    let admin = json!({ "name": "admin", "role": "admin" });
    let admin = bed.site.call(Call::post("/v1/keys", admin)).await.ok().await;
    let admin = admin["token"].as_str().unwrap();
    let owner = json!({ "name": "more", "role": "owner" });
    bed.post(admin, "/v1/keys", owner.clone()).await.problem("auth.forbidden").await;
    let boss = json!({ "name": "boss", "password": PASSWORD, "grants": [{ "role": "owner" }] });
    bed.post(admin, "/v1/users", boss).await.problem("auth.forbidden").await;
    let ended = bed.site.call(Call::new(Method::DELETE, &format!("/v1/keys/{id}"))).await;
    assert_eq!(ended.status, 204);
    bed.with(token, Method::GET, "/v1/mail/messages", &json!({})).await.problem("auth.credential_invalid").await;
    bed.site.call(Call::get(&format!("/v1/keys/{id}"))).await.problem("identity.not_found").await;
}

#[tokio::test]
async fn what_is_done_to_accounts_is_recorded_by_id_and_without_names() {
    let bed = Bed::start().await;
    let id = bed.add("a-name-of-somebody").await;
    bed.login("a-name-of-somebody", "a wrong password").await.problem("auth.login_failed").await;
    bed.login("a-name-of-nobody", "a wrong password").await.problem("auth.login_failed").await;
    bed.session("a-name-of-somebody").await;
    let entries = bed.entries().await;
    let found = |action: &str, outcome: &str| {
        let wanted = |entry: &&Value| entry["action"] == action && entry["outcome"] == outcome;
        entries.iter().find(wanted).unwrap_or_else(|| panic!("{action} {outcome}: {entries:?}"))
    };
    assert_eq!(found("users.add", "success")["resource"]["id"], id);
    assert_eq!(found("auth.login", "refused")["principal"], "anonymous");
    assert_eq!(found("auth.login", "success")["principal"], format!("user:{id}"));
    let text = Value::from(entries.clone()).to_string();
    assert!(!text.contains("a-name-of-") && !text.contains("password\":"), "{text}");
}

#[tokio::test]
async fn every_attempt_at_an_account_names_it_in_the_trail_and_one_at_none_names_nothing() {
    let bed = Bed::start().await;
    let id = bed.add("ada").await;
    let (seed, ..) = bed.enrol("ada").await;
    let before = bed.entries().await.len();
    bed.clock.advance(STEP_MS);
    bed.login("ada", "a wrong password").await.problem("auth.login_failed").await;
    bed.login("nobody", "a wrong password").await.problem("auth.login_failed").await;
    let challenge = bed.challenge("ada").await;
    bed.answer(&challenge, "000000").await.problem("auth.login_failed").await;
    bed.answer("mc_unknown", "000000").await.problem("auth.challenge_invalid").await;
    bed.answer(&challenge, &bed.code(&seed)).await.ok().await;
    for _ in 0..5 {
        bed.login("ada", "a wrong password").await.problem("auth.login_failed").await;
    }
    bed.login("ada", "a wrong password").await.problem("auth.locked").await;
    let told: Vec<_> = bed.entries().await.split_off(before).iter().map(attempt).collect();
    let (ada, nobody) = (json!({ "kind": "account", "id": id }), json!({ "kind": "account" }));
    let refused = |action: &str, at: &Value| (json!(action), json!("anonymous"), json!("refused"), at.clone());
    let mut expected = vec![
        refused("auth.login", &ada),
        refused("auth.login", &nobody),
        // The password was right, and who has shown no more than that is nobody yet.
        (json!("auth.login"), json!("anonymous"), json!("success"), ada.clone()),
        refused("auth.challenge", &ada),
        refused("auth.challenge", &nobody),
        (json!("auth.challenge"), json!(format!("user:{id}")), json!("success"), ada.clone()),
    ];
    expected.extend((0..6).map(|_| refused("auth.login", &ada)));
    assert_eq!(told, expected);
}

/// What was tried, by whom, how it ended, and at which account.
fn attempt(entry: &Value) -> (Value, Value, Value, Value) {
    (entry["action"].clone(), entry["principal"].clone(), entry["outcome"].clone(), entry["resource"].clone())
}
