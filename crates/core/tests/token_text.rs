//! Token files of every family: read, renewed in place, masked.

use mainstay_core::api::{RawJson, Timestamp};
use mainstay_core::providers::credentials::{Expires, Issued, TokenText};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::time::Duration;

/// 2026-01-23T13:48:05Z.
const NOW: i64 = 1_769_176_085_000;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW)
}

fn issued(refresh: Option<&str>) -> Issued {
    Issued {
        access_token: "a-new".into(),
        refresh_token: refresh.map(Into::into),
        expires: Some(Expires::In(Duration::from_secs(3_600))),
        others: Vec::new(),
    }
}

fn renewed(text: &str, issued: &Issued) -> String {
    TokenText::parse(text).unwrap().renewed(issued, now()).unwrap().secret().expose_secret().to_owned()
}

#[test]
fn both_families_are_renewed_in_their_own_members_and_all_else_keeps_its_bytes() {
    for (before, after) in [
        (
            r#"{"accessToken":"a","refreshToken":"r","profileArn":"","expiresAt":"2026-01-22T00:00:00.000Z","n":17691760451091231,"l":[]}"#,
            r#"{"accessToken":"a-new","refreshToken":"r-new","profileArn":"","expiresAt":"2026-01-23T14:48:05.000Z","n":17691760451091231,"l":[]}"#,
        ),
        (
            "{\n  \"access_token\": \"a\",\n  \"scope\": \"x\\/y\",\n  \"refresh_token\": \"r\",\n  \"expiry_date\": 1769000000000\n}",
            "{\n  \"access_token\": \"a-new\",\n  \"scope\": \"x\\/y\",\n  \"refresh_token\": \"r-new\",\n  \"expiry_date\": 1769179685000\n}",
        ),
        (
            r#"{"access_token":"a","refresh_token":"r","expires_in":21600}"#,
            r#"{"access_token":"a-new","refresh_token":"r-new","expires_in":3600,"expiry_date":1769179685000}"#,
        ),
        (
            r#"{"access_token":"a","refresh_token":"r","expiry_date":"1769000000000","apiKey":"k"}"#,
            r#"{"access_token":"a-new","refresh_token":"r-new","expiry_date":"1769179685000","apiKey":"k"}"#,
        ),
        (
            r#"{"access_token":"a","refresh_token":"r","expiry_date":"2026-01-22 10:00"}"#,
            r#"{"access_token":"a-new","refresh_token":"r-new","expiry_date":"2026-01-23 14:48"}"#,
        ),
        (
            r#"{"access_token":"a","refresh_token":"r","expiry_date":""}"#,
            r#"{"access_token":"a-new","refresh_token":"r-new","expiry_date":1769179685000}"#,
        ),
        (
            r#"{"access_token":"a","refresh_token":"r","last_refresh":"2026-01-01T00:00:00Z","expired":"2026-01-22T00:00:00Z"}"#,
            r#"{"access_token":"a-new","refresh_token":"r-new","last_refresh":"2026-01-23T13:48:05.000Z","expired":"2026-01-23T14:48:05Z"}"#,
        ),
        (
            r#"{"refreshToken":"r"}"#,
            r#"{"refreshToken":"r-new","accessToken":"a-new","expiresAt":"2026-01-23T14:48:05.000Z"}"#,
        ),
    ] {
        assert_eq!(renewed(before, &issued(Some("r-new"))), after, "{before}");
    }
}

#[test]
fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let text = r#"{"access_token":"a","refresh_token":"r","expiry_date":1}"#;
    let renewed = TokenText::parse(renewed(text, &issued(None))).unwrap();
    assert_eq!(renewed.refresh_token().unwrap().expose_secret(), "r");
    assert_eq!(renewed.access_token().unwrap().expose_secret(), "a-new");
}

#[test]
fn an_expiry_that_is_not_told_any_more_is_not_told_wrongly() {
    let text = r#"{"access_token":"a","refresh_token":"r","expiry_date":1769000000000,"expires_in":5}"#;
    let renewed = TokenText::parse(renewed(text, &Issued { expires: None, ..issued(None) })).unwrap();
    assert_eq!(renewed.expires_at(now()), None);
}

#[test]
fn what_else_an_answer_tells_goes_where_the_text_has_it() {
    let text = r#"{"access_token":"a","refresh_token":"r","id_token":"i","profileArn":"p","keep":{"x":1}}"#;
    let others =
        [("id_token", "\"i-new\""), ("unknown", "1"), ("keep", "2"), ("profileArn", "{}"), ("accessToken", "\"x\"")];
    let others = others.map(|(name, value)| (name.to_owned(), RawJson::parse(value).unwrap())).into();
    let renewed: Value = serde_json::from_str(&renewed(text, &Issued { others, ..issued(None) })).unwrap();
    assert_eq!((&renewed["id_token"], &renewed["profileArn"]), (&"i-new".into(), &"p".into()));
    assert_eq!(renewed["keep"]["x"], 1);
    assert!(renewed.get("unknown").is_none() && renewed.get("accessToken").is_none());
}

#[test]
fn a_relative_expiry_counts_from_when_it_was_written_and_an_absolute_one_goes_first() {
    let text = |text: &str| TokenText::parse(text.to_owned()).unwrap().expires_at(now()).map(Timestamp::as_millis);
    assert_eq!(text(r#"{"access_token":"a","expires_in":60}"#), Some(NOW + 60_000));
    assert_eq!(text(r#"{"access_token":"a","expires_in":"60","expiry_date":1769176085001}"#), Some(NOW + 1));
    assert_eq!(text(r#"{"access_token":"a","expiry_date":"","expires_in":60}"#), Some(NOW + 60_000));
    assert_eq!(text(r#"{"accessToken":"a","expiresAt":null}"#), None);
}

#[test]
fn nothing_that_may_be_secret_is_shown_and_nothing_that_was_shown_is_taken() {
    let text = r#"{"accessToken":"s-1","refreshToken":"s-2","apiKey":"s-3","other":"s-4","nested":{"x":"s-5"},"email":"a@b","expiresAt":"2026-01-22T00:00:00Z","n":1}"#;
    let token = TokenText::parse(text).unwrap();
    let masked = token.masked();
    assert!(!masked.contains("s-") && masked.contains("a@b") && masked.contains("2026-01-22"), "{masked}");
    assert!(!format!("{token:?}").contains("s-1"));
    assert!(TokenText::parse(masked).is_err(), "a mask is no token");
}

#[test]
fn what_is_no_credential_is_refused_without_telling_it() {
    let long = format!(r#"{{"access_token":"{}"}}"#, "s".repeat(70_000));
    for text in ["", "[]", "{", r#"{"token":"s-secret"}"#, r#"{"access_token":""}"#, r#"{"access_token":1}"#, &long] {
        let error = TokenText::parse(text.to_owned()).unwrap_err();
        assert!(!error.to_string().contains("s-secret"), "{error}");
    }
}
