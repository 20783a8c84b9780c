//! The log, on stderr.

use crate::settings::{LogFormat, LogSettings};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log; `usual` is what is logged where the settings do not say. Calling it twice changes nothing.
pub fn start(log: &LogSettings, usual: Targets) {
    // The MCP library reports every refused call and every client that leaves as an error of its own.
    let usual = usual.with_target("rmcp", LevelFilter::OFF);
    let filter = log.filter.clone().unwrap_or(usual);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match log.format {
        LogFormat::Json => layer.json().boxed(),
        LogFormat::Text => layer.with_ansi(colour()).boxed(),
    };
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}

fn colour() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}
