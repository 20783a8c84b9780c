//! Somebody who types.

use super::plan::Plan;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// Time between two strokes, each of which is said: about what an eager client does.
const STROKE: Duration = Duration::from_millis(25);
/// Strokes of a sentence; then it is said that nobody types.
const SENTENCE: u32 = 40;
/// Strokes for which the author thinks.
const THOUGHT: u32 = 20;

/// Says again and again that its user types, and in the end that this is over.
pub(super) struct Typist {
    strokes: Interval,
    until: Instant,
    stroke: u32,
    types: bool,
    /// How often it has said something.
    pub sent: u64,
}

impl Typist {
    /// Somebody who types from a moment on for the time of a plan.
    pub(super) fn new(plan: &Plan, start: Instant) -> Self {
        let mut strokes = tokio::time::interval_at(start, STROKE);
        strokes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { strokes, until: start + plan.duration, stroke: 0, types: false, sent: 0 }
    }

    /// Waits until there is something to say: whether the user types. Given up half-way, it loses nothing.
    pub(super) async fn next(&mut self) -> bool {
        loop {
            self.strokes.tick().await;
            let over = Instant::now() >= self.until;
            if over && !self.types {
                std::future::pending::<()>().await;
            }
            let turn = self.stroke % (SENTENCE + THOUGHT);
            self.stroke += 1;
            let types = turn < SENTENCE && !over;
            if types || self.types {
                self.types = types;
                self.sent += 1;
                return types;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::plan;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_sentence_ends_with_a_stop_and_so_does_the_run() {
        let plan = Plan { duration: Duration::from_millis(2_500), ..plan() };
        let mut typist = Typist::new(&plan, Instant::now());
        let mut said = Vec::new();
        while let Ok(types) = tokio::time::timeout(Duration::from_secs(5), typist.next()).await {
            said.push(types);
        }
        let stops = said.iter().filter(|types| !**types).count();
        assert_eq!((said.len(), stops, said.last()), (82, 2, Some(&false)));
        assert_eq!(typist.sent, 82);
    }
}
