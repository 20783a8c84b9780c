//! What tokens cost. Everything is whole: a price is kept in millionths of a millionth of its unit for each token, and a cost
//! comes out in millionths of the unit, rounded up, so that many small requests are not for nothing.

use super::port::{Reserve, Spent};
use crate::error::{Error, Result};
use crate::jsontext::{Kind, Node};
use mainstay_api::RawJson;

/// Most models that a table names.
const MAX_PRICES: usize = 2_000;
/// Digits behind the point of a price.
const DECIMALS: usize = 6;
/// The dearest price, in units for a million tokens.
const MAX_PRICE: u64 = 1_000_000_000;
/// Tokens that an answer may have where neither the request nor the table says how many.
const USUAL_OUTPUT_TOKENS: u64 = 4_096;
/// Bytes of a prompt that are taken for one token. Tokenizers make about four of English and fewer of other text, so that the
/// estimate is rather too high.
const BYTES_PER_TOKEN: u64 = 3;
/// The most that one request reserves or spends, in tokens and in millionths: sums of them stay exact everywhere.
pub const MAX_COUNT: u64 = 1 << 40;

/// The prices of a model, in millionths of a unit for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Price {
    /// Tokens that are sent.
    pub input: u64,
    /// Tokens that are received.
    pub output: u64,
    /// Tokens that are sent and that the upstream has in its cache.
    pub cached: u64,
    /// Tokens that an answer may have where the request does not say.
    pub max_output_tokens: Option<u64>,
}

/// Prices by model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceTable {
    /// Patterns, the ones that say most first.
    prices: Vec<(String, Price)>,
}

/// What is known of a request before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prospect {
    /// Bytes of the text that is sent.
    pub prompt_bytes: u64,
    /// Most tokens of an answer, where the request says so.
    pub max_output_tokens: Option<u64>,
    /// How many answers are asked for.
    pub answers: u32,
}

impl PriceTable {
    /// Reads the document of the prices: `{"models": {"gpt-4o*": {"input": 2.5, "output": 10, "cached": 1.25}}}`, in units for
    /// a million tokens. Members that are not known are left alone.
    ///
    /// # Errors
    /// `request.invalid`, naming the model and the member.
    pub fn parse(document: &RawJson) -> Result<Self> {
        let text = document.as_str();
        let root = Node::of(document)?;
        let Some(models) = root.member("models") else { return Ok(Self::default()) };
        let Kind::Object(members) = &models.value.kind else {
            return Err(Error::invalid("models: an object of models and their prices is wanted"));
        };
        if members.len() > MAX_PRICES {
            return Err(Error::invalid(format!("models: more than {MAX_PRICES}")));
        }
        let mut prices = Vec::with_capacity(members.len());
        for member in members {
            let number = |name: &str| {
                let value = member.value.member(name).map(|known| known.value.text(text));
                value.map(|value| decimal(value).ok_or_else(|| not_a_price(&member.name, name))).transpose()
            };
            let input = number("input")?.unwrap_or(0);
            let cached = number("cached")?.unwrap_or(input);
            let max_output_tokens = number("max_output_tokens")?.map(|number| number / 10_u64.pow(6));
            let price = Price { input, output: number("output")?.unwrap_or(0), cached, max_output_tokens };
            prices.push((member.name.clone(), price));
        }
        // A name says more than any pattern, and of patterns the one with more letters.
        prices.sort_by_key(|(pattern, _)| (pattern.contains('*'), usize::MAX - pattern.len()));
        Ok(Self { prices })
    }

    /// The price of a model; of one that the table does not have, nothing.
    #[must_use]
    pub fn of(&self, model: &str) -> Price {
        let found = self.prices.iter().find(|(pattern, _)| matches(pattern, model));
        found.map(|(_, price)| *price).unwrap_or_default()
    }

    /// What a request may cost at most, as far as it is known before.
    #[must_use]
    pub fn estimate(&self, model: &str, prospect: Prospect) -> Reserve {
        let price = self.of(model);
        let input = prospect.prompt_bytes.div_ceil(BYTES_PER_TOKEN).min(MAX_COUNT);
        let each = prospect.max_output_tokens.or(price.max_output_tokens).unwrap_or(USUAL_OUTPUT_TOKENS);
        let output = each.saturating_mul(u64::from(prospect.answers.max(1))).min(MAX_COUNT);
        let spent = Spent { input_tokens: input, output_tokens: output, ..Spent::default() };
        Reserve { tokens: spent.tokens().min(MAX_COUNT), cost: price.cost(&spent) }
    }
}

impl Price {
    /// What a request cost, in millionths of the unit.
    #[must_use]
    pub fn cost(&self, spent: &Spent) -> u64 {
        let cached = spent.cached_tokens.min(spent.input_tokens);
        let part = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let whole = part(spent.input_tokens - cached, self.input)
            + part(cached, self.cached)
            + part(spent.output_tokens, self.output);
        u64::try_from(whole.div_ceil(1_000_000)).unwrap_or(u64::MAX).min(MAX_COUNT)
    }
}

/// Whether a text is one that a pattern stands for, in which `*` stands for any text. Linear in both.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// A decimal number as millionths.
fn decimal(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.trim_end_matches('0').len() > DECIMALS {
        return None;
    }
    let whole: u64 = whole.parse().ok().filter(|whole| *whole <= MAX_PRICE)?;
    let part: u64 = format!("{part:0<6}")[..DECIMALS].parse().ok()?;
    Some(whole * 1_000_000 + part)
}

fn not_a_price(model: &str, member: &str) -> Error {
    let rule = format!("a number from 0 to {MAX_PRICE} with at most {DECIMALS} digits behind the point is wanted");
    Error::invalid(format!("models: {model:?}: {member}: {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> PriceTable {
        PriceTable::parse(&RawJson::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn a_name_goes_before_patterns_and_the_longer_pattern_before_the_shorter() {
        let prices = table(
            r#"{"models":{"*":{"input":1},"gpt-4o*":{"input":2.5,"output":10,"cached":1.25,"note":[]},
               "gpt-4o-mini":{"input":0.15,"output":0.6},"gpt-*":{"input":3}},"other":1}"#,
        );
        let input = |model: &str| prices.of(model).input;
        assert_eq!(input("gpt-4o-mini"), 150_000);
        assert_eq!(input("gpt-4o-2024"), 2_500_000);
        assert_eq!((input("gpt-5"), input("claude")), (3_000_000, 1_000_000));
        assert_eq!(prices.of("gpt-5").cached, 3_000_000, "what is not said of the cache costs as much as without");
        assert_eq!(table("{}").of("gpt-4o"), Price::default());
    }

    #[test]
    fn costs_are_exact_and_rounded_up() {
        let price = table(r#"{"models":{"m":{"input":2.5,"output":10,"cached":1.25}}}"#).of("m");
        let spent = |input_tokens, cached_tokens, output_tokens| Spent {
            input_tokens,
            cached_tokens,
            output_tokens,
            ..Spent::default()
        };
        assert_eq!(price.cost(&spent(1_000_000, 0, 0)), 2_500_000);
        assert_eq!(price.cost(&spent(1_000_000, 400_000, 100_000)), 1_500_000 + 500_000 + 1_000_000);
        assert_eq!(price.cost(&spent(1, 0, 0)), 3, "two and a half millionths");
        assert_eq!(price.cost(&spent(u64::MAX, 0, u64::MAX)), MAX_COUNT);
        assert_eq!(price.cost(&spent(1, 5, 0)), 2, "no more is cached than was sent");
    }

    #[test]
    fn what_is_no_price_is_named() {
        for bad in ["-1", "1e3", "\"1\"", "null", "0.0000001", "1000000001", "{}"] {
            let document = RawJson::parse(&format!(r#"{{"models":{{"m":{{"input":{bad}}}}}}}"#)).unwrap();
            let refused = PriceTable::parse(&document).unwrap_err();
            assert!(refused.problem.detail.contains("\"m\": input"), "{bad}: {}", refused.problem.detail);
        }
        assert_eq!(decimal("0.150000000"), Some(150_000));
        assert!(PriceTable::parse(&RawJson::parse(r#"{"models":[]}"#).unwrap()).is_err());
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in [("*", ""), ("a*", "a"), ("a*c", "abc"), ("*b*", "abc"), ("a*b*b", "abb"), ("", "")] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*c", "ab"), ("a*a", "a"), ("a*b*b", "ab"), ("", "a"), ("*b", "bc")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn an_estimate_is_what_the_request_may_cost() {
        let prices = table(r#"{"models":{"m":{"input":1,"output":2},"n":{"output":1,"max_output_tokens":10}}}"#);
        let prospect = Prospect { prompt_bytes: 300, max_output_tokens: Some(50), answers: 2 };
        assert_eq!(prices.estimate("m", prospect), Reserve { tokens: 200, cost: 300 });
        let open = Prospect { max_output_tokens: None, answers: 0, ..prospect };
        assert_eq!(prices.estimate("n", open), Reserve { tokens: 110, cost: 10 });
        assert_eq!(prices.estimate("x", open), Reserve { tokens: 4_196, cost: 0 });
        let huge = Prospect { prompt_bytes: u64::MAX, max_output_tokens: Some(u64::MAX), answers: u32::MAX };
        assert_eq!(prices.estimate("m", huge), Reserve { tokens: MAX_COUNT, cost: MAX_COUNT });
    }
}
