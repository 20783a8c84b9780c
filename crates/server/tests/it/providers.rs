//! Pools of providers over HTTP, on both kinds of store.

use crate::support::sealing::{TEXT, member, patch, put, send, setup, sites};
use crate::support::{Call, Reply, SOON, Site};
use http::{Method, StatusCode};
use mainstay_core::Caller;
use mainstay_core::api::providers::{LeaseId, PoolType};
use mainstay_core::api::{RawJson, Timestamp};
use mainstay_core::providers::{
    ChangePool, Choice, Choose, Failure, FailureClass, Finish, FinishUses, Outcome, PoolChange, PoolName,
    SelectionRules,
};
use mainstay_core::secrets::KeyRing;
use mainstay_server::CircuitLook;
use serde_json::{Value, json};
use std::time::Duration;

const POOL: &str = "/v1/providers/openai-custom";
const ONE: &str = "/v1/providers/openai-custom/a";
async fn post(site: &Site, path: &str, body: Value) -> Reply {
    site.call(Call::post(path, body)).await
}

async fn read(site: &Site, path: &str) -> Value {
    site.call(Call::get(path)).await.ok().await
}

/// The text of the settings in an answer, byte for byte.
async fn settings(reply: Reply) -> String {
    member(reply, "settings").await
}

/// A request that a node sends to some provider of the pool.
struct Asked<'a> {
    site: &'a Site,
    name: PoolName,
}

impl<'a> Asked<'a> {
    fn of(site: &'a Site) -> Self {
        let pool = PoolType::parse("openai-custom").unwrap();
        Self { site, name: PoolName { namespace: Caller::owner().namespace, pool } }
    }

    /// Chooses a provider, as a node does before it sends a request.
    async fn choose(&self, lease: &str) -> String {
        let choose = Choose {
            pool: self.name.clone(),
            model: None,
            sticky: None,
            except: Vec::new(),
            lease: LeaseId::parse(lease).unwrap(),
            node: "n".into(),
            lease_for: Duration::from_secs(60),
            rules: SelectionRules::default(),
            now: self.now(),
        };
        match self.site.stores.providers.choose(choose).await.unwrap() {
            Choice::Chosen(chosen) => chosen.provider.as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// Says how a request to the provider `a` went.
    async fn finish(&self, lease: &str, outcome: Outcome) {
        let (lease, provider) = (LeaseId::parse(lease).unwrap(), "a".to_owned().try_into().unwrap());
        let finish = Finish { lease, provider, node: "n".into(), outcome, first_byte: None };
        let (pool, rules, now) = (self.name.clone(), SelectionRules::default(), self.now());
        self.site.stores.providers.finish(FinishUses { pool, uses: vec![finish], rules, now }).await.unwrap();
    }

    fn now(&self) -> Timestamp {
        self.site.services.clock.now()
    }
}

fn failed() -> Outcome {
    let message = "it said no".to_owned();
    let class = FailureClass::Forbidden;
    Outcome::Failed(Failure { class, message, counts: true, condemns: true, retry_at: None, needs_refresh: false })
}

/// Defects 3 and 17 of the founding system: settings that came back changed (`[]` as `{}`, digits lost, members in another order),
/// and secrets that stood in the store and in answers in clear.
#[tokio::test]
async fn settings_keep_every_byte_and_their_secrets_through_every_way_of_writing() {
    for site in sites().await {
        put(&site, ONE, TEXT).await.ok().await;
        patch(&site, ONE, r#"{"f":2.0,"new":[]}"#).await.ok().await;
        let expected = TEXT.replace("1.50", "2.0");
        let expected = format!("{},\"new\":[]}}", expected.strip_suffix('}').unwrap());
        let masked = expected.replace("sk-secret\\u0021", "********");
        let revealed = async || settings(site.call(Call::get(&format!("{ONE}/revealed"))).await).await;
        assert_eq!(settings(site.call(Call::get(ONE)).await).await, masked);
        assert_eq!(revealed().await, expected);
        let version = read(&site, ONE).await["version"].clone();
        // What was read is written back, alone and with its pool: the secret stays, and so does the version.
        assert_eq!(put(&site, ONE, &masked).await.ok().await["version"], version);
        let whole = format!("{{\"providers\":[{{\"id\":\"a\",\"settings\":{masked}}}]}}");
        put(&site, POOL, &whole).await.ok().await;
        assert_eq!(revealed().await, expected);
        assert_eq!(read(&site, ONE).await["version"], version);
        let stored = site.stores.providers.pool(&Asked::of(&site).name, site.services.clock.now()).await.unwrap();
        let stored = format!("{:?}", stored.unwrap());
        assert!(!stored.contains("sk-secret") && stored.contains("mss1."), "{stored}");
        // A mask where nothing stands is no secret.
        put(&site, "/v1/providers/other/a", &masked).await.problem("request.invalid").await;
    }
}

#[tokio::test]
async fn addresses_with_a_password_and_headers_that_are_added_are_secrets() {
    for site in sites().await {
        let text = json!({"proxy": "socks5://me:pass@proxy.example:1080", "base_url": "https://a.example/v1",
            "headers": {"add": {"authorization": "Basic c2VjcmV0"}, "remove": ["x-a"]}});
        put(&site, ONE, &text.to_string()).await.ok().await;
        let shown = &read(&site, ONE).await["settings"];
        assert_eq!(shown["proxy"], "********");
        assert_eq!(shown["headers"]["add"]["authorization"], "********");
        assert_eq!(shown["base_url"], "https://a.example/v1");
        assert_eq!(read(&site, &format!("{ONE}/revealed")).await["settings"], text);
    }
}

/// Defect 16 of the founding system: whoever wrote last won, and nobody was told.
#[tokio::test]
async fn a_change_names_the_version_that_it_replaces() {
    for site in sites().await {
        let with = async |method: Method, path: &str, header: (&str, &str), text: &str| {
            site.call(Call::new(method, path).header(header.0, header.1).body(text.to_owned())).await
        };
        let none = ("if-none-match", "*");
        let first = with(Method::PUT, ONE, none, r#"{"weight":1}"#).await;
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        first.ok().await;
        with(Method::PUT, ONE, none, r#"{"weight":1}"#).await.ok().await;
        with(Method::PUT, ONE, none, r#"{"weight":2}"#).await.problem("providers.version_conflict").await;
        let second = with(Method::PATCH, ONE, ("if-match", &tag), r#"{"weight":2}"#).await;
        assert_ne!(second.headers["etag"].to_str().unwrap(), tag);
        second.ok().await;
        let late = with(Method::PATCH, ONE, ("if-match", &tag), r#"{"weight":3}"#).await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
        let current = late.problem("providers.version_conflict").await["current_version"].clone();
        assert_eq!(read(&site, ONE).await["version"], current);

        let pool = site.call(Call::get(POOL)).await;
        let tag = pool.headers["etag"].to_str().unwrap().to_owned();
        with(Method::PUT, POOL, ("if-match", &tag), r#"{"settings":{"strategy":"weighted"}}"#).await.ok().await;
        let late = with(Method::PUT, POOL, ("if-match", &tag), r#"{"providers":[]}"#).await;
        late.problem("providers.version_conflict").await;
        with(Method::DELETE, POOL, ("if-match", &tag), "").await.problem("providers.version_conflict").await;
        patch(&site, POOL, r#"{"fallback":["b"]}"#).await.ok().await;
        let pool = read(&site, POOL).await;
        assert_eq!(pool["settings"], json!({"strategy": "weighted", "fallback": ["b"]}));
        assert_eq!(pool["providers"].as_array().unwrap().len(), 1, "settings of a pool remove nobody");
    }
}

#[tokio::test]
async fn a_provider_that_is_added_again_by_the_same_request_is_the_same() {
    for site in sites().await {
        let add = async |request: &str, body: Value| {
            site.call(Call::post(POOL, body).header("idempotency-key", request)).await
        };
        let body = json!({"settings": {"OPENAI_API_KEY": "sk-1"}});
        let first = add("r1", body.clone()).await;
        assert_eq!(first.status, StatusCode::CREATED);
        let place = first.headers["location"].to_str().unwrap().to_owned();
        let made = first.ok().await;
        assert_eq!(add("r1", body.clone()).await.ok().await, made);
        assert_ne!(add("r2", body.clone()).await.ok().await["id"], made["id"]);
        add("r1", json!({"settings": {}})).await.problem("providers.exists").await;
        assert_eq!(read(&site, &place).await, made);
        let pools = read(&site, "/v1/providers").await;
        let expected = json!({"pool": "openai-custom", "revision": pools["pools"][0]["revision"], "providers": 2});
        assert_eq!(pools["pools"], json!([expected]));
    }
}

/// Defect 12 of the founding system: a pool that was replaced was empty meanwhile; and 18: what left it stayed behind in part.
#[tokio::test]
async fn a_pool_is_replaced_as_a_whole_and_who_leaves_it_leaves_nothing_behind() {
    for site in sites().await {
        let whole = |ids: &[&str]| {
            let providers: Vec<_> = ids.iter().map(|id| json!({"id": id, "settings": {"api_key": "k"}})).collect();
            json!({ "providers": providers }).to_string()
        };
        put(&site, POOL, &whole(&["a", "b"])).await.ok().await;
        let credential = format!("{ONE}/credential");
        put(&site, &credential, r#"{"access_token":"t","refresh_token":"r"}"#).await.ok().await;
        let asked = Asked::of(&site);
        assert_eq!(asked.choose("l1").await, "a");
        let writing = async {
            for round in 0..20 {
                put(&site, POOL, &whole(if round % 2 == 0 { &["a", "c"] } else { &["b", "a"] })).await.ok().await;
            }
        };
        let reading = async {
            for _ in 0..40 {
                let pool = read(&site, POOL).await;
                let ids: String =
                    pool["providers"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
                assert!(["ab", "ac", "ba"].contains(&ids.as_str()), "a reader saw {ids:?}");
            }
        };
        tokio::join!(writing, reading);
        let a = read(&site, ONE).await;
        assert_eq!((&a["counters"]["requests"], &a["in_flight"]), (&json!(1), &json!(1)));
        assert!(a["credential"].is_u64(), "who stays keeps the credential: {a}");

        send(&site, Method::DELETE, ONE, "").await;
        site.call(Call::get(ONE)).await.problem("providers.not_found").await;
        site.call(Call::get(&credential)).await.problem("credentials.not_found").await;
        put(&site, ONE, r#"{"api_key":"k"}"#).await.ok().await;
        let again = read(&site, ONE).await;
        assert_eq!((&again["counters"]["requests"], again.get("credential")), (&json!(0), None));
        put(&site, &credential, r#"{"access_token":"t"}"#).await.ok().await;
        assert_eq!(send(&site, Method::DELETE, POOL, "").await.status, StatusCode::NO_CONTENT);
        site.call(Call::get(POOL)).await.problem("providers.not_found").await;
        site.call(Call::get(&credential)).await.problem("credentials.not_found").await;
        send(&site, Method::DELETE, POOL, "").await.problem("providers.not_found").await;
    }
}

#[tokio::test]
async fn what_was_counted_and_shown_is_set_only_where_somebody_says_so() {
    for site in sites().await {
        let health =
            json!({"healthy": false, "failures": 3, "failed_at": "2026-01-25T10:00:00.000Z", "failure": "é\"no"});
        let counters =
            json!({"requests": 1_769_176_045_109_123_u64, "errors": 2, "used_at": "2026-01-25T10:00:00.000Z"});
        let whole = json!({"settings": {}, "providers": [
            {"id": "a", "settings": {"isDisabled": true}, "set_health": health, "set_counters": counters}]});
        put(&site, POOL, &whole.to_string()).await.ok().await;
        let a = read(&site, ONE).await;
        assert_eq!(a["counters"]["requests"], 1_769_176_045_109_123_u64);
        assert_eq!((&a["health"]["healthy"], &a["health"]["failure"]), (&json!(false), &json!("é\"no")));
        // What is read of a provider, written back whole, sets nothing.
        let pool = read(&site, POOL).await;
        post(&site, &format!("{ONE}/reset"), json!({"counters": true})).await.ok().await;
        put(&site, POOL, &pool.to_string()).await.ok().await;
        let a = read(&site, ONE).await;
        assert_eq!((&a["counters"]["requests"], &a["health"]["failures"]), (&json!(0), &json!(3)));
        let too_many = json!({"providers": [{"id": "a", "settings": {}, "set_counters": {"requests": u64::MAX}}]});
        put(&site, POOL, &too_many.to_string()).await.problem("request.invalid").await;
    }
}

#[tokio::test]
async fn people_switch_set_back_and_break_a_provider() {
    for site in sites().await {
        put(&site, ONE, r#"{"isDisabled": false, "note": [ ]}"#).await.ok().await;
        put(&site, "/v1/providers/openai-custom/b", "{}").await.ok().await;
        let act = async |action: &str, body: Value| post(&site, &format!("{ONE}/{action}"), body).await;
        let off = act("disable", json!(null)).await.ok().await;
        assert_eq!((&off["disabled"], &off["settings"]), (&json!(true), &json!({"isDisabled": true, "note": []})));
        let asked = Asked::of(&site);
        assert_eq!(asked.choose("l1").await, "b");
        assert_eq!(act("enable", json!(null)).await.ok().await["disabled"], false);
        assert_eq!(asked.choose("l2").await, "a");
        asked.finish("l2", failed()).await;
        assert_eq!(read(&site, ONE).await["health"]["healthy"], false);

        let forced = act("breaker", json!({"action": "open", "reason": "maintenance"})).await.ok().await;
        assert_eq!(forced["breaker"]["state"], "forced_open");
        assert_eq!(forced["breaker"]["reason"], "maintenance");
        site.services.circuits.close(SOON).await;
        let events = read(&site, "/v1/events/gateway").await;
        assert_eq!(events["events"][0]["type"], "circuit.forced", "{events}");
        CircuitLook::default().run_once(&site.services).await.unwrap();
        let metrics = site.call(Call::get("/metrics")).await.text().await;
        for line in [
            "mainstay_gateway_providers{pool=\"openai-custom\",state=\"ready\"} 1",
            "mainstay_gateway_providers{pool=\"openai-custom\",state=\"unhealthy\"} 1",
            "mainstay_gateway_pool_in_flight{pool=\"openai-custom\"} 1",
        ] {
            assert!(metrics.contains(line), "{line}\n{metrics}");
        }
        assert_eq!(act("reset", json!({"health": true})).await.ok().await["providers"], 1);
        let a = read(&site, ONE).await;
        assert_eq!((&a["health"]["healthy"], &a["counters"]["requests"]), (&json!(true), &json!(1)));
        assert_eq!(a["breaker"]["state"], "forced_open", "until somebody closes it");
        assert_eq!(act("breaker", json!({"action": "close"})).await.ok().await["breaker"]["state"], "closed");
        let all = site.call(Call::new(Method::POST, &format!("{POOL}/reset"))).await.ok().await;
        assert_eq!(all["providers"], 2);
        assert_eq!(read(&site, ONE).await["counters"]["requests"], 0);
        for action in ["enable", "reset", "breaker"] {
            let path = format!("{POOL}/nobody/{action}");
            post(&site, &path, json!({"action": "open"})).await.problem("providers.not_found").await;
        }
        post(&site, "/v1/providers/none/reset", json!({})).await.problem("providers.not_found").await;
    }
}

/// Defects 1, 2 and 15 of the founding system: each instance counted for itself and wrote its own sum over that of others, a start set
/// counts to 0, and errors drifted apart; and 16: no instance saw what another one changed.
#[tokio::test]
async fn nodes_count_and_see_the_same() {
    let ring = KeyRing::generate().unwrap();
    let first = Site::start_with(setup(&ring)).await;
    let second = first.beside_with(setup(&ring)).await;
    put(&first, ONE, r#"{"checkHealth": false}"#).await.ok().await;
    let ask = async |site: &Site, node: usize| {
        let asked = Asked::of(site);
        for round in 0..25 {
            let lease = format!("n{node}-{round}");
            asked.choose(&lease).await;
            let slow = Failure { condemns: false, counts: false, ..failure() };
            asked.finish(&lease, if round % 5 == 0 { Outcome::Failed(slow) } else { Outcome::Success }).await;
        }
    };
    tokio::join!(ask(&first, 1), ask(&second, 2), patch(&second, ONE, r#"{"name":"new"}"#));
    let third = first.beside_with(setup(&ring)).await;
    for site in [&first, &second, &third] {
        let a = read(site, ONE).await;
        assert_eq!((&a["counters"]["requests"], &a["counters"]["errors"]), (&json!(50), &json!(10)));
        assert_eq!((&a["settings"]["name"], &a["in_flight"]), (&json!("new"), &json!(0)));
    }
}

fn failure() -> Failure {
    match failed() {
        Outcome::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_and_nothing_is_written() {
    for site in sites().await {
        for (text, named) in [
            (r#"{"weight":0}"#, "`weight`"),
            (r#"{"base_url":"file:///etc/passwd"}"#, "`base_url`"),
            (r#"{"disabled":"yes"}"#, "`disabled`"),
            (r#"{"oauth":{"client_id":"c","timeout_ms":1}}"#, "`oauth.timeout_ms`"),
            ("[]", "object"),
            (r#"{"a":1,"a":2}"#, "twice"),
        ] {
            let problem = put(&site, ONE, text).await.problem("request.invalid").await;
            assert!(problem["detail"].as_str().unwrap().contains(named), "{problem}");
        }
        for settings in [r#"{"strategy":"best"}"#, r#"{"oauth":{"token_url":"https://a.example","client_secret":"s"}}"#]
        {
            put(&site, POOL, &format!("{{\"settings\":{settings}}}")).await.problem("request.invalid").await;
        }
        put(&site, POOL, "{}").await.problem("request.invalid").await;
        let twice = r#"{"providers":[{"id":"a","settings":{}},{"id":"a","settings":{}}]}"#;
        put(&site, POOL, twice).await.problem("request.invalid").await;
        put(&site, &format!("{POOL}/a%20b"), "{}").await.problem("request.invalid").await;
        put(&site, ONE, &format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1_024))).await.problem("request.too_large").await;
        post(&site, POOL, json!({"id": "reset", "settings": {}})).await.problem("request.invalid").await;
        patch(&site, ONE, "{}").await.problem("providers.not_found").await;
        assert_eq!(read(&site, "/v1/providers").await["pools"], json!([]));
    }
}

#[tokio::test]
async fn a_pool_and_a_namespace_have_room_for_so_many() {
    for site in sites().await {
        let many = |count: u32| {
            let providers: Vec<_> = (0..count).map(|n| json!({"id": format!("p{n}"), "settings": {}})).collect();
            json!({ "providers": providers }).to_string()
        };
        put(&site, POOL, &many(1_001)).await.problem("providers.full").await;
        put(&site, POOL, &many(1_000)).await.ok().await;
        put(&site, ONE, "{}").await.problem("providers.full").await;
        let asked = Asked::of(&site);
        for number in 1..256 {
            let pool = PoolName { pool: PoolType::parse(format!("pool-{number}")).unwrap(), ..asked.name.clone() };
            let change = PoolChange::Settings(RawJson::empty_object());
            let change = ChangePool { pool, change, expected: None, max_providers: 1, now: asked.now() };
            site.stores.providers.change(change).await.unwrap();
        }
        put(&site, "/v1/providers/more/a", "{}").await.problem("providers.full").await;
        put(&site, "/v1/providers/more", r#"{"settings":{}}"#).await.problem("providers.full").await;
        put(&site, "/v1/providers/pool-1/b", "{}").await.ok().await;
        let elsewhere = Call::new(Method::PUT, "/v1/providers/more/a").header("mainstay-namespace", "other").body("{}");
        site.call(elsewhere).await.ok().await;
    }
}

#[tokio::test]
async fn who_may_do_what_and_what_is_recorded_of_it() {
    for site in sites().await {
        put(&site, ONE, r#"{"api_key":"sk-secret"}"#).await.ok().await;
        let reader = site.key(&["providers:read"]).await.token;
        let writer = site.key(&["providers:read", "providers:write"]).await.token;
        let revealed = format!("{ONE}/revealed");
        site.call(Call::get(ONE).with(&reader)).await.ok().await;
        for path in [&revealed, "/v1/audit/entries"] {
            site.call(Call::get(path).with(&writer)).await.problem("auth.forbidden").await;
        }
        let change = |token: &str| Call::new(Method::PATCH, ONE).body(r#"{"name":"n"}"#).with(token);
        site.call(change(&reader)).await.problem("auth.forbidden").await;
        site.call(change(&writer)).await.ok().await;
        site.call(Call::get(&revealed)).await.ok().await;
        let made = post(&site, POOL, json!({"settings": {}})).await.ok().await["id"].as_str().unwrap().to_owned();
        let trail = site.call(Call::get("/v1/audit/entries")).await.text().await;
        for told in ["providers.put", "providers.patch", "providers.reveal", "providers.add", "openai-custom/a"] {
            assert!(trail.contains(told), "{told} in {trail}");
        }
        assert!(trail.contains(&format!("openai-custom/{made}")), "{trail}");
        assert!(!trail.contains("sk-secret"));
        // Another namespace has another pool of this name.
        let elsewhere = Call::get(ONE).header("mainstay-namespace", "other");
        site.call(elsewhere).await.problem("providers.not_found").await;
    }
}

#[tokio::test]
async fn settings_are_sealed_anew_after_a_rotation_and_stay_the_same_settings() {
    let ring = KeyRing::generate().unwrap();
    for first in [Site::start_with(setup(&ring)).await, Site::on_file(setup(&ring)).await] {
        let before = put(&first, ONE, r#"{"api_key":"sk-1"}"#).await.ok().await;
        put(&first, "/v1/providers/b/a", r#"{"api_key":"sk-2"}"#).await.ok().await;
        let rotated = ring.rotated().unwrap();
        let second = first.beside_with(setup(&rotated)).await;
        let owner = Caller::owner();
        assert_eq!(second.services.reseal(&owner).await.unwrap(), 2);
        assert_eq!(second.services.reseal(&owner).await.unwrap(), 0);
        let keys = second.services.seal_keys(&owner).await.unwrap();
        assert_eq!(keys.into_iter().collect::<Vec<_>>(), [rotated.primary().id.clone()]);
        let alone = second.beside_with(setup(&rotated.without(&ring.primary().id).unwrap())).await;
        alone.services.check_ring().await.unwrap();
        assert_eq!(read(&alone, ONE).await, before);
        assert_eq!(read(&alone, &format!("{ONE}/revealed")).await["settings"]["api_key"], "sk-1");
        let missing = first.services.check_ring().await.unwrap_err();
        assert_eq!(missing.code().as_str(), "secrets.key_missing");
    }
}

/// Where nothing seals, nothing secret is taken.
#[tokio::test]
async fn without_a_ring_no_secret_is_written() {
    for site in Site::each().await {
        put(&site, ONE, r#"{"api_key":"sk-1"}"#).await.problem("secrets.key_missing").await;
        put(&site, ONE, r#"{"base_url":"https://a.example"}"#).await.ok().await;
    }
}
