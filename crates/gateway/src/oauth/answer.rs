//! What the server answers: tokens, or why there are none.

use mainstay_core::api::{RawJson, Timestamp};
use mainstay_core::providers::credentials::{
    AnswerFields, Expires, Issued, RefreshRefusal, RefreshRequest, parse_expiry, seconds,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest part of what a server says of an error that is told, in characters.
const MAX_REASON: usize = 200;
/// Most members of an answer that are kept besides the tokens.
const MAX_OTHERS: usize = 64;

/// An answer as it came.
pub(super) struct Answered<'a> {
    pub status: u16,
    pub retry_after: Option<Duration>,
    pub body: &'a [u8],
}

/// What a server says of an error (RFC 6749, section 5.2), or nearly.
#[derive(Debug, Default, Deserialize)]
struct Complaint {
    #[serde(default)]
    error: Value,
    #[serde(default)]
    error_description: Value,
    #[serde(default)]
    message: Value,
}

/// Reads an answer.
///
/// # Errors
/// Why there are no tokens in it.
pub(super) fn read_answer(answered: &Answered<'_>, request: &RefreshRequest) -> Result<Issued, RefreshRefusal> {
    match answered.status {
        200..=299 => read_tokens(answered, request),
        _ => Err(read_complaint(answered, request)),
    }
}

fn read_tokens(answered: &Answered<'_>, request: &RefreshRequest) -> Result<Issued, RefreshRefusal> {
    // Whatever a server says with success, it may have used the refresh token up.
    let doubtful = |reason: &str| {
        let reason = format!("the authorization server answers {} {reason}", answered.status);
        RefreshRefusal::Transient { reason, retry_after: answered.retry_after, in_doubt: true }
    };
    let members: BTreeMap<String, RawJson> =
        serde_json::from_slice(answered.body).map_err(|_| doubtful("without a JSON object"))?;
    let names = &request.client.fields;
    let Some(access_token) = text(&members, &names.access_token) else {
        let complaint = read_complaint(answered, request);
        // Some servers say with success that there was none.
        let grant = matches!(complaint, RefreshRefusal::InvalidGrant(_));
        return Err(if grant { complaint } else { doubtful("without an access token") });
    };
    Ok(Issued {
        access_token: access_token.into(),
        refresh_token: text(&members, &names.refresh_token).map(SecretString::from),
        expires: expires(&members, names),
        others: members.into_iter().filter(|(name, _)| !is_known(names, name)).take(MAX_OTHERS).collect(),
    })
}

fn read_complaint(answered: &Answered<'_>, request: &RefreshRequest) -> RefreshRefusal {
    let complaint: Complaint = serde_json::from_slice(answered.body).unwrap_or_default();
    // Some servers put an object there: {"error": {"code": …, "message": …}}.
    let code = [&complaint.error, &complaint.error["code"], &complaint.error["type"], &complaint.error["status"]];
    let code = code.into_iter().find_map(Value::as_str).unwrap_or_default();
    let words = [&complaint.error_description, &complaint.error["message"], &complaint.message];
    let words = words.into_iter().find_map(Value::as_str).unwrap_or_default();
    let reason = told(answered.status, code, words, request);
    match (answered.status, code) {
        (_, "invalid_grant") => RefreshRefusal::InvalidGrant(reason),
        (408 | 425 | 429 | 500..=599, _) | (_, "temporarily_unavailable" | "slow_down" | "server_error") => {
            // Who answers between us and the server does not know what became of the request.
            let in_doubt = matches!(answered.status, 408 | 502 | 504);
            RefreshRefusal::Transient { reason, retry_after: answered.retry_after, in_doubt }
        }
        _ => RefreshRefusal::Misconfigured(reason),
    }
}

/// What is told of an error: nothing that was sent, whatever the server repeats of it.
fn told(status: u16, code: &str, words: &str, request: &RefreshRequest) -> String {
    let plain = |text: &str| -> String {
        let mut text = text.to_owned();
        let secrets = [Some(&request.refresh_token), request.client.client_secret.as_ref()];
        for secret in secrets.into_iter().flatten().map(|secret| secret.expose_secret()).filter(|s| !s.is_empty()) {
            text = text.replace(secret, "…");
        }
        text.chars().filter(|character| !character.is_control()).take(MAX_REASON).collect()
    };
    let said = [plain(code), plain(words)].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
    if said.is_empty() { format!("status {status}") } else { format!("status {status}, {said}") }
}

fn expires(members: &BTreeMap<String, RawJson>, names: &AnswerFields) -> Option<Expires> {
    let value = |name: &str| members.get(name)?.read::<Value>().ok();
    let at = names.expires_at.as_deref().and_then(|name| parse_expiry(&value(name)?)).map(Expires::At);
    at.or_else(|| seconds(&value(&names.expires_in)?).map(|seconds| Expires::In(Duration::from_secs(seconds))))
}

fn text(members: &BTreeMap<String, RawJson>, name: &str) -> Option<String> {
    members.get(name)?.read::<String>().ok().filter(|text| !text.is_empty())
}

fn is_known(names: &AnswerFields, name: &str) -> bool {
    [&names.access_token, &names.refresh_token, &names.expires_in].contains(&&name.to_owned())
        || names.expires_at.as_deref() == Some(name)
}

/// How long a server asks to be left alone: seconds, or a date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_millisecond();
    Some(Duration::from_millis(at.saturating_sub(now.as_millis()).max(0).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_core::providers::credentials::OAuthClient;

    fn read(status: u16, body: &str) -> Result<Issued, RefreshRefusal> {
        let settings = r#"{"token_url":"https://id.example.com/token","client_secret":"s3cret"}"#;
        let request = RefreshRequest { client: OAuthClient::parse(settings).unwrap(), refresh_token: "r-old".into() };
        read_answer(&Answered { status, retry_after: None, body: body.as_bytes() }, &request)
    }

    #[test]
    fn an_answer_without_a_new_refresh_token_has_none() {
        let issued =
            read(200, r#"{"access_token":"a","expires_in":"3600","scope":"x","n":17769170451091230}"#).unwrap();
        assert_eq!((issued.access_token.expose_secret(), issued.refresh_token.is_none()), ("a", true));
        assert_eq!(issued.expires, Some(Expires::In(Duration::from_secs(3_600))));
        assert_eq!(issued.others[0].1.as_str(), "17769170451091230");
    }

    #[test]
    fn each_failure_has_its_kind_and_tells_no_secret() {
        let grant = |refusal: &RefreshRefusal| matches!(refusal, RefreshRefusal::InvalidGrant(_));
        let wrong = |refusal: &RefreshRefusal| matches!(refusal, RefreshRefusal::Misconfigured(_));
        let doubt = |refusal: &RefreshRefusal| matches!(refusal, RefreshRefusal::Transient { in_doubt: true, .. });
        let safe = |refusal: &RefreshRefusal| matches!(refusal, RefreshRefusal::Transient { in_doubt: false, .. });
        type Is<'a> = &'a dyn Fn(&RefreshRefusal) -> bool;
        let cases: [(u16, &str, Is<'_>); 12] = [
            (400, r#"{"error":"invalid_grant","error_description":"r-old was used, s3cret"}"#, &grant),
            (401, r#"{"error":{"code":"invalid_grant","message":"gone"}}"#, &grant),
            (200, r#"{"error":"invalid_grant"}"#, &grant),
            (401, r#"{"error":"invalid_client"}"#, &wrong),
            (400, r#"{"error":"unsupported_grant_type"}"#, &wrong),
            (404, "<html>r-old</html>", &wrong),
            (302, "", &wrong),
            (500, "oops", &safe),
            (502, "oops", &doubt),
            (200, "<html>", &doubt),
            (200, r#"{"access_token":""}"#, &doubt),
            (429, "{}", &safe),
        ];
        for (status, body, is) in cases {
            let refusal = read(status, body).unwrap_err();
            assert!(is(&refusal), "{status} {body}: {refusal:?}");
            let told = format!("{refusal:?}");
            assert!(!told.contains("r-old") && !told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn a_server_says_when_to_come_back_in_seconds_or_as_a_date() {
        let now = Timestamp::from_millis(1_445_412_420_000);
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:20:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
