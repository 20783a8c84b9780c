//! Which headers pass.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Headers of one connection, of the client's own way here, and of what is written anew.
const NEVER: [HeaderName; 20] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::VIA,
    header::FORWARDED,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    header::SET_COOKIE,
    header::COOKIE,
    header::ALT_SVC,
    header::STRICT_TRANSPORT_SECURITY,
    header::SERVER,
];

/// What a client shows to be let in here, and what browsers say of pages.
const OF_CLIENTS: [HeaderName; 10] = [
    header::AUTHORIZATION,
    header::ORIGIN,
    header::REFERER,
    // The answer is read on its way: nobody may compress it.
    header::ACCEPT_ENCODING,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("model-provider"),
    HeaderName::from_static("x-request-id"),
];

/// What headers of clients of this server, and of proxies before it, begin with.
const PREFIXES_OF_CLIENTS: [&str; 5] = ["mainstay-", "x-forwarded-", "sec-", "proxy-", "cf-"];

/// What of an answer passes where its body was translated.
const OF_ANSWERS: [&str; 3] = ["x-ratelimit-", "anthropic-ratelimit-", "retry-after"];

/// How much is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    /// All but what must not: both sides speak the same.
    AllAllowed,
    /// Only what means the same in every protocol.
    Translated,
}

/// The headers of a client that an upstream is sent.
pub(crate) fn allowed_request_headers(headers: &HeaderMap, passed: Passed) -> HeaderMap {
    let named = named_by_connection(headers);
    let allowed = |name: &HeaderName| match passed {
        Passed::Translated => *name == header::USER_AGENT,
        Passed::AllAllowed => {
            !NEVER.contains(name)
                && !OF_CLIENTS.contains(name)
                && !PREFIXES_OF_CLIENTS.iter().any(|prefix| name.as_str().starts_with(prefix))
                && !named.contains(name)
        }
    };
    filtered(headers, allowed)
}

/// The headers of an upstream that the client is sent. What browsers are told is this server's to say.
pub(crate) fn allowed_answer_headers(headers: &HeaderMap, passed: Passed) -> HeaderMap {
    let named = named_by_connection(headers);
    let allowed = |name: &HeaderName| match passed {
        Passed::Translated => OF_ANSWERS.iter().any(|prefix| name.as_str().starts_with(prefix)),
        Passed::AllAllowed => {
            !NEVER.contains(name) && !name.as_str().starts_with("access-control-") && !named.contains(name)
        }
    };
    filtered(headers, allowed)
}

fn filtered(headers: &HeaderMap, allowed: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| allowed(name));
    kept.fold(HeaderMap::new(), |mut kept, (name, value)| {
        kept.append(name.clone(), value.clone());
        kept
    })
}

/// Headers that a connection names as its own.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok()).take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        pairs.iter().map(pair).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn neither_credentials_nor_headers_of_the_connection_pass() {
        let sent = headers(&[
            ("authorization", "Bearer mgw"),
            ("x-api-key", "mgw"),
            ("x-goog-api-key", "mgw"),
            ("cookie", "a=b"),
            ("connection", "x-own, close"),
            ("x-own", "1"),
            ("mainstay-pool", "a"),
            ("x-forwarded-for", "10.0.0.1"),
            ("accept-encoding", "gzip"),
            ("host", "here"),
            ("anthropic-beta", "a"),
            ("content-type", "application/json"),
        ]);
        let mut passed = headers(&[("anthropic-beta", "a"), ("content-type", "application/json")]);
        assert_eq!(allowed_request_headers(&sent, Passed::AllAllowed), passed);
        passed.clear();
        assert_eq!(allowed_request_headers(&sent, Passed::Translated), passed);
    }

    #[test]
    fn an_answer_sets_no_cookie_and_says_nothing_to_browsers() {
        let said = headers(&[
            ("set-cookie", "a=b"),
            ("access-control-allow-origin", "*"),
            ("transfer-encoding", "chunked"),
            ("retry-after", "3"),
            ("x-ratelimit-remaining-requests", "1"),
            ("openai-version", "1"),
        ]);
        let kept = allowed_answer_headers(&said, Passed::AllAllowed);
        let mut all = names(&kept);
        all.sort_unstable();
        assert_eq!(all, ["openai-version", "retry-after", "x-ratelimit-remaining-requests"]);
        assert!(!names(&allowed_answer_headers(&said, Passed::Translated)).contains(&"openai-version"));
    }
}
