//! `mainstay events top`.

use super::{health, lag};
use crate::cli::context::Context;
use crate::cli::span::Millis;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::Code;
use mainstay_api::events::{ConsumerLag, EventsHealth, LiveNode};
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// Shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(200);

/// Shows live how streams, consumer groups and a node stand, until it is stopped.
///
/// With --json, a line for each look. Without --url the node is this command, which has no live clients.
#[derive(Debug, Args)]
pub struct Top {
    /// Time between two looks.
    #[arg(long, value_name = "SPAN", default_value = "2s")]
    every: Millis,
    /// Look so often, and end.
    #[arg(long, value_name = "NUMBER")]
    times: Option<u32>,
}

/// What is seen at one look.
#[derive(Debug, Serialize)]
struct Look {
    health: EventsHealth,
    lag: ConsumerLag,
    node: LiveNode,
    /// Absent at the first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<Rates>,
}

/// What happened between two looks, by the second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Rates {
    published: f64,
    delivered: f64,
}

impl Top {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let every = self.every.duration();
        if every < SHORTEST {
            return Err(Failure::new(
                Code::InvalidRequest,
                format!("--every: {} ms is too short", every.as_millis()),
                format!(
                    "Give at least {} ms: each look asks the store for every stream and group.",
                    SHORTEST.as_millis()
                ),
            ));
        }
        let client = context.client().await?;
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last: Option<(Instant, LiveNode)> = None;
        for _ in 0..self.times.unwrap_or(u32::MAX) {
            ticks.tick().await;
            let events = client.events();
            let (health, lag, node) = tokio::try_join!(events.health(), events.consumer_lag(), events.node())?;
            let now = Instant::now();
            let rates = last.and_then(|(then, before)| rates(&before, &node, now - then));
            last = Some((now, node.clone()));
            let look = Look { health, lag, node, rates };
            if context.printer.is_json() {
                context.printer.line(&look)?;
            } else {
                context.printer.page(&page(context, &look))?;
            }
        }
        Ok(())
    }
}

/// None where the node is another one, or started anew.
fn rates(before: &LiveNode, now: &LiveNode, passed: Duration) -> Option<Rates> {
    if before.node != now.node || passed.is_zero() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with one digit behind the point")]
    let by_second = |before: u64, now: u64| now.saturating_sub(before) as f64 / passed.as_secs_f64();
    Some(Rates {
        published: by_second(before.published, now.published),
        delivered: by_second(before.delivered, now.delivered),
    })
}

fn page(context: &Context<'_>, look: &Look) -> String {
    let Look { health: streams, lag: groups, node, rates } = look;
    let rate = |of: fn(&Rates) -> f64| rates.as_ref().map_or_else(|| "-".into(), |rates| format!("{:.1}", of(rates)));
    let behind_ms = node.logs.iter().map(|log| log.behind_ms).max().unwrap_or(0);
    let mut text = format!(
        "node {}: {} connections, {} subscriptions; {}/s published, {}/s delivered; {} bytes wait, {} closed for being \
         slow, {} left out, {} gaps; {behind_ms} ms behind\n\n",
        node.node,
        node.connections,
        node.subscriptions,
        rate(|rates| rates.published),
        rate(|rates| rates.delivered),
        node.waiting_bytes,
        node.slow_closed,
        node.conflated,
        node.gaps,
    );
    text += &context.printer.rows(&health::HEAD, streams.streams.iter().map(health::row).collect());
    if !groups.groups.is_empty() {
        text += "\n\n";
        text += &context.printer.rows(&lag::HEAD, groups.groups.iter().map(lag::row).collect());
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, published: u64) -> LiveNode {
        LiveNode {
            node: name.into(),
            connections: 0,
            subscriptions: 0,
            waiting_bytes: 0,
            published,
            delivered: 10 * published,
            conflated: 0,
            slow_closed: 0,
            gaps: 0,
            logs: Vec::new(),
        }
    }

    #[test]
    fn rates_are_of_one_run_of_a_node() {
        let two = Duration::from_secs(2);
        let told = rates(&node("a", 10), &node("a", 15), two);
        assert_eq!(told, Some(Rates { published: 2.5, delivered: 25.0 }));
        assert_eq!(rates(&node("a", 10), &node("b", 15), two), None);
    }
}
