//! `mainstay bench events`.

use super::conditions::{self, Conditions};
use super::crowd;
use super::node::Node;
use super::plan::{MIN_PAYLOAD_BYTES, Plan, WARM_UP};
use super::plot;
use super::report::Report;
use crate::cli::context::Context;
use crate::failure::{FAILED, Failure, Result};
use crate::wiring;
use clap::Args;
use clap::value_parser;
use mainstay_api::events::StreamName;
use mainstay_api::{Code, Namespace};
use mainstay_client::{Client, ClientOptions, Credential};
use mainstay_core::text::hex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The share of a core from which on the measuring side may be what is slow.
const BUSY: f64 = 0.8;
/// Longest time for which events that nobody will get are tried, in milliseconds.
const CALL_TIMEOUT_MS: u64 = 5_000;

/// Measures how fast events reach live clients, and counts what is lost on the way.
///
/// Users connect to the WebSocket, each to one room; events are published to all rooms at a steady rate. What is measured
/// is the time from the publisher's call until a user has the event. Both are in this process, so no clocks are compared.
/// Exits with 1 where an event was lost, doubled or out of order.
#[derive(Debug, Args)]
pub struct Events {
    /// Users, each with a connection of its own.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=10_000))]
    users: u32,
    /// Events published in a second, in all rooms together.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Rooms that the users are divided among; one for ten users when absent.
    #[arg(long, value_parser = value_parser!(u32).range(1..=10_000))]
    rooms: Option<u32>,
    /// Seconds that are measured, behind one second of warming up.
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(1..=3_600))]
    duration: u32,
    /// Bytes of the payload of an event.
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(i64::from(MIN_PAYLOAD_BYTES)..=65_536))]
    size: u32,
    /// Let one user of each room type, and count how often the others are told.
    #[arg(long)]
    typing: bool,
    /// The server to measure; several are nodes of one installation. One is started for the time when absent.
    #[arg(long)]
    url: Vec<String>,
    /// The stream to publish to.
    #[arg(long, default_value = "chat")]
    stream: StreamName,
    /// The namespace whose stream is written to: one that holds nothing of value.
    #[arg(long, value_name = "NAMESPACE", default_value = "bench")]
    within: Namespace,
    /// Draw the times into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the report into this file, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Events {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let plan = Arc::new(self.plan()?);
        let urls = if self.url.is_empty() { context.settings.url.iter().cloned().collect() } else { self.url.clone() };
        let node = match urls.is_empty() {
            true => Some(Node::start(&context.settings, &plan.run).await?),
            false => None,
        };
        let clients = self.clients(context, &urls, node.as_ref())?;
        let mut conditions = self.conditions(context, &plan, &clients.0);
        conditions.store = node.as_ref().map(|node| node.store.clone());
        let (began, busy) = (tokio::time::Instant::now(), conditions::busy_seconds());
        let outcome = crowd::run(Arc::clone(&plan), clients.1).await?;
        conditions.meter_busy = busy.zip(conditions::busy_seconds()).map(|(before, after)| {
            let share = (after - before) / began.elapsed().as_secs_f64();
            (share * 100.0).round() / 100.0
        });
        conditions.nodes = outcome.nodes();
        drop(node);
        self.tell(context, &Report::of(&outcome, conditions))
    }

    fn plan(&self) -> Result<Plan> {
        let rooms = self.rooms.unwrap_or((self.users / 10).max(1));
        let least = if self.typing { rooms * 2 } else { rooms };
        if self.users < least {
            let detail = format!("{} users are too few for {rooms} rooms", self.users);
            let help = "Give at least one user for each room, and two where typing is measured.";
            return Err(Failure::new(Code::InvalidRequest, detail, help));
        }
        let mut run = [0_u8; 4];
        getrandom::fill(&mut run).map_err(|cause| Failure::io("no random numbers", &std::io::Error::other(cause)))?;
        Ok(Plan {
            run: hex(&run),
            stream: self.stream.clone(),
            users: self.users,
            rooms,
            rate: self.rate,
            duration: Duration::from_secs(self.duration.into()),
            payload_bytes: self.size,
            typing: self.typing,
        })
    }

    /// The addresses that are measured, and a client of each.
    fn clients(
        &self,
        context: &Context<'_>,
        urls: &[String],
        node: Option<&Node>,
    ) -> Result<(Vec<String>, Arc<[Client]>)> {
        let options = ClientOptions {
            namespace: Some(self.within.clone()),
            response_timeout_ms: CALL_TIMEOUT_MS,
            ..ClientOptions::default()
        };
        if let Some(node) = node {
            let url = format!("http://{}", node.address);
            let options = ClientOptions { credential: Some(Credential::new(&node.key)), ..options };
            let client = Client::connect(&url, options)?;
            return Ok((vec![url], [client].into()));
        }
        let clients = urls.iter().map(|url| {
            let credential = wiring::credential_for(&context.settings, url)?;
            Ok(Client::connect(url, ClientOptions { credential, ..options.clone() })?)
        });
        Ok((urls.to_vec(), clients.collect::<Result<_>>()?))
    }

    fn conditions(&self, context: &Context<'_>, plan: &Plan, servers: &[String]) -> Conditions {
        Conditions {
            version: env!("CARGO_PKG_VERSION"),
            started_at: context.now(),
            system: conditions::system(),
            cores: conditions::cores(),
            load: conditions::load(),
            meter_busy: None,
            servers: servers.to_vec(),
            nodes: 0,
            store: None,
            namespace: self.within.to_string(),
            stream: plan.stream.to_string(),
            users: plan.users,
            rooms: plan.rooms,
            rate_per_second: plan.rate,
            warm_up_seconds: WARM_UP.as_secs(),
            seconds: plan.duration.as_secs(),
            payload_bytes: plan.payload_bytes,
        }
    }

    fn tell(&self, context: &Context<'_>, report: &Report) -> Result {
        if let Some(path) = &self.svg {
            write(path, &plot::svg(report))?;
        }
        if let Some(path) = &self.report {
            let json = serde_json::to_string_pretty(report);
            write(path, &json.map_err(|cause| mainstay_core::Error::bug(cause.to_string()))?)?;
        }
        context.printer.data(report, || report.text())?;
        if report.conditions.meter_busy.is_some_and(|busy| busy > BUSY) {
            context.printer.warning("measuring took nearly a whole core: the server may be faster than this");
        }
        let Some(complaint) = report.complaint() else { return Ok(()) };
        context.printer.warning(&complaint);
        Err(Failure::Status(FAILED))
    }
}

fn write(path: &Path, text: &str) -> Result {
    std::fs::write(path, text).map_err(|cause| Failure::io(format!("{} cannot be written", path.display()), &cause))
}
