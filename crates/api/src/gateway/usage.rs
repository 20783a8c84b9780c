//! What was used.

use serde::{Deserialize, Serialize};

/// Most rows of one page of usage.
pub const MAX_USAGE_ROWS: u32 = 1_000;
/// Most days that one listing of usage spans.
pub const MAX_USAGE_DAYS: u32 = 400;

/// How usage is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageFormat {
    /// A page of rows.
    Json,
    /// A line of names, then one line for each row (RFC 4180).
    Csv,
}

/// Which usage to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListGatewayUsage {
    /// The first day, such as `2026-11-01`; 30 days before the last when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last day; today when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Only what this key, or this principal, used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How it is written: `json`, one page, when absent; `csv`, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub format: Option<UsageFormat>,
    /// Where the page before this one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows on the page: 1 to 1,000, 500 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What one key, pool, provider and model used on one day of UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GatewayUsage {
    /// The day.
    pub day: String,
    /// The id of the key, or the name of the principal.
    pub key: String,
    /// The pool that answered.
    pub pool: String,
    /// The provider that answered; `*` for those that a day had no room for.
    pub provider: String,
    /// The model that answered.
    pub model: String,
    /// Requests.
    pub requests: u64,
    /// Of those, requests that failed.
    pub failed: u64,
    /// Tokens that were sent.
    pub input_tokens: u64,
    /// Of those, tokens that the upstream had in its cache.
    pub cached_tokens: u64,
    /// Tokens that were received.
    pub output_tokens: u64,
    /// What it cost, in millionths of the unit of the prices.
    pub cost_millionths: u64,
    /// Whether some of it is an estimate, where an upstream did not say what was used.
    pub estimated: bool,
}

impl GatewayUsage {
    /// The line of names above the rows.
    pub const CSV_HEAD: &'static str = "day,key,pool,provider,model,requests,failed,input_tokens,cached_tokens,\
                                        output_tokens,cost_millionths,estimated\r\n";

    /// The row as a line of RFC 4180. A text that a spreadsheet would take for a formula stands behind an apostrophe: models
    /// are named by whoever asks.
    #[must_use]
    pub fn csv_line(&self) -> String {
        let texts = [&self.day, &self.key, &self.pool, &self.provider, &self.model].map(|text| quoted(text));
        let numbers = [
            self.requests,
            self.failed,
            self.input_tokens,
            self.cached_tokens,
            self.output_tokens,
            self.cost_millionths,
        ];
        let numbers = numbers.map(|number| number.to_string());
        format!("{},{},{}\r\n", texts.join(","), numbers.join(","), self.estimated)
    }
}

fn quoted(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\r', '\n']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_any_text_and_no_formula() {
        let row = GatewayUsage {
            day: "2026-11-25".into(),
            key: "gwk-1".into(),
            pool: "openai".into(),
            provider: "p".into(),
            model: "=1+\"a\",b".into(),
            requests: 1,
            failed: 0,
            input_tokens: 2,
            cached_tokens: 0,
            output_tokens: 3,
            cost_millionths: 4,
            estimated: true,
        };
        assert_eq!(row.csv_line(), "2026-11-25,gwk-1,openai,p,\"'=1+\"\"a\"\",b\",1,0,2,0,3,4,true\r\n");
        assert_eq!(GatewayUsage::CSV_HEAD.split(',').count(), 12);
    }
}
