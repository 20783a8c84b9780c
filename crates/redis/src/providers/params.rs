//! What the scripts of pools are told.

use crate::keys::encode;
use mainstay_core::api::Timestamp;
use mainstay_core::providers::{
    AddCounts, BreakerState, COUNTS_MEMO_MS, ChangePool, Choose, Counters, FailureClass, Finish, Health, Outcome,
    PoolChange, SeededProvider, SelectionRules, Strategy, Traits,
};
use serde_json::json;
use std::time::Duration;

/// The fields of settings, as pairs.
type Fields = Vec<(&'static str, String)>;

/// The arguments of a choice.
pub(crate) fn choose(choose: &Choose) -> Vec<String> {
    let params = json!({
        "now": choose.now.as_millis(),
        "lease_for": millis(choose.lease_for),
        "strategy": strategy(choose.rules.strategy),
        "sample": choose.rules.breaker.sample,
        "sticky_ttl": choose.sticky.as_ref().map_or(0, |sticky| millis(sticky.ttl)),
    });
    let model = choose.model.as_deref().map(encode).unwrap_or_default();
    let session = choose.sticky.as_ref().map(|sticky| encode(&sticky.key)).unwrap_or_default();
    let mut args = vec![params.to_string(), choose.lease.as_str().to_owned(), model, session];
    args.extend(choose.except.iter().map(|id| id.as_str().to_owned()));
    args
}

/// Counts to add.
pub(super) fn counts(add: &AddCounts) -> Vec<String> {
    let at = |moment: Option<Timestamp>| moment.map(|at| at.as_millis().to_string()).unwrap_or_default();
    let mut args = vec![json!({ "now": add.now.as_millis(), "keep_ms": COUNTS_MEMO_MS }).to_string(), add.memo.clone()];
    for counts in &add.counts {
        args.push(counts.provider.as_str().to_owned());
        args.extend([counts.requests.to_string(), counts.errors.to_string(), at(counts.used_at), at(counts.failed_at)]);
    }
    args
}

/// The rules by which uses are judged.
pub(crate) fn rules(rules: &SelectionRules, now: Timestamp) -> String {
    let (health, breaker) = (&rules.health, &rules.breaker);
    json!({
        "now": now.as_millis(),
        "max_failures": health.max_failures,
        "window": millis(health.window),
        "retry_after": millis(health.retry_after),
        "max_errors": breaker.max_errors,
        "error_window": millis(breaker.error_window),
        "open_for": millis(breaker.open_for),
        "slow_after": micros(breaker.slow_after),
        "slow_per_mille": breaker.slow_per_mille,
        "slow_for": millis(breaker.slow_for),
        "min_answers": breaker.min_answers,
        "successes_to_close": breaker.successes_to_close,
        "quorum": breaker.quorum,
    })
    .to_string()
}

/// What the script that ends uses is told of one.
pub(crate) fn ended(ended: &Finish) -> impl Iterator<Item = String> + use<> {
    let showing = showing(&ended.outcome, ended.first_byte, &ended.node);
    std::iter::once(ended.lease.as_str().to_owned()).chain(showing)
}

/// What a use or a check showed, as the script fragment `providers/showing` reads it.
pub(super) fn showing(outcome: &Outcome, first_byte: Option<Duration>, node: &str) -> [String; 7] {
    let first_byte = first_byte.map(|took| micros(took).to_string()).unwrap_or_default();
    let word = match outcome {
        Outcome::Success => "success",
        Outcome::Neutral => "neutral",
        Outcome::Unsent => "unsent",
        Outcome::Failed(_) => "failed",
    };
    let mut parts =
        [word.to_owned(), String::new(), String::new(), String::new(), String::new(), first_byte, encode(node)];
    if let Outcome::Failed(failure) = outcome {
        let flags = [(failure.counts, "c"), (failure.condemns, "x"), (failure.needs_refresh, "r")];
        parts[1] = class(failure.class).to_owned();
        parts[2].clone_from(&failure.message);
        parts[3] = flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag).collect();
        parts[4] = failure.retry_at.map(|at| at.as_millis().to_string()).unwrap_or_default();
    }
    parts
}

/// The arguments of a change: its parameters, what it is of, and its providers.
pub(super) fn change(change: &ChangePool) -> Vec<String> {
    let (op, of, seeded) = match &change.change {
        PoolChange::Replace(replace) => ("replace", replace.settings.as_str().to_owned(), replace.providers.clone()),
        PoolChange::Settings(settings) => ("settings", settings.as_str().to_owned(), Vec::new()),
        PoolChange::Add(seeded) => ("add", String::new(), vec![seeded.clone()]),
        PoolChange::Patch(patch) => {
            let seeded = SeededProvider {
                id: patch.id.clone(),
                body: patch.body.clone(),
                traits: patch.traits.clone(),
                seal_key: patch.seal_key.clone(),
                health: None,
                counters: None,
            };
            ("patch", patch.expected.map(|version| version.to_string()).unwrap_or_default(), vec![seeded])
        }
        PoolChange::Remove(id) => ("remove", id.as_str().to_owned(), Vec::new()),
        PoolChange::Drop => ("drop", String::new(), Vec::new()),
    };
    let params = json!({ "op": op, "now": change.now.as_millis(), "max_providers": change.max_providers }).to_string();
    let mut args = vec![params, of];
    for one in &seeded {
        args.push(one.id.as_str().to_owned());
        pairs(&mut args, Some(settings(one)));
        pairs(&mut args, one.health.as_ref().map(health));
        pairs(&mut args, one.counters.as_ref().map(counters));
    }
    args
}

/// The number of a state, as `providers/circuit` has it.
pub(super) fn state(state: BreakerState) -> &'static str {
    match state {
        BreakerState::Closed => "0",
        BreakerState::Open => "1",
        BreakerState::HalfOpen => "2",
        BreakerState::ForcedOpen => "3",
    }
}

/// Models between spaces, which no encoded one has.
pub(super) fn models(models: &[String]) -> String {
    models.iter().fold(String::from(" "), |text, model| text + &encode(model) + " ")
}

fn pairs(args: &mut Vec<String>, fields: Option<Fields>) {
    args.push(fields.as_ref().map_or("-1".to_owned(), |fields| fields.len().to_string()));
    for (name, value) in fields.into_iter().flatten() {
        args.extend([name.to_owned(), value]);
    }
}

fn settings(seeded: &SeededProvider) -> Fields {
    let Traits { disabled, weight, priority, max_in_flight, excluded_models } = &seeded.traits;
    let mut fields = vec![
        ("body", seeded.body.as_str().to_owned()),
        ("w", (*weight).max(1).to_string()),
        ("prio", priority.to_string()),
        ("max", max_in_flight.to_string()),
    ];
    if *disabled {
        fields.push(("dis", "1".to_owned()));
    }
    if !excluded_models.is_empty() {
        fields.push(("ex", models(excluded_models)));
    }
    if let Some(key) = &seeded.seal_key {
        fields.push(("seal", key.clone()));
    }
    fields
}

fn health(health: &Health) -> Fields {
    let mut fields = Vec::new();
    let mut flag = |set: bool, name| {
        if set {
            fields.push((name, "1".to_owned()));
        }
    };
    flag(health.unhealthy, "un");
    flag(health.needs_refresh, "nr");
    if health.failures > 0 {
        fields.push(("fs", health.failures.to_string()));
    }
    if let Some((at, message)) = &health.last_failure {
        fields.extend([("lfa", millis_of(*at)), ("lfm", message.clone())]);
    }
    if let Some(at) = health.retry_at {
        fields.push(("rt", millis_of(at)));
    }
    if let Some((at, model)) = &health.checked {
        fields.push(("cka", millis_of(*at)));
        fields.extend(model.clone().map(|model| ("ckm", model)));
    }
    fields
}

fn counters(counters: &Counters) -> Fields {
    let mut fields = vec![
        ("rq", counters.requests.to_string()),
        ("er", counters.errors.to_string()),
        ("rf", counters.refreshes.to_string()),
        ("sq", counters.sequence.to_string()),
    ];
    fields.extend(counters.used_at.map(|at| ("ua", millis_of(at))));
    fields.extend(counters.failed_at.map(|at| ("fa", millis_of(at))));
    fields
}

fn strategy(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Score => "score",
        Strategy::LeastUsed => "least_used",
        Strategy::LeastRecentlyUsed => "least_recently_used",
        Strategy::RoundRobin => "round_robin",
        Strategy::Weighted => "weighted",
        Strategy::LeastInFlight => "least_in_flight",
        Strategy::Priority => "priority",
    }
}

fn class(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Unauthorized => "unauthorized",
        FailureClass::PaymentRequired => "payment",
        FailureClass::Forbidden => "forbidden",
        FailureClass::RateLimited => "limited",
        FailureClass::Server => "server",
        FailureClass::Network => "network",
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn millis_of(at: Timestamp) -> String {
    at.as_millis().to_string()
}
