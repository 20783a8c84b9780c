//! What a run came to.

use super::conditions::Conditions;
use super::crowd::Outcome;
use super::meter::{Percentiles, Second, Share};
use mainstay_api::Problem;
use serde::Serialize;

/// The report of a run. Times are in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub conditions: Conditions,
    /// Whether every event reached every user once and in order.
    pub sound: bool,
    pub events: Events,
    pub users: Users,
    /// From the publisher's call, or from when it was due where it had to wait, until a user has the event.
    pub delivery_ms: Percentiles,
    /// How long calls that publish took.
    pub publish_ms: Percentiles,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing: Option<Typing>,
    pub shares: Vec<Share>,
    pub seconds: Vec<Second>,
}

/// What became of the events.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Events {
    /// Stored, as the server said.
    pub published: u64,
    /// Events of which nobody knows whether they are stored.
    pub uncertain: u64,
    /// Each event counts for every user of its room.
    pub expected: u64,
    pub delivered: u64,
    pub lost: u64,
    pub doubled: u64,
    pub out_of_order: u64,
}

/// What became of the users.
#[derive(Debug, Default, Clone, Serialize)]
pub(super) struct Users {
    /// How often one came back to a node.
    pub reconnects: u64,
    /// Gaps that they were told of.
    pub gaps: u64,
    /// Events that were left out for slow ones.
    pub conflated: u64,
    /// Users who were gone before the end.
    pub left: u64,
    /// Why the first of them was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_because: Option<Box<Problem>>,
}

/// What became of what was said about typing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Typing {
    /// How often users said that they type, or not any more.
    pub said: u64,
    /// How often others in their rooms were told.
    pub told: u64,
    /// The share that was spared.
    pub spared: f64,
    /// Of how many nobody was told, not even by one that stands for others.
    pub unaccounted: u64,
    /// Rooms in which the last state did not arrive.
    pub wrong_at_the_end: u64,
}

impl Report {
    /// The report of a run.
    pub(super) fn of(outcome: &Outcome, conditions: Conditions) -> Self {
        let events = events(outcome);
        let users = users(outcome);
        let typing = outcome.course.plan.typing.then(|| typing(outcome));
        let typed = typing.is_none_or(|typing| typing.unaccounted == 0 && typing.wrong_at_the_end == 0);
        let sound = typed
            && users.left == 0
            && users.gaps == 0
            && (events.lost, events.doubled, events.out_of_order, events.uncertain) == (0, 0, 0, 0);
        Self {
            conditions,
            sound,
            events,
            users,
            delivery_ms: outcome.course.deliveries.percentiles(),
            publish_ms: outcome.calls,
            typing,
            shares: outcome.course.deliveries.shares(),
            seconds: outcome.course.deliveries.seconds(),
        }
    }

    /// The report for people.
    pub(super) fn text(&self) -> String {
        let Self { conditions: run, events, users, .. } = self;
        let busy =
            run.meter_busy.map_or(String::new(), |busy| format!("; measuring took {:.0} % of a core", busy * 100.0));
        let load = run.load.map_or(String::new(), |load| format!(", load {load}"));
        let mut lines = vec![
            format!(
                "{} users, {} rooms, {} nodes; {} events/s of {} bytes for {} s",
                run.users, run.rooms, run.nodes, run.rate_per_second, run.payload_bytes, run.seconds
            ),
            format!("mainstay {} on {}, {} cores{load}{busy}", run.version, run.system, run.cores),
            String::new(),
            format!("published   {} events, {} deliveries due", events.published, events.expected),
            format!("delivered   {}", events.delivered),
            format!("lost        {}", events.lost),
            format!("doubled     {}", events.doubled),
            format!("misplaced   {}", events.out_of_order),
            format!("reconnects  {}", users.reconnects),
        ];
        let odd = [
            ("uncertain", events.uncertain),
            ("gaps", users.gaps),
            ("conflated", users.conflated),
            ("left", users.left),
        ];
        lines.extend(odd.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name:<12}{count}")));
        lines.push(String::new());
        lines.push("ms               p50      p90      p95      p99    p99.9      max".into());
        for (name, times) in [("delivery", &self.delivery_ms), ("publish call", &self.publish_ms)] {
            let Percentiles { p50, p90, p95, p99, p999, max, .. } = times;
            lines.push(format!("{name:<12} {p50:>7.2}  {p90:>7.2}  {p95:>7.2}  {p99:>7.2}  {p999:>7.2}  {max:>7.2}"));
        }
        if let Some(Typing { said, told, spared, .. }) = self.typing {
            lines.push(String::new());
            lines.push(format!("typing      said {said} times, told {told} times: {:.0} % fewer", spared * 100.0));
        }
        lines.join("\n")
    }

    /// What was not as it must be.
    pub(super) fn complaint(&self) -> Option<String> {
        let Self { events, users, typing, .. } = self;
        let typing = typing.as_ref();
        let found = [
            (events.lost, "deliveries were lost"),
            (events.doubled, "deliveries were doubled"),
            (events.out_of_order, "deliveries were out of order"),
            (events.uncertain, "events were perhaps not stored"),
            (users.gaps, "gaps were told of"),
            (users.left, "users left before the end"),
            (typing.map_or(0, |typing| typing.unaccounted), "strokes of typing were not accounted for"),
            (typing.map_or(0, |typing| typing.wrong_at_the_end), "rooms were not told that nobody types any more"),
        ];
        let found: Vec<String> =
            found.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let because = users.left_because.as_ref().map_or(String::new(), |problem| format!(" ({})", problem.detail));
        (!self.sound).then(|| found.join(", ") + &because)
    }
}

fn events(outcome: &Outcome) -> Events {
    let mut events = Events::default();
    for published in &outcome.published {
        events.published += published.certain();
        events.uncertain += published.unsure();
    }
    for seen in &outcome.seen {
        let Some(published) = outcome.published.get(seen.room as usize) else { continue };
        events.expected += published.certain();
        events.delivered += seen.ear.tally.heard;
        events.lost += seen.ear.tally.missing(published.total, |number| published.is_certain(number));
        events.doubled += seen.ear.tally.repeated;
        events.out_of_order += seen.ear.tally.late.max(seen.ear.misplaced.saturating_sub(seen.ear.tally.repeated));
    }
    events
}

fn users(outcome: &Outcome) -> Users {
    let mut users = Users::default();
    for seen in &outcome.seen {
        users.reconnects += seen.reconnects;
        users.gaps += seen.ear.gaps;
        users.conflated += seen.ear.conflated;
        users.left += u64::from(seen.left.is_some());
        users.left_because = users.left_because.or_else(|| seen.left.clone());
    }
    users
}

fn typing(outcome: &Outcome) -> Typing {
    let plan = &outcome.course.plan;
    let mut typing = Typing { said: 0, told: 0, spared: 0.0, unaccounted: 0, wrong_at_the_end: 0 };
    // The second user of each room stands for all who are told.
    let of = |number: u32| outcome.seen.iter().find(|seen| seen.number == number);
    for room in 0..plan.rooms {
        let (Some(author), Some(other)) = (of(room), of(room + plan.rooms)) else { continue };
        let heard = other.ear.typing;
        typing.said += author.strokes;
        typing.told += heard.told;
        typing.unaccounted += author.strokes.abs_diff(heard.stands_for);
        typing.wrong_at_the_end += u64::from(heard.goes_on);
    }
    #[expect(clippy::cast_precision_loss, reason = "a share of a count")]
    let told = typing.told as f64 / typing.said.max(1) as f64;
    typing.spared = ((1.0 - told) * 1_000.0).round() / 1_000.0;
    typing
}
