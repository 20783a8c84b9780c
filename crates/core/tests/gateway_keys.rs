//! The rules of gateway keys.

use mainstay_core::api::gateway::{
    BudgetPeriod, ChangeGatewayKey, CreateGatewayKey, GatewayLimits, ImportGatewayKeys, ListGatewayKeys,
    ListGatewayUsage,
};
use mainstay_core::api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_core::api::{Code, RawJson};
use mainstay_core::providers::keys::{
    Ask, GatewayKeyService, KeyRules, KeyStore, Meter, PriceTable, Prospect, Reserve, Settlement, Spent, Ticket,
};
use mainstay_core::secrets::KeyRing;
use mainstay_core::{Caller, FakeClock, RandomMint, Result, Scope};
use mainstay_testkit::model;
use std::sync::Arc;
use std::time::Duration;

/// 2026-11-25T12:00:00Z.
const NOON_MS: i64 = 1_795_608_000_000;

struct Desk {
    store: Arc<dyn KeyStore>,
    clock: Arc<FakeClock>,
    keys: GatewayKeyService,
    meter: Meter,
}

fn desk() -> Desk {
    desk_with(KeyRules { ring: Some(KeyRing::generate().unwrap()), ..KeyRules::default() })
}

fn desk_with(rules: KeyRules) -> Desk {
    on(model::stores().gateway_keys, Arc::new(FakeClock::at(NOON_MS)), rules)
}

fn on(store: Arc<dyn KeyStore>, clock: Arc<FakeClock>, rules: KeyRules) -> Desk {
    let keys = GatewayKeyService::new(store.clone(), clock.clone(), Arc::new(RandomMint), rules);
    let meter = Meter::new(store.clone(), clock.clone(), Arc::new(()));
    Desk { store, clock, keys, meter }
}

fn owner() -> Caller {
    Caller::owner()
}

fn named(name: &str) -> CreateGatewayKey {
    CreateGatewayKey { name: name.into(), ..CreateGatewayKey::default() }
}

fn prices() -> PriceTable {
    PriceTable::parse(&RawJson::parse(r#"{"models":{"gpt-4o*":{"input":2.5,"output":10}}}"#).unwrap()).unwrap()
}

impl Desk {
    async fn ask(&self, secret: &str, request: &str, model: &str) -> Result<Ticket> {
        let prospect = Prospect { prompt_bytes: 300, max_output_tokens: Some(100), answers: 1 };
        let reserve = prices().estimate(model, prospect);
        self.ask_for(secret, request, model, reserve).await
    }

    async fn ask_for(&self, secret: &str, request: &str, model: &str, reserve: Reserve) -> Result<Ticket> {
        let pool = PoolType::parse("openai").unwrap();
        let request = LeaseId::parse(request).unwrap();
        let flight = Duration::from_secs(60);
        self.meter.admit(Ask { secret, request, model: Some(model), pool: Some(&pool), reserve, flight }).await
    }

    async fn settle(&self, ticket: &Ticket, input_tokens: u64, output_tokens: u64) -> bool {
        let spent = Spent { input_tokens, output_tokens, reported: true, ..Spent::default() };
        let (pool, provider) = (PoolType::parse("openai").unwrap(), ProviderId::parse("p1").unwrap());
        let settlement = Settlement { pool, provider, model: "gpt-4o", spent, failed: false };
        self.meter.settle(ticket, settlement, &prices()).await.unwrap()
    }

    async fn import(&self, file: &str) -> mainstay_core::api::gateway::ImportedGatewayKeys {
        let import = ImportGatewayKeys { file: RawJson::parse(file).unwrap(), dry_run: false };
        self.keys.import(&owner(), import).await.unwrap()
    }
}

fn code<T: std::fmt::Debug>(outcome: Result<T>) -> Code {
    outcome.unwrap_err().code()
}

#[tokio::test]
async fn a_key_is_made_used_settled_and_told() {
    let desk = desk();
    let limits = GatewayLimits { budget_millionths: Some(3_000), ..GatewayLimits::default() };
    let made = desk.keys.create(&owner(), CreateGatewayKey { limits, ..named("ada") }).await.unwrap();
    assert!(made.secret.starts_with("mgw_") && made.secret.len() == 47);
    assert!(!format!("{made:?}").contains(&made.secret));
    let ticket = desk.ask(&made.secret, "r1", "gpt-4o").await.unwrap();
    let key = desk.keys.read(&owner(), &made.key.id).await.unwrap();
    assert_eq!((key.used.requests, key.used.in_flight, key.used.spent_millionths), (1, 1, 250 + 1_000));
    assert_eq!(key.limits.budget_period, Some(BudgetPeriod::Month), "where nobody says");
    assert!(desk.settle(&ticket, 100, 20).await);
    assert!(!desk.settle(&ticket, 100, 20).await, "once");
    let key = desk.keys.read(&owner(), &made.key.id).await.unwrap();
    assert_eq!((key.used.tokens, key.used.in_flight, key.used.spent_millionths), (120, 0, 450));
    let usage = desk.keys.usage(&owner(), ListGatewayUsage::default()).await.unwrap().items;
    assert_eq!(usage.len(), 1);
    let row = &usage[0];
    assert_eq!((row.day.as_str(), row.key.as_str(), row.model.as_str()), ("2026-11-25", key.id.as_str(), "gpt-4o"));
    assert_eq!((row.requests, row.input_tokens, row.output_tokens, row.cost_millionths), (1, 100, 20, 450));
}

#[tokio::test]
async fn what_a_key_does_not_name_is_refused_and_counts_nothing() {
    let desk = desk();
    let wanted = CreateGatewayKey { models: vec!["gpt-4o*".into()], pools: vec!["openai".into()], ..named("ada") };
    let made = desk.keys.create(&owner(), wanted).await.unwrap();
    assert_eq!(code(desk.ask(&made.secret, "r1", "claude-opus").await), Code::GatewayModelRefused);
    let elsewhere = PoolType::parse("claude").unwrap();
    let ask = Ask {
        secret: &made.secret,
        request: LeaseId::parse("r2").unwrap(),
        model: Some("gpt-4o"),
        pool: Some(&elsewhere),
        reserve: Reserve::default(),
        flight: Duration::from_secs(1),
    };
    assert_eq!(code(desk.meter.admit(ask).await), Code::GatewayModelRefused);
    let key = desk.keys.read(&owner(), &made.key.id).await.unwrap();
    assert_eq!((key.used.requests, key.used.requests_today, key.used.in_flight), (0, 0, 0));
    assert!(desk.ask(&made.secret, "r3", "gpt-4o-mini").await.is_ok());
    let known = desk.meter.recognise(&made.secret).await.unwrap().unwrap();
    assert!(known.allows_model("gpt-4o") && !known.allows_model("claude") && !known.allows_pool(&elsewhere));
}

#[tokio::test]
async fn keys_that_are_none_disabled_or_over_are_refused_each_in_its_way() {
    let desk = desk();
    let made = desk.keys.create(&owner(), named("ada")).await.unwrap();
    for wrong in ["", "mgw_x", &made.secret[1..], &"x".repeat(10_000)] {
        assert_eq!(code(desk.ask(wrong, "r1", "m").await), Code::CredentialInvalid);
        assert!(desk.meter.recognise(wrong).await.unwrap().is_none());
    }
    let admin = owner();
    let change = |change| desk.keys.change(&admin, &made.key.id, change);
    change(ChangeGatewayKey { disabled: Some(true), ..ChangeGatewayKey::default() }).await.unwrap();
    assert_eq!(code(desk.ask(&made.secret, "r1", "m").await), Code::GatewayKeyRefused);
    assert!(desk.meter.recognise(&made.secret).await.unwrap().is_none());
    let ends = mainstay_core::api::Timestamp::from_millis(NOON_MS + 10);
    let enabled = ChangeGatewayKey { disabled: Some(false), expires_at: Some(ends), ..ChangeGatewayKey::default() };
    change(enabled).await.unwrap();
    assert!(desk.ask(&made.secret, "r1", "m").await.is_ok());
    desk.clock.advance(10);
    assert_eq!(code(desk.ask(&made.secret, "r2", "m").await), Code::GatewayKeyRefused);
    change(ChangeGatewayKey { never_expires: true, ..ChangeGatewayKey::default() }).await.unwrap();
    assert!(desk.ask(&made.secret, "r2", "m").await.is_ok());
    desk.keys.remove(&owner(), &made.key.id).await.unwrap();
    assert_eq!(code(desk.ask(&made.secret, "r3", "m").await), Code::CredentialInvalid);
    assert_eq!(code(desk.keys.remove(&owner(), &made.key.id).await), Code::GatewayKeyNotFound);
}

#[tokio::test]
async fn a_limit_says_when_to_come_back() {
    let desk = desk();
    let limits = GatewayLimits { requests_per_minute: Some(1), ..GatewayLimits::default() };
    let made = desk.keys.create(&owner(), CreateGatewayKey { limits, ..named("ada") }).await.unwrap();
    desk.ask(&made.secret, "r1", "m").await.unwrap();
    desk.clock.advance(1_000);
    let refused = desk.ask(&made.secret, "r2", "m").await.unwrap_err();
    assert_eq!((refused.code(), refused.problem.retry_after_ms), (Code::GatewayLimited, Some(59_000)));
    let budget = GatewayLimits {
        budget_millionths: Some(1_000),
        budget_period: Some(BudgetPeriod::Day),
        ..GatewayLimits::default()
    };
    let made = desk.keys.create(&owner(), CreateGatewayKey { limits: budget, ..named("bob") }).await.unwrap();
    let refused = desk.ask(&made.secret, "r1", "gpt-4o").await.unwrap_err();
    let midnight_ms = 12 * 60 * 60 * 1_000 - 1_000;
    assert_eq!((refused.code(), refused.problem.retry_after_ms), (Code::GatewayBudgetSpent, Some(midnight_ms)));
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name_and_notices_another() {
    let desk = desk();
    let limits = GatewayLimits { requests_per_day: Some(5), bonus_requests: 2, ..GatewayLimits::default() };
    let made = desk.keys.create(&owner(), CreateGatewayKey { limits, ..named("ada") }).await.unwrap();
    let id = &made.key.id;
    let rename = ChangeGatewayKey { name: Some("eve".into()), expected: Some(1), ..ChangeGatewayKey::default() };
    let changed = desk.keys.change(&owner(), id, rename.clone()).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.version, changed.limits.requests_per_day), ("eve", 2, Some(5)));
    assert_eq!(code(desk.keys.change(&owner(), id, rename).await), Code::GatewayKeyVersion);
    for broken in [
        ChangeGatewayKey { name: Some(" ".into()), ..ChangeGatewayKey::default() },
        ChangeGatewayKey { pools: Some(vec!["a b".into()]), ..ChangeGatewayKey::default() },
        ChangeGatewayKey { models: Some(vec![String::new()]), ..ChangeGatewayKey::default() },
        ChangeGatewayKey { expires_at: Some(made.key.created_at), ..ChangeGatewayKey::default() },
        ChangeGatewayKey {
            limits: Some(GatewayLimits { budget_period: Some(BudgetPeriod::Day), ..GatewayLimits::default() }),
            ..ChangeGatewayKey::default()
        },
    ] {
        assert_eq!(code(desk.keys.change(&owner(), id, broken).await), Code::InvalidRequest);
    }
    let listed = desk.keys.list(&owner(), ListGatewayKeys::default()).await.unwrap();
    assert_eq!(listed.items, [changed]);
}

#[tokio::test]
async fn requests_beyond_those_of_a_day_are_told_as_what_is_left() {
    let desk = desk();
    let limits = GatewayLimits { requests_per_day: Some(0), bonus_requests: 2, ..GatewayLimits::default() };
    let made = desk.keys.create(&owner(), CreateGatewayKey { limits: limits.clone(), ..named("ada") }).await.unwrap();
    desk.ask(&made.secret, "r1", "m").await.unwrap();
    assert_eq!(desk.keys.read(&owner(), &made.key.id).await.unwrap().limits.bonus_requests, 1);
    let more = ChangeGatewayKey { limits: Some(limits), ..ChangeGatewayKey::default() };
    assert_eq!(desk.keys.change(&owner(), &made.key.id, more).await.unwrap().limits.bonus_requests, 2);
    for request in ["r2", "r3"] {
        desk.ask(&made.secret, request, "m").await.unwrap();
    }
    assert_eq!(code(desk.ask(&made.secret, "r4", "m").await), Code::GatewayLimited);
}

#[tokio::test]
async fn administration_and_use_have_scopes_of_their_own() {
    let desk = desk();
    let with = |scopes: &[Scope]| Caller { scopes: scopes.iter().copied().collect(), ..owner() };
    let user = with(&[Scope::GatewayUse]);
    assert_eq!(code(desk.keys.create(&user, named("x")).await), Code::Forbidden);
    assert_eq!(code(desk.keys.export(&user).await), Code::Forbidden);
    assert_eq!(code(desk.keys.usage(&user, ListGatewayUsage::default()).await), Code::Forbidden);
    let request = LeaseId::parse("r1").unwrap();
    assert_eq!(code(desk.meter.admit_caller(&with(&[Scope::GatewayAdmin]), request.clone())), Code::Forbidden);
    let ticket = desk.meter.admit_caller(&user, request).unwrap();
    assert!(desk.settle(&ticket, 1, 2).await);
    let usage = desk.keys.usage(&owner(), ListGatewayUsage::default()).await.unwrap();
    assert_eq!(usage.items[0].key, "owner", "usage is that of the principal");
}

#[tokio::test]
async fn usage_is_listed_in_days_and_pages() {
    let desk = desk();
    for request in ["r1", "r2"] {
        let ticket = desk.meter.admit_caller(&owner(), LeaseId::parse(request).unwrap()).unwrap();
        desk.settle(&ticket, 1, 1).await;
        desk.clock.advance(86_400_000);
    }
    let list = |from: &str, to: &str| ListGatewayUsage {
        from: Some(from.into()),
        to: Some(to.into()),
        limit: Some(1),
        ..ListGatewayUsage::default()
    };
    let first = desk.keys.usage(&owner(), list("2026-11-01", "2026-11-30")).await.unwrap();
    assert_eq!(first.items[0].day, "2026-11-25");
    let rest = ListGatewayUsage { cursor: first.next, ..list("2026-11-01", "2026-11-30") };
    assert_eq!(desk.keys.usage(&owner(), rest).await.unwrap().items[0].day, "2026-11-26");
    assert!(desk.keys.usage(&owner(), list("2026-11-01", "2026-11-24")).await.unwrap().items.is_empty());
    for (from, to) in [("2026-11-02", "2026-11-01"), ("2020-01-01", "2026-01-01"), ("1.1.2026", "2026-01-01")] {
        assert_eq!(code(desk.keys.usage(&owner(), list(from, to)).await), Code::InvalidRequest, "{from}");
    }
    let foreign = ListGatewayUsage { cursor: Some("x".into()), ..ListGatewayUsage::default() };
    assert_eq!(code(desk.keys.usage(&owner(), foreign).await), Code::CursorInvalid);
}

/// A file as the founding system writes it, with members that nobody here knows. The record holds the secret as well.
const FILE: &str = r#"{"keys":{"maki_b":{"id":"maki_b","name":"Bé","createdAt":"2026-01-25T10:30:00.123Z","dailyLimit":500,"todayUsage":17,"totalUsage":1717,"lastResetDate":"2026-01-25","lastUsedAt":"2026-01-25T10:30:00.123Z","enabled":true,"bonusRemaining":3,"extra":[1.0,12345678901234567890]},"maki_a1234":{"id":"maki_a1234","name":"A","dailyLimit":-1,"enabled":false},"maki_c1234":{"name":"C","lastUsedAt":null,"dailyLimit":1.0e1}}}"#;

#[tokio::test]
async fn an_imported_key_goes_on_to_work_with_what_it_used() {
    let desk = desk();
    let file = FILE.replace("maki_b", "maki_cb1bf70842c0305ed18f39b1259501a7");
    let report = desk.import(&file).await;
    assert_eq!((report.created, report.unchanged, report.failed.len()), (3, 0, 0), "{report:?}");
    let again = desk.import(&file).await;
    assert_eq!((again.created, again.unchanged), (0, 3));
    let keys = desk.keys.list(&owner(), ListGatewayKeys::default()).await.unwrap().items;
    let key = keys.iter().find(|key| key.name == "Bé").unwrap();
    assert!(key.imported);
    assert_eq!((key.used.requests, key.limits.requests_per_day, key.limits.bonus_requests), (1_717, Some(500), 3));
    assert!(keys.iter().any(|key| key.name == "A" && key.disabled && key.limits.requests_per_day.is_none()));
    desk.ask("maki_cb1bf70842c0305ed18f39b1259501a7", "r1", "m").await.unwrap();
    assert_eq!(code(desk.ask("maki_a1234", "r1", "m").await), Code::GatewayKeyRefused);
    let used = desk.keys.read(&owner(), &key.id).await.unwrap().used;
    assert_eq!((used.requests, used.requests_today), (1_718, 1));
}

#[tokio::test]
async fn what_was_imported_is_exported_as_it_was_and_with_what_changed() {
    let desk = desk();
    let file = FILE.replace("maki_b", "maki_b1234");
    desk.import(&file).await;
    desk.keys.create(&owner(), named("made here")).await.unwrap();
    let exported = desk.keys.export(&owner()).await.unwrap();
    assert_eq!(exported.file.as_str(), file, "byte for byte");
    assert_eq!(exported.left_out.len(), 1);
    desk.ask("maki_b1234", "r1", "m").await.unwrap();
    let text = desk.keys.export(&owner()).await.unwrap().file.as_str().to_owned();
    let expected = file
        .replacen("\"todayUsage\":17", "\"todayUsage\":1", 1)
        .replacen("\"totalUsage\":1717", "\"totalUsage\":1718", 1)
        .replacen("\"lastResetDate\":\"2026-01-25\"", "\"lastResetDate\":\"2026-11-25\"", 1)
        .replacen("\"lastUsedAt\":\"2026-01-25T10:30:00.123Z\"", "\"lastUsedAt\":\"2026-11-25T12:00:00.000Z\"", 1);
    assert_eq!(text, expected);
    let there = self::desk();
    there.import(&text).await;
    assert_eq!(there.keys.export(&owner()).await.unwrap().file.as_str(), text);
}

#[tokio::test]
async fn a_file_is_imported_as_far_as_it_can_be_and_says_what_is_left() {
    let desk = desk();
    let file = r#"{"config":1,"keys":{"short":{"name":"too short"},"maki_1234567":[],"maki_7654321":{}}}"#;
    let dry = ImportGatewayKeys { file: RawJson::parse(file).unwrap(), dry_run: true };
    let said = desk.keys.import(&owner(), dry).await.unwrap();
    assert!(desk.keys.list(&owner(), ListGatewayKeys::default()).await.unwrap().items.is_empty());
    let report = desk.import(file).await;
    assert_eq!(said, report, "a dry run says what comes of it");
    assert_eq!((report.created, report.ignored.as_slice()), (1, ["config".to_owned()].as_slice()));
    let failed: Vec<(u32, &str)> = report.failed.iter().map(|key| (key.place, key.name.as_str())).collect();
    assert_eq!(failed, [(1, "too short"), (2, "imported")]);
    for broken in ["[]", "{}", r#"{"keys":[]}"#] {
        let import = ImportGatewayKeys { file: RawJson::parse(broken).unwrap(), dry_run: false };
        assert_eq!(code(desk.keys.import(&owner(), import).await), Code::InvalidRequest, "{broken}");
    }
    let without = desk_with(KeyRules::default());
    let import = |dry_run| ImportGatewayKeys { file: RawJson::parse(file).unwrap(), dry_run };
    assert_eq!(code(without.keys.import(&owner(), import(false)).await), Code::SecretsKeyMissing);
    assert_eq!(without.keys.import(&owner(), import(true)).await.unwrap(), report, "it writes nothing");
}

#[tokio::test]
async fn the_store_holds_no_secret_and_what_is_sealed_survives_a_rotation() {
    let ring = KeyRing::generate().unwrap();
    let desk = desk_with(KeyRules { ring: Some(ring.clone()), ..KeyRules::default() });
    let made = desk.keys.create(&owner(), named("ada")).await.unwrap();
    desk.import(&FILE.replace("maki_b", "maki_b1234")).await;
    let stored = desk.store.keys(&owner().namespace, None, 100, made.key.created_at).await.unwrap();
    let text = format!("{stored:?}");
    for secret in [made.secret.as_str(), "maki_"] {
        assert!(!text.contains(secret), "{secret} stands in the store");
    }
    let rotated = ring.rotated().unwrap();
    let after =
        on(desk.store.clone(), desk.clock.clone(), KeyRules { ring: Some(rotated.clone()), ..KeyRules::default() });
    assert_eq!(after.keys.seal_keys(&owner()).await.unwrap(), [ring.primary().id.clone()]);
    assert_eq!(after.keys.reseal(&owner()).await.unwrap(), 3);
    assert_eq!(after.keys.reseal(&owner()).await.unwrap(), 0);
    assert_eq!(after.keys.seal_keys(&owner()).await.unwrap(), [rotated.primary().id.clone()]);
    assert_eq!(code(desk.keys.check_ring().await), Code::SecretsKeyMissing);
    let retired = KeyRules { ring: Some(rotated.without(&ring.primary().id).unwrap()), ..KeyRules::default() };
    let retired = on(desk.store.clone(), desk.clock.clone(), retired);
    retired.keys.check_ring().await.unwrap();
    assert!(retired.keys.export(&owner()).await.unwrap().file.as_str().contains("maki_b1234"));
}
