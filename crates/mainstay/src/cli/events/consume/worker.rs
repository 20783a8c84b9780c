//! The loop of a consumer: take, work, settle.

use super::Stop;
use super::handler::{Handler, Outcome};
use super::hands::Hands;
use crate::failure::{Failure, Result};
use crate::printer::{Printer, one_line};
use mainstay_api::Code;
use mainstay_api::events::{
    AcknowledgeWork, BuryWork, ConsumerName, CreateGroup, EventToken, GroupFrom, KeepWork, MAX_REASON_BYTES,
    ReleaseWork, TakeWork, TakenWork, WorkEvent,
};
use mainstay_client::{ClientError, GroupClient};
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

/// Longest wait of a call, in milliseconds.
const WAIT_MS: u64 = 20_000;
/// How long a stop waits for the call in flight, which may just have taken something.
const LAST_TAKE: Duration = Duration::from_millis(500);
/// Pause after a call that failed and may succeed later.
const PAUSE: Duration = Duration::from_millis(500);

/// How events are worked on.
pub(super) struct Rules {
    pub consumer: ConsumerName,
    /// Where the group begins, if it is made.
    pub from: GroupFrom,
    pub batch: u32,
    pub once: bool,
    pub max_deliveries: u32,
    pub idle: Duration,
    pub back_off: Duration,
}

/// A consumer.
pub(super) struct Worker<'a> {
    pub printer: &'a Printer,
    pub group: GroupClient<'a>,
    pub rules: Rules,
    /// Works on each event; where there is none, events are printed.
    pub handler: Option<Handler>,
    pub stop: &'a Stop,
}

impl Worker<'_> {
    /// Works until it is told to stop, or, with `once`, nothing waits any more.
    pub(super) async fn run(&self) -> Result {
        // The first answer comes at once: it shows that the store and the group are there. Only then does an
        // interruption mean waiting on.
        let mut answered = false;
        while !self.stop.begun.is_cancelled() {
            let wait_ms = if answered && !self.rules.once { WAIT_MS } else { 0 };
            match self.take(wait_ms).await {
                None => break,
                Some(Ok(taken)) => {
                    let is_last = self.rules.once && taken.events.is_empty();
                    self.settle(taken).await?;
                    if is_last {
                        break;
                    }
                    answered = true;
                }
                Some(Err(error)) if !answered && error.refusal() == Some(Code::EventGroupUnknown) => {
                    self.make_group(error).await?
                }
                Some(Err(error)) if answered && error.is_retryable() => {
                    tracing::warn!(%error, "no events could be taken; trying again");
                    self.pause(&error).await;
                }
                Some(Err(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes events; nothing where a stop ends the wait for them.
    async fn take(&self, wait_ms: u64) -> Option<Result<TakenWork, ClientError>> {
        let wanted = self.wanted(wait_ms);
        let mut taking = pin!(self.group.take(&wanted));
        tokio::select! {
            taken = &mut taking => Some(taken),
            () = self.stop.begun.cancelled() => tokio::time::timeout(LAST_TAKE, taking).await.ok(),
        }
    }

    fn wanted(&self, wait_ms: u64) -> TakeWork {
        TakeWork {
            consumer: self.rules.consumer.clone(),
            limit: Some(self.rules.batch),
            wait_ms: Some(wait_ms),
            idle_ms: Some(millis(self.rules.idle)),
            max_deliveries: Some(self.rules.max_deliveries),
        }
    }

    /// Makes the group; what was asked is the better answer where the credential may not.
    async fn make_group(&self, unknown: ClientError) -> Result {
        match self.group.create(&CreateGroup { from: self.rules.from.clone() }).await {
            Ok(_) => {
                self.printer.note("there was no such group: it has been made");
                Ok(())
            }
            Err(error) if error.refusal() == Some(Code::Forbidden) => Err(unknown.into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn settle(&self, taken: TakenWork) -> Result {
        for (count, what) in [
            (taken.buried, "events that consumers kept leaving alone were put among the dead"),
            (taken.lost, "events were trimmed while a consumer had them, and are lost to the group"),
            (taken.unreadable, "entries of others are no events, and were passed over"),
        ] {
            if count > 0 {
                self.printer.warning(&format!("{count} {what}"));
            }
        }
        match &self.handler {
            Some(handler) => self.work_off(handler, &taken.events).await,
            None => self.print(&taken.events).await,
        }
    }

    /// Prints events, and acknowledges those that have left the process.
    async fn print(&self, events: &[WorkEvent]) -> Result {
        let (mut written, mut failed) = (Vec::new(), None);
        for work in events {
            if let Err(failure) = self.printer.line(&work.event) {
                failed = Some(failure);
                break;
            }
            written.push(work.token);
        }
        for work in &events[written.len()..] {
            self.give_back(work.token, Duration::ZERO).await?;
        }
        if !written.is_empty() {
            let done = AcknowledgeWork { tokens: written };
            self.insist("acknowledged", async || self.group.acknowledge(&done).await.map(drop)).await?;
        }
        failed.map_or(Ok(()), Err)
    }

    /// Has the handler work on events, one after another, and keeps all of them meanwhile.
    async fn work_off(&self, handler: &Handler, events: &[WorkEvent]) -> Result {
        let hands = Hands::full_of(events.iter().map(|work| work.token));
        let working = async {
            for work in events {
                self.work_on(handler, work, &hands).await?;
            }
            Ok(())
        };
        let outcome = tokio::select! {
            outcome = working => outcome,
            never = self.keep_on(&hands) => match never {},
        };
        if outcome.is_err() {
            let mut left = hands.hold().await;
            while let Some(token) = left.pop_first() {
                self.give_back(token, Duration::ZERO).await?;
            }
        }
        outcome
    }

    async fn work_on(&self, handler: &Handler, work: &WorkEvent, hands: &Hands) -> Result {
        let token = work.token;
        if !hands.hold().await.contains(&token) {
            self.printer.warning(&format!("{token} is in the hands of another consumer by now, and is left to it"));
            return Ok(());
        }
        let outcome = match self.stop.begun.is_cancelled() {
            true => Outcome::Interrupted,
            false => handler.run(work, self.stop).await?,
        };
        let mut held = hands.hold().await;
        held.remove(&token);
        match outcome {
            Outcome::Done => {
                let done = AcknowledgeWork { tokens: vec![token] };
                self.insist("acknowledged", async || self.group.acknowledge(&done).await.map(drop)).await
            }
            Outcome::Interrupted => self.give_back(token, Duration::ZERO).await,
            Outcome::Failed(how) if work.delivery >= self.rules.max_deliveries => self.bury(work, how).await,
            Outcome::Failed(how) => {
                let delay = back_off(&self.rules, work.delivery);
                let again = format!("try {} follows in {} ms", work.delivery + 1, delay.as_millis());
                self.printer.warning(&format!("{}: {how}; {again}", one_line(work.event.id.as_str())));
                self.give_back(token, delay).await
            }
        }
    }

    /// Keeps what is in hand, three times within the time after which another consumer would take it.
    async fn keep_on(&self, hands: &Hands) -> Infallible {
        loop {
            tokio::time::sleep(self.rules.idle / 3).await;
            let mut held = hands.hold().await;
            if held.is_empty() {
                continue;
            }
            let keep = KeepWork { consumer: self.rules.consumer.clone(), tokens: held.iter().copied().collect() };
            match self.group.keep(&keep).await {
                Ok(kept) => held.retain(|token| kept.kept.contains(token)),
                Err(error) => tracing::warn!(%error, "events could not be kept; another consumer may take them"),
            }
        }
    }

    async fn give_back(&self, token: EventToken, delay: Duration) -> Result {
        let release = ReleaseWork {
            consumer: self.rules.consumer.clone(),
            token,
            delay_ms: Some(millis(delay)),
            idle_ms: Some(millis(self.rules.idle)),
        };
        self.insist("given back", async || self.group.release(&release).await.map(drop)).await
    }

    async fn bury(&self, work: &WorkEvent, how: String) -> Result {
        let id = one_line(work.event.id.as_str());
        let last = work.delivery;
        self.printer.warning(&format!("{id}: {how}; that was delivery {last}, and it is put among the dead"));
        let bury = BuryWork { consumer: self.rules.consumer.clone(), token: work.token, reason: cut(how) };
        self.insist("buried", async || self.group.bury(&bury).await.map(drop)).await
    }

    /// Makes a call until it is answered: the work has been done, and there is nothing better to do while the store is
    /// away. Given up where the end of a stop is due: the event is then delivered again.
    async fn insist(&self, what: &str, call: impl AsyncFn() -> Result<(), ClientError>) -> Result {
        loop {
            let Err(error) = call().await else { return Ok(()) };
            if !error.is_retryable() {
                return Err(error.into());
            }
            if self.stop.due.is_cancelled() {
                self.printer.warning(&format!("an event could not be {what}, and is delivered again: {error}"));
                return Err(Failure::from(error));
            }
            tracing::warn!(%error, what, "an event could not be settled; trying again");
            self.pause(&error).await;
        }
    }

    /// Waits for a better moment, or for the end of a stop.
    async fn pause(&self, error: &ClientError) {
        let pause = PAUSE.max(Duration::from_millis(error.retry_after_ms().unwrap_or(0)));
        let _ended = self.stop.due.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

/// The pause before the next try: doubles with each, up to the time after which any consumer takes an event.
fn back_off(rules: &Rules, delivery: u32) -> Duration {
    let doublings = delivery.saturating_sub(1).min(20);
    rules.back_off.saturating_mul(1 << doublings).min(rules.idle)
}

/// A reason, as long as it may be.
fn cut(mut reason: String) -> String {
    let end = (0..=reason.len().min(MAX_REASON_BYTES)).rev().find(|at| reason.is_char_boundary(*at));
    reason.truncate(end.unwrap_or(0));
    reason
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_at_the_time_after_which_anybody_takes_an_event() {
        let rules = Rules {
            consumer: ConsumerName::parse("c").unwrap(),
            from: GroupFrom::Oldest,
            batch: 1,
            once: false,
            max_deliveries: 5,
            idle: Duration::from_secs(60),
            back_off: Duration::from_secs(1),
        };
        let pauses: Vec<u64> = (1..=8).map(|delivery| back_off(&rules, delivery).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(back_off(&rules, u32::MAX).as_secs(), 60);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let reason = cut("é".repeat(MAX_REASON_BYTES));
        assert_eq!(reason.len(), MAX_REASON_BYTES);
        assert_eq!(cut("a".to_owned() + &"é".repeat(MAX_REASON_BYTES)).len(), MAX_REASON_BYTES - 1);
    }
}
