//! How pools and providers are shown.

use crate::printer::{Printer, one_line, printable};
use mainstay_api::Timestamp;
use mainstay_api::providers::{CircuitState, Pool, Provider};

/// How a provider stands, in a word: the first reason for which it is not chosen.
pub(super) fn standing(provider: &Provider) -> &'static str {
    let health = &provider.health;
    match provider.breaker.state {
        _ if provider.disabled => "disabled",
        CircuitState::Closed if health.needs_refresh => "needs refresh",
        CircuitState::Closed if !health.healthy => "unhealthy",
        CircuitState::Closed => "healthy",
        CircuitState::HalfOpen => "half-open",
        CircuitState::Open => "open",
        CircuitState::ForcedOpen => "forced open",
    }
}

/// A provider that was changed, in a line.
pub(super) fn line(provider: &Provider) -> String {
    format!("{}/{}  {}  version {}", provider.pool, provider.id, standing(provider), provider.version)
}

/// Providers in their order.
pub(super) fn table(printer: &Printer, providers: &[Provider]) -> String {
    let head = ["PROVIDER", "STATE", "REQUESTS", "ERRORS", "NOW", "LAST USED", "CHECKED", "WHY"];
    printer.rows(&head, providers.iter().map(row).collect())
}

fn row(provider: &Provider) -> Vec<String> {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), Timestamp::to_seconds_text);
    vec![
        one_line(provider.id.as_str()),
        standing(provider).to_owned(),
        provider.counters.requests.to_string(),
        provider.counters.errors.to_string(),
        provider.in_flight.to_string(),
        time(provider.counters.used_at),
        time(provider.health.checked_at),
        one_line(why(provider).unwrap_or("-")),
    ]
}

/// Why it is not chosen, where that is known.
fn why(provider: &Provider) -> Option<&str> {
    let unwell = !provider.health.healthy || provider.health.needs_refresh;
    let failure = provider.health.failure.as_deref().filter(|_| unwell);
    provider.breaker.reason.as_deref().or(failure)
}

/// All of a provider.
pub(super) fn whole(provider: &Provider) -> String {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let (health, counters, breaker) = (&provider.health, &provider.counters, &provider.breaker);
    let checked = match (&health.checked_at, &health.checked_model) {
        (Some(at), Some(model)) => format!("{at} with {model}"),
        (at, _) => time(*at),
    };
    let failed = match (&health.failed_at, &health.failure) {
        (Some(at), Some(said)) => format!("{at}: {said}"),
        (at, _) => time(*at),
    };
    let mut lines = vec![
        ("provider", format!("{}/{}", provider.pool, provider.id)),
        ("state", standing(provider).to_owned()),
        ("version", format!("{}, of {}", provider.version, provider.updated_at)),
        ("requests", format!("{}, {} failed, {} now", counters.requests, counters.errors, provider.in_flight)),
        ("last used", time(counters.used_at)),
        ("last failure", failed),
        ("last check", checked),
        ("tried again", time(health.retry_at)),
        ("circuit", circuit(provider)),
    ];
    if let Some(at) = breaker.probe_at {
        lines.push(("next probe", at.to_string()));
    }
    let credential = provider.credential.map_or_else(|| "-".to_owned(), |version| format!("version {version}"));
    lines.push(("credential", credential));
    let head: String = lines.into_iter().map(|(name, value)| format!("{name:<14}{}\n", one_line(&value))).collect();
    format!("{head}{}", printable(provider.settings.as_str()))
}

/// How a circuit stands.
pub(super) fn circuit(provider: &Provider) -> String {
    let breaker = &provider.breaker;
    let mut text = breaker.state.as_str().replace('_', "-");
    if let Some(since) = breaker.since {
        text += &format!(" since {since}");
    }
    if let Some(reason) = &breaker.reason {
        text += &format!(": {}", one_line(reason));
    }
    text
}

/// A pool with its settings and its providers.
pub(super) fn pool(printer: &Printer, pool: &Pool) -> String {
    let head = format!("pool      {}\nrevision  {}\n{}", pool.pool, pool.revision, printable(pool.settings.as_str()));
    match pool.providers.is_empty() {
        true => head,
        false => format!("{}\n{}", head.trim_end(), table(printer, &pool.providers)),
    }
}
