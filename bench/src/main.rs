//! The figures of Mainstay, each measured beside what it is compared with in one and the same run. Nothing here
//! fails because a machine is slow: whether a target is met is printed, and a person judges.

mod append_conversation;
mod append_peer;
mod child;
mod choose;
mod converse;
mod cores;
mod fanout;
mod figure;
mod gateway;
mod list_pending;
mod live;
mod node;
mod process;
mod rounds;
mod send_redis;
mod send_sqlite;
mod stage;
mod wake;

use anyhow::{Result, bail};
use clap::Parser;
use figure::Report;

/// Measures what Mainstay promises, beside what it stands on.
#[derive(Parser)]
#[command(name = "mainstay-bench")]
struct Arguments {
    /// Only the benchmarks whose name contains this.
    filter: Option<String>,
    /// Print the figures as one JSON document.
    #[arg(long)]
    json: bool,
    /// Wait for mail in this store and say when it came: the other process of `wake`.
    #[arg(long, hide = true, value_name = "STORE")]
    wait: Option<String>,
    /// Write this text as a frame, as often as stdin says, to every connection: the minimal server of `fanout`.
    #[arg(long, hide = true, value_name = "TEXT")]
    minimal_fanout: Option<String>,
    /// Answer chat completions with texts made beforehand: the provider of `gateway`.
    #[arg(long, hide = true)]
    fake_provider: bool,
}

/// Every benchmark, in the order of the figures.
const NAMES: [&str; 12] = [
    "send-redis",
    "send-sqlite",
    "list-pending",
    "append-conversation",
    "append-peer",
    "converse",
    "wake",
    "process",
    "fanout",
    "live",
    "choose",
    "gateway",
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(store) = &arguments.wait {
        return one_thread()?.block_on(wake::wait(store));
    }
    if let Some(payload) = &arguments.minimal_fanout {
        return one_thread()?.block_on(fanout::serve_minimal(payload));
    }
    if arguments.fake_provider {
        return one_thread()?.block_on(gateway::serve_provider());
    }
    let wanted = |name: &&str| arguments.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
    let names: Vec<&str> = NAMES.into_iter().filter(wanted).collect();
    if names.is_empty() {
        bail!("no benchmark has that in its name; there are {}", NAMES.join(", "));
    }
    let mut report = Report::new(arguments.json);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for name in names {
        let figures = runtime.block_on(async {
            match name {
                "send-redis" => send_redis::measure().await,
                "send-sqlite" => send_sqlite::measure().await,
                "list-pending" => list_pending::measure().await,
                "append-conversation" => append_conversation::measure().await,
                "append-peer" => append_peer::measure().await,
                "converse" => converse::measure().await,
                "wake" => wake::measure().await,
                "process" => process::measure().await,
                "fanout" => fanout::measure().await,
                "live" => live::measure().await,
                "choose" => choose::measure().await,
                _ => gateway::measure().await,
            }
        })?;
        report.add(name, figures)?;
    }
    report.finish()
}

/// What a command runs on.
fn one_thread() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
