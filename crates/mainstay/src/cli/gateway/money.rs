//! Amounts, as people write them: decimal, in the unit of the prices.

use mainstay_api::gateway::BudgetPeriod;
use std::str::FromStr;

const MILLION: u64 = 1_000_000;

/// A budget, such as `12.50/month`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Millionths of the unit.
    pub millionths: u64,
    /// How long it lasts.
    pub period: BudgetPeriod,
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = || format!("{text:?} is no budget, such as 12.50/month; the period is day, week, month or total");
        let (amount, period) = text.split_once('/').unwrap_or((text, "month"));
        let period = match period {
            "day" => BudgetPeriod::Day,
            "week" => BudgetPeriod::Week,
            "month" => BudgetPeriod::Month,
            "total" => BudgetPeriod::Total,
            _ => return Err(rule()),
        };
        Ok(Self { millionths: parse(amount).ok_or_else(rule)?, period })
    }
}

fn parse(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(MILLION)?.checked_add(part)
}

/// An amount with as many digits as it needs, two at least.
pub fn amount(millionths: u64) -> String {
    let text = format!("{}.{:06}", millionths / MILLION, millionths % MILLION);
    let shortest = text.len() - 4;
    let end = text.trim_end_matches('0').len().max(shortest);
    text[..end].to_owned()
}

/// The word for a period.
pub fn period(period: BudgetPeriod) -> &'static str {
    match period {
        BudgetPeriod::Day => "day",
        BudgetPeriod::Week => "week",
        BudgetPeriod::Month => "month",
        BudgetPeriod::Total => "total",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_in_and_out() {
        for (text, millionths) in [("12.50", 12_500_000), ("0.000001", 1), ("7.00", 7_000_000), ("0.1234", 123_400)] {
            assert_eq!(parse(text), Some(millionths), "{text}");
            assert_eq!(amount(millionths), text);
        }
        for bad in ["", ".5", "-1", "1e3", "1.0000001", "99999999999999999999", "1,5"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!("5".parse::<Budget>().unwrap(), Budget { millionths: 5_000_000, period: BudgetPeriod::Month });
        assert_eq!("5/day".parse::<Budget>().unwrap().period, BudgetPeriod::Day);
        assert!("5/year".parse::<Budget>().is_err());
    }
}
