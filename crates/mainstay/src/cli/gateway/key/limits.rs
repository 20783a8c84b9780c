//! Limits on the command line.

use crate::cli::gateway::money::Budget;
use clap::Args;
use mainstay_api::gateway::GatewayLimits;
use std::str::FromStr;

/// A limit, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most<T>(pub Option<T>);

impl<T: FromStr> FromStr for Most<T>
where
    T::Err: std::fmt::Display,
{
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        text.parse().map(|most| Self(Some(most))).map_err(|e: T::Err| format!("{e}; or say none"))
    }
}

/// Limits of a key.
#[derive(Debug, Clone, Args)]
pub struct LimitOptions {
    /// Requests in any 60 seconds; `none` for no limit.
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<Most<u32>>,
    /// Tokens, in and out, in any 60 seconds; `none` for no limit.
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<Most<u64>>,
    /// Requests in a day of UTC; `none` for no limit.
    #[arg(long, value_name = "N")]
    requests_per_day: Option<Most<u32>>,
    /// Requests beyond those of a day that are left; each is used once.
    #[arg(long, value_name = "N")]
    bonus: Option<u32>,
    /// Requests at a time; `none` for no limit.
    #[arg(long, value_name = "N")]
    in_flight: Option<Most<u32>>,
    /// What may be spent, such as 12.50/month, in the unit of the prices; `none` for no limit.
    #[arg(long, value_name = "AMOUNT/PERIOD")]
    budget: Option<Most<Budget>>,
}

impl LimitOptions {
    /// Whether any is given.
    pub fn is_given(&self) -> bool {
        self.requests_per_minute.is_some()
            || self.tokens_per_minute.is_some()
            || self.requests_per_day.is_some()
            || self.bonus.is_some()
            || self.in_flight.is_some()
            || self.budget.is_some()
    }

    /// The limits with what is given in place of what was.
    pub fn over(&self, known: GatewayLimits) -> GatewayLimits {
        let budget = match self.budget {
            Some(Most(budget)) => (budget.map(|budget| budget.millionths), budget.map(|budget| budget.period)),
            None => (known.budget_millionths, known.budget_period),
        };
        GatewayLimits {
            requests_per_minute: self.requests_per_minute.map_or(known.requests_per_minute, |most| most.0),
            tokens_per_minute: self.tokens_per_minute.map_or(known.tokens_per_minute, |most| most.0),
            requests_per_day: self.requests_per_day.map_or(known.requests_per_day, |most| most.0),
            bonus_requests: self.bonus.unwrap_or(known.bonus_requests),
            in_flight: self.in_flight.map_or(known.in_flight, |most| most.0),
            budget_millionths: budget.0,
            budget_period: budget.1,
        }
    }
}
