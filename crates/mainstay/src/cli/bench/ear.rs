//! What a user makes of what the server says: the counting, apart from connections and clocks.

use super::tally::Tally;
use mainstay_api::events::EventPosition;
use mainstay_api::{Code, Problem};
use serde::Deserialize;
use std::borrow::Cow;

/// What a user has heard.
#[derive(Debug, Default)]
pub(super) struct Ear {
    pub tally: Tally,
    /// Where it is: behind this position nothing has been heard yet.
    pub position: Option<EventPosition>,
    /// Events whose position is not behind that of the one before.
    pub misplaced: u64,
    /// Gaps that the server spoke of.
    pub gaps: u64,
    /// Events that the server left out because the user was slow.
    pub conflated: u64,
    /// Events about typing.
    pub typing: Typing,
}

/// What a user has heard of others' typing.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Typing {
    /// Events.
    pub told: u64,
    /// For how many they stand.
    pub stands_for: u64,
    /// Whether the last one says that somebody types.
    pub goes_on: bool,
}

/// What was said.
#[derive(Debug)]
pub(super) enum Heard {
    /// A measured event, for the first time: the moment from which its way counts.
    Event(u64),
    /// The node that the user is connected to.
    Welcome(String),
    /// The subscription has begun.
    Subscribed,
    /// The server refuses something.
    Refused(Box<Problem>),
    /// Anything else.
    Other,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    op: Cow<'a, str>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(default)]
    payload: Option<Payload>,
    #[serde(default)]
    position: Option<EventPosition>,
    #[serde(borrow, default)]
    gap: Option<Cow<'a, str>>,
    #[serde(default)]
    dropped: u64,
    #[serde(borrow, default)]
    node: Option<Cow<'a, str>>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    problem: Option<Box<Problem>>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    n: Option<u64>,
    #[serde(default)]
    at_us: u64,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default)]
    coalesced_count: Option<u32>,
}

impl Ear {
    /// Takes a message of the server.
    pub(super) fn hear(&mut self, message: &[u8]) -> Heard {
        let message: Message<'_> = match serde_json::from_slice(message) {
            Ok(message) => message,
            Err(cause) => {
                let detail = format!("the server said what is no message: {cause}");
                let help = "Measure with a binary of the same version as the server's.";
                return Heard::Refused(Box::new(Problem::new(Code::Internal, detail, help)));
            }
        };
        self.gaps += u64::from(message.gap.is_some());
        match (&*message.op, message.problem) {
            ("event", _) => {
                return self.event(message.kind.as_deref(), message.payload, message.position, &message.metadata);
            }
            ("problem" | "unsubscribed", Some(problem)) => return Heard::Refused(problem),
            ("welcome", _) => return Heard::Welcome(message.node.unwrap_or_default().into_owned()),
            ("conflated", _) => self.conflated += message.dropped,
            ("subscribed", _) => {
                self.position = message.position;
                return Heard::Subscribed;
            }
            ("gap" | "position", _) => self.position = message.position,
            _ => {}
        }
        Heard::Other
    }

    fn event(
        &mut self,
        kind: Option<&str>,
        payload: Option<Payload>,
        position: Option<EventPosition>,
        metadata: &Metadata,
    ) -> Heard {
        self.place(position);
        if let Some(starts) = kind.and_then(|kind| kind.strip_prefix("typing_")) {
            self.typing.told += 1;
            self.typing.stands_for += u64::from(metadata.coalesced_count.unwrap_or(1));
            self.typing.goes_on = starts == "start";
            return Heard::Other;
        }
        match payload {
            Some(Payload { n: Some(number), at_us }) if self.tally.hear(number) => Heard::Event(at_us),
            _ => Heard::Other,
        }
    }

    fn place(&mut self, position: Option<EventPosition>) {
        let behind = match (&self.position, &position) {
            (Some(last), Some(now)) => last.epoch != now.epoch || last.offset < now.offset,
            (_, position) => position.is_some(),
        };
        self.misplaced += u64::from(!behind);
        if behind {
            self.position = position;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u64, position: &str) -> String {
        format!(
            r#"{{"op":"event","id":"x","type":"bench","stream":"chat","room":"r","timestamp":"2026-01-01T00:00:00Z",
            "payload":{{"n":{number},"at_us":5,"fill":"xx"}},"position":"0123456789abcdef:{position}"}}"#
        )
    }

    fn hear(ear: &mut Ear, text: &str) -> Heard {
        ear.hear(text.as_bytes())
    }

    #[test]
    fn a_server_that_loses_doubles_or_turns_around_events_is_found_out() {
        let mut ear = Ear::default();
        assert!(matches!(hear(&mut ear, &event(0, "1-0")), Heard::Event(5)));
        assert!(matches!(hear(&mut ear, &event(0, "1-0")), Heard::Other), "doubled");
        assert!(matches!(hear(&mut ear, &event(3, "4-0")), Heard::Event(5)), "1 and 2 are lost");
        assert!(matches!(hear(&mut ear, &event(2, "3-0")), Heard::Event(5)), "2 was late");
        assert_eq!((ear.tally.heard, ear.tally.repeated, ear.tally.late), (3, 1, 1));
        assert_eq!(ear.tally.missing(4, |_| true), 1);
        assert_eq!(ear.misplaced, 2);
        assert_eq!(ear.position.unwrap().offset.ms, 4);
    }

    #[test]
    fn gaps_and_refusals_are_not_passed_over() {
        let mut ear = Ear::default();
        let subscribed = r#"{"op":"subscribed","id":1,"stream":"chat","room":"r","position":"0123456789abcdef:9-0","gap":"trimmed"}"#;
        assert!(matches!(hear(&mut ear, subscribed), Heard::Subscribed));
        hear(
            &mut ear,
            r#"{"op":"gap","stream":"chat","room":"r","gap":"new_epoch","position":"0123456789abcdef:9-0"}"#,
        );
        hear(&mut ear, r#"{"op":"conflated","stream":"chat","room":"r","dropped":7}"#);
        assert_eq!((ear.gaps, ear.conflated), (2, 7));
        let problem = Problem::new(Code::InvalidRequest, "no", "do");
        let refusal = format!(r#"{{"op":"problem","problem":{}}}"#, serde_json::to_string(&problem).unwrap());
        assert!(matches!(hear(&mut ear, &refusal), Heard::Refused(_)));
        assert!(matches!(hear(&mut ear, "{"), Heard::Refused(_)));
    }

    #[test]
    fn typing_is_counted_with_what_it_stands_for() {
        let mut ear = Ear::default();
        let typing = |kind: &str, ms: u64, metadata: &str| {
            format!(
                r#"{{"op":"event","type":"{kind}","payload":{{"is_typing":true}},"position":"0123456789abcdef:{ms}-0"{metadata}}}"#
            )
        };
        hear(&mut ear, &typing("typing_start", 1, ""));
        hear(&mut ear, &typing("typing_stop", 2, r#","metadata":{"coalesced_count":4}"#));
        assert_eq!(ear.typing, Typing { told: 2, stands_for: 5, goes_on: false });
    }
}
