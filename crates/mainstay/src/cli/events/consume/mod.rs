//! `mainstay events consume`.

mod handler;
mod hands;
mod worker;

use crate::cli::context::Context;
use crate::cli::signals::Signals;
use crate::cli::span::Millis;
use crate::failure::{Failure, Result};
use clap::Args;
use handler::Handler;
use mainstay_api::Code;
use mainstay_api::events::{ConsumerName, DEFAULT_DELIVERIES, GroupFrom, GroupName, MAX_WORK, StreamName};
use std::convert::Infallible;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use worker::{Rules, Worker};

/// Works on events in a consumer group: each event goes to one consumer of the group, until it is done.
///
/// The handler runs once for each event, one after another. Where it exits with 0, the event is acknowledged; else it is
/// tried again after a pause that doubles, and after --max-deliveries it is put among the dead (mainstay events dead).
/// While the handler runs, the event is kept; where this process dies, another consumer takes it after --idle. Without a
/// handler, events are printed as lines of JSON, and acknowledged when they are written.
#[derive(Debug, Args)]
#[command(after_help = "\
The handler finds the event as one line of JSON on stdin, and in its environment MAINSTAY_EVENT_ID, _TYPE, _STREAM, _ROOM, \
_TIMESTAMP, _POSITION, _TOKEN, _DELIVERY (from 1), _GROUP and _CONSUMER.\n\n\
SIGTERM and Ctrl-C stop in order: the handler finishes, for --grace at most; what it did not finish is given back. A second \
signal ends the handler.\n\n\
Example: mainstay events consume chat --group billing -- ./bill --currency EUR")]
pub struct Consume {
    /// The stream.
    stream: StreamName,
    /// The consumer group; that of the settings (MAINSTAY_CONSUMER_GROUP) when absent. It is made where there is none and
    /// the credential may.
    #[arg(long)]
    group: Option<GroupName>,
    /// The name of this consumer, which no other process may use; host and process when absent.
    #[arg(long)]
    consumer: Option<ConsumerName>,
    /// Where the group begins if it is made: oldest, new, or a position.
    #[arg(long, value_name = "START", default_value = "oldest")]
    from: GroupFrom,
    /// Events to take at a time, 1 to 100; with a handler 1 when absent, else 100.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    batch: Option<u32>,
    /// End when nothing waits any more.
    #[arg(long)]
    once: bool,
    /// Give an event up that has failed so often.
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_DELIVERIES)]
    max_deliveries: u32,
    /// How long an event may be left alone before another consumer takes it; the same for all consumers of a group.
    #[arg(long, value_name = "SPAN", default_value = "60s")]
    idle: Millis,
    /// Pause before the second try of an event that failed; doubles with each, up to --idle.
    #[arg(long, value_name = "SPAN", default_value = "1s")]
    back_off: Millis,
    /// How long the handler may run for one event before it is killed, which counts as a failure.
    #[arg(long, value_name = "SPAN", default_value = "1h")]
    timeout: Millis,
    /// How long the handler may go on after a signal.
    #[arg(long, value_name = "SPAN", default_value = "20s")]
    grace: Millis,
    /// The handler and its arguments.
    #[arg(last = true)]
    handler: Vec<String>,
}

impl Consume {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        // Heard before anything is taken: what is in hand when a signal comes is to be finished or given back.
        let signals = Signals::new()?;
        let consumer = self.consumer.map_or_else(usual_consumer, Ok)?;
        let named = super::group_of(self.group, context)?;
        let handler = (!self.handler.is_empty()).then(|| Handler {
            command: self.handler,
            group: named.clone(),
            consumer: consumer.clone(),
            namespace: context.settings.namespace.clone(),
            timeout: self.timeout.duration(),
        });
        let rules = Rules {
            consumer,
            from: self.from,
            batch: self.batch.unwrap_or(if handler.is_some() { 1 } else { MAX_WORK }),
            once: self.once,
            max_deliveries: self.max_deliveries,
            idle: self.idle.duration(),
            back_off: self.back_off.duration(),
        };
        let stop = Stop::default();
        let group = context.client().await?.group(&self.stream, &named);
        let worker = Worker { printer: context.printer, group, rules, handler, stop: &stop };
        tokio::select! {
            outcome = worker.run() => outcome,
            never = stop.on(signals, self.grace.duration()) => match never {},
        }
    }
}

/// How a stop goes on.
#[derive(Default)]
struct Stop {
    /// Nothing more is taken.
    begun: CancellationToken,
    /// What is in hand is given back, finished or not.
    due: CancellationToken,
}

impl Stop {
    /// Begins a stop with the first signal; brings it to an end with the second, or when its time is over.
    async fn on(&self, mut signals: Signals, grace: Duration) -> Infallible {
        let name = signals.next().await;
        tracing::info!(signal = name, "stopping; a second signal ends the handler");
        self.begun.cancel();
        tokio::select! {
            _ = signals.next() => {}
            () = tokio::time::sleep(grace) => {}
        }
        self.due.cancel();
        loop {
            let name = signals.next().await;
            tracing::info!(signal = name, "what is in hand is being given back");
        }
    }
}

/// A name for this process, which tells an operator where it runs.
fn usual_consumer() -> Result<ConsumerName> {
    let name = format!("{}-{}", host(), std::process::id());
    ConsumerName::parse(name).map_err(|rule| {
        Failure::new(Code::InvalidRequest, rule.to_string(), "Give the consumer a name with --consumer.")
    })
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "consumer".into())
}
