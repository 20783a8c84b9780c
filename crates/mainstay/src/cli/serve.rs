//! `mainstay serve`.

use super::context::Context;
use super::coordination::mirror;
use super::signals::Signals;
use crate::coordination::source::{self, Place};
use crate::failure::{Failure, Result};
use crate::owner_key;
use crate::settings::{Setting, Settings};
use crate::wiring::{self, Backbone};
use clap::Args;
use mainstay_api::Code;
use mainstay_api::documents::{CollectionName, DocumentKey};
use mainstay_client::ClientOptions;
use mainstay_core::documents::DocumentName;
use mainstay_core::{Caller, StoreInfo, SystemClock};
use mainstay_server::identity::tokens::TokenVerifier;
use mainstay_server::mcp::{self, HttpOptions, McpParts};
use mainstay_server::{
    Anchoring, Checking, CircuitLook, Maintenance, OutageLook, Refreshing, Renewing, ServerConfig, Services, Surveying,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Runs a server until it is told to stop. A second signal ends it at once.
#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on [MAINSTAY_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Host names that requests may name, separated by commas [MAINSTAY_ALLOWED_HOSTS].
    #[arg(long, value_name = "HOSTS")]
    allowed_hosts: Option<String>,
    /// Origins that may call from a browser, separated by commas [MAINSTAY_ALLOWED_ORIGINS].
    #[arg(long, value_name = "ORIGINS")]
    allowed_origins: Option<String>,
}

impl Serve {
    /// The settings that the flags stand for.
    pub fn flags(&self) -> Vec<(Setting, String)> {
        let given = [
            (Setting::Listen, &self.listen),
            (Setting::AllowedHosts, &self.allowed_hosts),
            (Setting::AllowedOrigins, &self.allowed_origins),
        ];
        given.into_iter().filter_map(|(setting, value)| Some((setting, value.clone()?))).collect()
    }

    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let settings = &context.settings;
        // Signals are heard from the start: a stop while the store opens is a stop.
        let mut signals = Signals::new()?;
        wiring::ring(settings).await?;
        let backbone = Backbone::open_to_serve(settings).await?;
        let ring_is_known = check_ring(&backbone).await?;
        let late = (!ring_is_known)
            .then(|| tokio::spawn(check_ring_later(Arc::clone(&backbone.services), backbone.shutdown.clone())));
        let served = serve(context, &backbone, &mut signals).await;
        let lacks = match late {
            Some(late) => late.await.ok().flatten(),
            None => None,
        };
        let grace = Duration::from_millis(settings.server.shutdown_grace_ms.max(1_000));
        if served.is_ok()
            && let Some(mirror) = &settings.mirror
        {
            tokio::select! {
                () = compare_mirror(settings, mirror, &backbone, grace) => {}
                name = signals.next() => tracing::warn!(signal = name, "the mirror was not compared"),
            }
        }
        // Half for what the store has still to be told, so that there is time to close the store itself.
        if tokio::time::timeout(grace, backbone.close_within(grace / 2)).await.is_err() {
            tracing::warn!("the store did not close in time");
        }
        lacks.map_or(served, |error| Err(error.into()))
    }
}

async fn serve(context: &Context<'_>, backbone: &Backbone, signals: &mut Signals) -> Result {
    let settings = &context.settings;
    let key = owner_key::find_or_make(settings)?;
    let tokens = wiring::token_verifier(settings)?;
    let config = ServerConfig { tokens: tokens.clone(), ..wiring::server_config(settings, &key) };
    let listener = listen(settings.server.listen).await?;
    let address = listener.local_addr().map_err(|cause| Failure::io("the address is not known", &cause))?;
    let services = Arc::clone(&backbone.services);
    let parts =
        McpParts { services: Arc::clone(&services), clock: Arc::new(SystemClock), version: config.version.clone() };
    let mcp = mcp::http_router(parts, HttpOptions::default(), backbone.shutdown.clone());
    let router = mainstay_server::router_with_mcp(Arc::clone(&services), &config, backbone.shutdown.clone(), Some(mcp));
    welcome(context, &services.info, address);
    if has_no_settings(&services, settings).await {
        let printer = context.printer;
        printer.note(
            "  settings   none yet: mainstay init makes first ones, mainstay import aiclient <folder> brings them in",
        );
    }

    let maintenance = tokio::spawn(Maintenance::default().run(Arc::clone(&services), backbone.shutdown.clone()));
    let anchoring = wiring::anchoring(settings);
    let anchoring = tokio::spawn(anchoring.run(Arc::clone(&services), backbone.shutdown.clone()));
    let surveying = tokio::spawn(Surveying::default().run(Arc::clone(&services), backbone.shutdown.clone()));
    let renewing = tokio::spawn(Renewing::default().run(Arc::clone(&services), backbone.shutdown.clone()));
    let checking = tokio::spawn(Checking::default().run(Arc::clone(&services), backbone.shutdown.clone()));
    let circuits = tokio::spawn(CircuitLook::default().run(Arc::clone(&services), backbone.shutdown.clone()));
    let look = backbone.documents.clone().map(|documents| {
        tokio::spawn(OutageLook::default().run(documents, Arc::clone(&services), backbone.shutdown.clone()))
    });
    let refreshing = tokio::spawn(Refreshing::default().run(Arc::clone(&services), backbone.shutdown.clone()));
    let keys = tokio::spawn(current_keys(tokens, backbone.shutdown.clone()));
    let grace_ms = settings.server.shutdown_grace_ms;
    let serving = mainstay_server::serve(listener, router, backbone.shutdown.clone(), grace_ms);
    let outcome = until_stopped(serving, signals, &backbone.shutdown).await;
    backbone.shutdown.cancel();
    if let Some(look) = look {
        look.await.ok();
    }
    let _ = tokio::join!(maintenance, anchoring, surveying, refreshing, renewing, checking, circuits, keys);
    Anchoring::finish(&services).await;
    outcome.map_err(|cause| Failure::io("the server failed", &cause))
}

/// Whether every key that is in use in the store is in the ring. Not known while the store is away and this node goes on without.
async fn check_ring(backbone: &Backbone) -> Result<bool> {
    let Err(error) = backbone.services.check_ring().await else { return Ok(true) };
    match &backbone.documents {
        Some(documents) if error.code() == Code::StoreUnavailable && documents.has_copies() => {
            tracing::warn!(%error, "the store is away at the start: settings are served from the last known copy");
            documents.lost(&error);
            Ok(false)
        }
        _ => Err(error.into()),
    }
}

/// Looks at the ring as soon as the store is back, and ends the server where it lacks a key.
async fn check_ring_later(services: Arc<Services>, shutdown: CancellationToken) -> Option<mainstay_core::Error> {
    const PAUSE: Duration = Duration::from_secs(1);
    let looked = async {
        loop {
            match services.check_ring().await {
                Ok(()) => return None,
                Err(error) if error.code() == Code::StoreUnavailable => tokio::time::sleep(PAUSE).await,
                Err(error) => return Some(error),
            }
        }
    };
    let lacks = shutdown.run_until_cancelled(looked).await.flatten();
    if lacks.is_some() {
        shutdown.cancel();
    }
    lacks
}

/// Keeps the keys of the trusted issuers current, where there are any.
async fn current_keys(tokens: Option<Arc<TokenVerifier>>, shutdown: CancellationToken) {
    if let Some(tokens) = tokens {
        tokens.run(shutdown).await;
    }
}

/// Ends a period of dual writes as it has to end: by a comparison of the store with its mirror.
async fn compare_mirror(settings: &Settings, mirror: &str, backbone: &Backbone, grace: Duration) {
    let compared = async {
        let options = ClientOptions { namespace: Some(settings.namespace.clone()), ..ClientOptions::default() };
        // A token of its own: that of the server has been cancelled, and its router takes no more calls.
        let client = wiring::client_of(&backbone.services, settings, options, CancellationToken::new())?;
        let store = source::read_store(&client).await?;
        mirror::compare_with(&store, settings, &Place::parse(mirror)?).await
    };
    match tokio::time::timeout(grace, compared).await {
        Ok(Ok(found)) if found.parity => {
            tracing::info!(messages = found.same, "the store and its mirror are at parity");
        }
        Ok(Ok(found)) => tracing::warn!(
            missing = found.missing_in_destination.len(),
            surplus = found.missing_in_source.len(),
            different = found.different.len(),
            unreadable = found.unreadable.len(),
            same = found.same,
            "the store and its mirror are not at parity; `mainstay mirror repair` copies what is missing"
        ),
        Ok(Err(failure)) => tracing::warn!(
            reason = failure.reason(),
            "the store was not compared with its mirror; `mainstay mirror status` does it"
        ),
        Err(_) => tracing::warn!(
            limit_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX),
            "the comparison of the store with its mirror did not end in time; `mainstay mirror status` does it"
        ),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|cause| {
        let detail = format!("the server cannot listen on {address}: {cause}");
        let help = "Another server may be running there; stop it, or choose another address with --listen.";
        Failure::new(Code::SettingInvalid, detail, help)
    })
}

/// Serves until a signal asks for an orderly stop; a second one ends the process where it stands.
async fn until_stopped(
    serving: impl Future<Output = std::io::Result<()>>,
    signals: &mut Signals,
    shutdown: &CancellationToken,
) -> std::io::Result<()> {
    tokio::pin!(serving);
    tokio::select! {
        outcome = &mut serving => return outcome,
        name = signals.next() => tracing::info!(signal = name, "stopping; a second signal ends at once"),
    }
    shutdown.cancel();
    tokio::select! {
        outcome = &mut serving => outcome,
        name = signals.next() => {
            tracing::warn!(signal = name, "ended at once");
            std::process::exit(130)
        }
    }
}

/// Whether nothing was set yet. A store that does not answer now has its own ways to say so.
async fn has_no_settings(services: &Services, settings: &Settings) -> bool {
    let Ok(key) = DocumentKey::parse("main") else { return false };
    let name = DocumentName { collection: CollectionName::settings(), key };
    let caller = Caller { namespace: settings.namespace.clone(), ..Caller::owner() };
    let read = services.documents.read(&caller, &name, false).await;
    read.is_err_and(|error| error.code() == Code::DocumentNotFound)
}

/// A few lines on what was chosen and what to try.
fn welcome(context: &Context<'_>, info: &StoreInfo, address: SocketAddr) {
    let (printer, settings) = (context.printer, &context.settings);
    let durable = if info.durable { "durable" } else { "not durable" };
    let shared = if info.shared { "shared by machines" } else { "this machine only" };
    let key = match settings.owner_key {
        Some(_) => "as set in the environment".into(),
        None => format!("{} (commands on this machine find it)", owner_key::path(settings).display()),
    };
    printer.note(&format!("mainstay {}", env!("CARGO_PKG_VERSION")));
    printer.note(&format!("  store      {} ({durable}, {shared})", info.location));
    printer.note(&format!("  address    http://{address}"));
    printer.note(&format!("  namespace  {}", settings.namespace));
    printer.note(&format!("  owner key  {key}"));
    printer.note("  try        mainstay mail send backend \"API is ready\" --as frontend");
    printer.note("             mainstay mail wait --as backend");
    if !info.durable && info.kind == "sqlite" {
        printer.warning("this store forgets everything when it stops; set MAINSTAY_STORE to keep it");
    }
    for warning in &info.warnings {
        printer.warning(warning);
    }
    if !address.ip().is_loopback() {
        printer.warning(
            "the address can be reached from other machines, without encryption: put a proxy with TLS before it",
        );
    }
}
