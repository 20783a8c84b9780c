//! What a request does to a key: when it is let in, what it then holds, and what is left of that.

use super::port::{Admit, KeyLimits, KeyRecord, Limit, Period, Refusal, Reserve, Spent, Tally};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use mainstay_api::Timestamp;

/// The minute of the limits, in milliseconds.
pub const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// 1970-01-01 was a Thursday, three days into its week.
const DAYS_INTO_WEEK: i64 = 3;
/// When to ask again for a place in flight, in milliseconds: who holds one does not say for how long.
const IN_FLIGHT_RETRY_MS: i64 = 1_000;

/// The day of a moment, as days since 1970.
#[must_use]
pub fn day_of(at: Timestamp) -> u32 {
    u32::try_from(at.as_millis().div_euclid(DAY_MS)).unwrap_or(0)
}

/// When a day begins.
#[must_use]
pub fn start_of_day(day: u32) -> Timestamp {
    Timestamp::from_millis(i64::from(day) * DAY_MS)
}

impl Period {
    /// Every period.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Total];

    /// The period as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// Finds a period by its text.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == text)
    }

    /// When the period that a moment is in began.
    #[must_use]
    pub fn start(self, now: Timestamp) -> Timestamp {
        let days = now.as_millis().div_euclid(DAY_MS);
        match self {
            Self::Day => Timestamp::from_millis(days * DAY_MS),
            Self::Week => {
                let monday = days - (days + DAYS_INTO_WEEK).rem_euclid(7);
                Timestamp::from_millis(monday * DAY_MS)
            }
            Self::Month => month(now, 0),
            Self::Total => Timestamp::from_millis(0),
        }
    }

    /// When the period after that begins; none where it never ends.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Option<Timestamp> {
        let start = self.start(now).as_millis();
        match self {
            Self::Day => Some(Timestamp::from_millis(start + DAY_MS)),
            Self::Week => Some(Timestamp::from_millis(start + 7 * DAY_MS)),
            Self::Month => Some(month(now, 1)),
            Self::Total => None,
        }
    }
}

/// When the month of a moment began, or one some months later.
fn month(now: Timestamp, later: i32) -> Timestamp {
    let moment = jiff::Timestamp::from_millisecond(now.as_millis()).map(|at| at.to_zoned(TimeZone::UTC).date());
    let first = moment.and_then(|date| date.first_of_month().checked_add(later.months()));
    let start = first.and_then(|date| date.to_zoned(TimeZone::UTC)).map(|at| at.timestamp().as_millisecond());
    start.map_or(now, Timestamp::from_millis)
}

impl Tally {
    /// Brings what was counted to the day and the period of a moment, never back.
    pub fn turn(&mut self, limits: &KeyLimits, now: Timestamp) {
        let day = day_of(now);
        if day > self.day {
            (self.day, self.requests_today) = (day, 0);
        }
        let start = limits.budget.map_or(self.spent_from, |(_, period)| period.start(now));
        if start > self.spent_from {
            (self.spent_from, self.spent) = (start, 0);
        }
    }
}

/// What a key has in hand at a moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// Requests in the last 60 seconds.
    pub requests: u64,
    /// Tokens of those.
    pub tokens: u64,
    /// Requests in flight.
    pub in_flight: u64,
}

/// What is kept of a request that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// What was reserved.
    pub reserve: Reserve,
    /// When it was let in.
    pub admitted_at: Timestamp,
    /// Until when it is in flight.
    pub until: Timestamp,
    /// The day whose requests it is among.
    pub day: u32,
    /// Whether it used one beyond those of the day.
    pub bonus: bool,
    /// When the period began that it is spent in.
    pub spent_from: Timestamp,
}

/// Why a request is not let in, before anybody asked when there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Room comes with time, and who keeps the minute knows when.
    Minute(Limit),
    /// Known already.
    Said(Refusal),
}

impl KeyRecord {
    /// Counts a request and reserves what it may use, or says why not and counts nothing.
    ///
    /// # Errors
    /// What is full.
    pub fn charge(&mut self, standing: Standing, admit: &Admit) -> Result<Reservation, Full> {
        let (limits, now, reserve) = (&self.limits, admit.now, admit.reserve);
        if self.disabled {
            return Err(Full::Said(Refusal::Disabled));
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            return Err(Full::Said(Refusal::Expired));
        }
        if limits.requests_per_minute.is_some_and(|most| standing.requests >= u64::from(most)) {
            return Err(Full::Minute(Limit::RequestsPerMinute));
        }
        let wanted = |most: u64| standing.tokens.saturating_add(reserve.tokens.min(most));
        if limits.tokens_per_minute.is_some_and(|most| wanted(most) > most) {
            return Err(Full::Minute(Limit::TokensPerMinute));
        }
        let tally = &mut self.tally;
        tally.turn(limits, now);
        let over = limits.requests_per_day.is_some_and(|most| tally.requests_today >= most);
        if over && tally.bonus_used >= limits.bonus_requests {
            let retry_at = start_of_day(tally.day + 1);
            return Err(Full::Said(Refusal::Limited { limit: Limit::RequestsPerDay, retry_at }));
        }
        if limits.in_flight.is_some_and(|most| standing.in_flight >= u64::from(most)) {
            let retry_at = Timestamp::from_millis(now.as_millis() + IN_FLIGHT_RETRY_MS);
            return Err(Full::Said(Refusal::Limited { limit: Limit::InFlight, retry_at }));
        }
        if let Some((budget, period)) = limits.budget
            && tally.spent.saturating_add(reserve.cost) > budget
        {
            return Err(Full::Said(Refusal::Budget { retry_at: period.next(now) }));
        }
        tally.requests += 1;
        if over {
            tally.bonus_used += 1;
        } else {
            tally.requests_today += 1;
        }
        tally.spent += reserve.cost;
        tally.used_at = tally.used_at.max(Some(now));
        tally.in_flight = u32::try_from(standing.in_flight + 1).unwrap_or(u32::MAX);
        let (day, spent_from) = (tally.day, tally.spent_from);
        Ok(Reservation { reserve, admitted_at: now, until: admit.until, day, bonus: over, spent_from })
    }
}

impl Tally {
    /// Replaces what was reserved by what was used. A period that is over keeps what it was.
    pub fn settle(&mut self, reservation: &Reservation, spent: &Spent) {
        self.tokens = self.tokens.saturating_add(spent.tokens());
        if reservation.spent_from == self.spent_from {
            self.spent = self.spent.saturating_sub(reservation.reserve.cost).saturating_add(spent.cost);
        }
    }

    /// Takes a request back that was never sent.
    pub fn withdraw(&mut self, reservation: &Reservation) {
        self.requests = self.requests.saturating_sub(1);
        if reservation.bonus {
            self.bonus_used = self.bonus_used.saturating_sub(1);
        } else if reservation.day == self.day {
            self.requests_today = self.requests_today.saturating_sub(1);
        }
        if reservation.spent_from == self.spent_from {
            self.spent = self.spent.saturating_sub(reservation.reserve.cost);
        }
    }
}

impl Spent {
    /// Tokens in and out.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// Adds what another request used.
    pub fn add(&mut self, other: &Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.cached_tokens = self.cached_tokens.saturating_add(other.cached_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cost = self.cost.saturating_add(other.cost);
        self.reported &= other.reported;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn periods_begin_where_the_calendar_says() {
        let now = at("2026-02-25T17:00:00Z");
        let starts = Period::ALL.map(|period| period.start(now));
        let days = ["2026-02-25T00:00:00Z", "2026-02-23T00:00:00Z", "2026-02-01T00:00:00Z", "1970-01-01T00:00:00Z"];
        assert_eq!(starts, days.map(at));
        let ends = Period::ALL.map(|period| period.next(now));
        let next = ["2026-02-26T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"].map(|text| Some(at(text)));
        assert_eq!(ends[..3], next);
        assert_eq!(ends[3], None);
        assert_eq!(Period::Week.start(at("2026-11-23T00:00:00Z")), at("2026-11-23T00:00:00Z"), "a Monday");
        assert_eq!(Period::Week.start(at("2026-11-22T23:59:59.999Z")), at("2026-11-16T00:00:00Z"), "a Sunday");
        assert_eq!(Period::Month.next(at("2026-12-31T00:00:00Z")), Some(at("2027-01-01T00:00:00Z")));
    }

    #[test]
    fn a_slower_clock_never_brings_back_a_day_or_a_period() {
        let limits = KeyLimits { budget: Some((10, Period::Day)), ..KeyLimits::default() };
        let mut tally = Tally::default();
        tally.turn(&limits, at("2026-02-25T00:00:00Z"));
        (tally.requests_today, tally.spent) = (3, 7);
        let today = tally.clone();
        tally.turn(&limits, at("2026-02-24T23:59:59Z"));
        assert_eq!(tally, today);
        tally.turn(&limits, at("2026-02-26T00:00:00Z"));
        assert_eq!((tally.requests_today, tally.spent), (0, 0));
    }
}
