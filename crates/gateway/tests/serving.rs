//! The gateway before a provider that behaves as it likes.

#[path = "serving/bed.rs"]
mod bed;

use bed::{Bed, LIMIT, asked, pool};
use futures::StreamExt;
use http::{HeaderName, HeaderValue, Method};
use mainstay_core::providers::{FailureClass, Outcome};
use mainstay_gateway::Protocol;
use mainstay_gateway::serving::{AnswerBody, Routing, Wish};
use mainstay_testkit::fixtures::{Behaviour, StatusAnswer};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn hello(stream: bool) -> Value {
    json!({"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "Grüße"}], "stream": stream})
}

fn status(status: u16, headers: &[(&str, &str)]) -> Behaviour {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = r#"{"error":{"message":"no"}}"#.into();
    Behaviour { status: Some(StatusAnswer { status, headers, body }), ..Behaviour::default() }
}

fn class(outcome: &Outcome) -> Option<FailureClass> {
    match outcome {
        Outcome::Failed(failure) => Some(failure.class),
        _ => None,
    }
}

#[tokio::test]
async fn an_answer_passes_as_it_is_and_is_counted_and_settled_once() {
    let bed = Bed::new(&["a"]).await;
    let mut ask = asked(Protocol::OpenAi, &hello(false));
    for (name, value) in [("authorization", "Bearer mine"), ("x-api-key", "mine"), ("x-own", "1"), ("cookie", "c=d")] {
        ask.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let told = bed.serve(ask).await;
    assert_eq!(told.json()["choices"][0]["message"]["content"], "You said: Grüße");
    assert_eq!(told.headers["x-provider"], "fake");
    assert!(!told.headers.contains_key("set-cookie"));
    let heard = bed.provider.heard();
    assert_eq!(heard[0].path, "/v1/chat/completions");
    assert_eq!((heard[0].key.as_str(), heard[0].headers["x-own"].as_str()), ("a", "1"));
    assert!(!heard[0].headers.contains_key("cookie"));
    assert_eq!(serde_json::from_slice::<Value>(&heard[0].body).unwrap(), hello(false));
    let receipt = bed.receipt().await;
    assert_eq!((receipt.spent.input_tokens, receipt.spent.output_tokens), (11, 7));
    assert!(receipt.spent.reported && !receipt.failed);
    let finished = bed.finished().await;
    assert_eq!(finished.iter().map(|finish| &finish.outcome).collect::<Vec<_>>(), [&Outcome::Success]);
}

#[tokio::test]
async fn a_stream_passes_whatever_its_pieces_and_in_every_protocol() {
    for upstream in [Protocol::OpenAi, Protocol::Anthropic, Protocol::Gemini] {
        let bed = Bed::empty().await;
        bed.pool("main", upstream, &["a"]);
        for client in [Protocol::OpenAi, Protocol::Anthropic] {
            let mut whole = None;
            for piece_bytes in [0, 1, 7] {
                bed.provider.behave("a", Behaviour { piece_bytes, ..Behaviour::default() });
                let told = bed.ask(client, &hello(true)).await;
                assert_eq!((told.status, told.broke), (200, false), "{client} {upstream}: {told:?}");
                assert_eq!(words(&told.text), "You said: Grüße", "{client} {upstream} {piece_bytes}");
                let ids_aside = |text: &str| text.lines().map(|line| line.split("\"id\"").count()).sum::<usize>();
                assert_eq!(*whole.get_or_insert(ids_aside(&told.text)), ids_aside(&told.text));
            }
        }
        bed.gateway.close(LIMIT).await;
        let receipts = bed.desk.receipts.lock().unwrap();
        assert_eq!(receipts.len(), 6);
        assert!(receipts.iter().all(|receipt| receipt.spent.reported && receipt.spent.output_tokens == 7));
    }
}

/// The words of a stream of either protocol.
fn words(stream: &str) -> String {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let word = |event: Value| {
        let of_open_ai = event["choices"][0]["delta"]["content"].as_str().map(str::to_owned);
        of_open_ai.or_else(|| event["delta"]["text"].as_str().map(str::to_owned))
    };
    events.filter_map(word).collect()
}

#[tokio::test]
async fn the_next_provider_is_asked_where_one_fails_before_its_first_byte() {
    for (behaviour, expected) in [
        (status(500, &[]), FailureClass::Server),
        (status(429, &[("retry-after", "7")]), FailureClass::RateLimited),
        (status(402, &[]), FailureClass::PaymentRequired),
        (status(403, &[]), FailureClass::Forbidden),
        (status(401, &[]), FailureClass::Unauthorized),
        (Behaviour { cut_after: Some(0), ..Behaviour::default() }, FailureClass::Network),
        (Behaviour { silent_after: Some(0), ..Behaviour::default() }, FailureClass::Network),
    ] {
        let bed = Bed::new(&["a", "b"]).await;
        bed.provider.behave("a", behaviour);
        let told = bed.ask(Protocol::OpenAi, &hello(true)).await;
        assert_eq!(words(&told.text), "You said: Grüße", "{expected:?}");
        assert_eq!((bed.provider.count("a"), bed.provider.count("b")), (1, 1));
        let finished = bed.finished().await;
        assert_eq!(class(&finished[0].outcome), Some(expected));
        assert_eq!(finished[1].outcome, Outcome::Success);
        if let (FailureClass::RateLimited, Outcome::Failed(failure)) = (expected, &finished[0].outcome) {
            assert!(failure.retry_at.is_some() && !failure.counts);
        }
        assert!(!bed.receipt().await.failed);
    }
}

#[tokio::test]
async fn what_the_client_did_wrong_is_its_answer_and_says_nothing_of_the_provider() {
    let bed = Bed::new(&["a", "b"]).await;
    bed.provider.behave("a", status(400, &[("x-ratelimit-remaining", "3")]));
    let told = bed.ask(Protocol::OpenAi, &hello(false)).await;
    assert_eq!((told.status, told.text.as_str()), (400, r#"{"error":{"message":"no"}}"#));
    assert_eq!(told.headers["x-ratelimit-remaining"], "3");
    assert_eq!(bed.finished().await[0].outcome, Outcome::Neutral);
    assert_eq!(bed.provider.heard().len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_refreshed_once_and_its_provider_is_asked_again() {
    let bed = Bed::new(&["oauth"]).await;
    bed.provider.behave("token-1", status(401, &[]));
    let told = bed.ask(Protocol::OpenAi, &hello(false)).await;
    assert_eq!(told.status, 200, "{told:?}");
    assert_eq!((bed.provider.count("token-1"), bed.provider.count("token-2")), (1, 1));
    // One that no token opens is asked twice, not for ever.
    for key in ["token-2", "token-3"] {
        bed.provider.behave(key, status(401, &[]));
    }
    assert_eq!(bed.ask(Protocol::OpenAi, &hello(false)).await.status, 401);
    assert_eq!(bed.provider.heard().len(), 4);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_told_and_nobody_else_is_asked() {
    for (behaviour, client) in [
        (Behaviour { cut_after: Some(2), ..Behaviour::default() }, Protocol::OpenAi),
        (Behaviour { silent_after: Some(2), ..Behaviour::default() }, Protocol::Anthropic),
    ] {
        let bed = Bed::new(&["a", "b"]).await;
        bed.provider.behave("a", behaviour);
        let told = bed.ask(client, &hello(true)).await;
        assert_eq!((told.status, words(&told.text).as_str()), (200, "You s"), "{told:?}");
        assert!(told.text.contains("\"error\""), "{told:?}");
        assert_eq!(bed.provider.count("b"), 0);
        assert_eq!(class(&bed.finished().await[0].outcome), Some(FailureClass::Network));
        let receipt = bed.receipt().await;
        assert!(receipt.failed && !receipt.spent.reported && receipt.spent.output_tokens > 0, "{receipt:?}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_upstream_and_is_settled() {
    let bed = Bed::new(&["a"]).await;
    let says = Some("word ".repeat(2_000));
    bed.provider.behave("a", Behaviour { pause: Duration::from_millis(5), says, ..Behaviour::default() });
    let answer = bed.gateway.serve(asked(Protocol::OpenAi, &hello(true))).await;
    let AnswerBody::Pieces(mut pieces) = answer.body else { panic!("{}", answer.status) };
    for _ in 0..5 {
        pieces.next().await.unwrap().unwrap();
    }
    bed.gateway.renew().await.unwrap();
    assert_eq!(bed.desk.renewed.lock().unwrap().len(), 1, "it is in use");
    drop(pieces);
    assert_eq!(bed.finished().await[0].outcome, Outcome::Neutral);
    let receipt = bed.receipt().await;
    assert!(receipt.spent.output_tokens > 0 && receipt.spent.input_tokens > 0, "{receipt:?}");
    let gone = async {
        while bed.provider.gone() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.expect("the upstream is not asked any more");
}

#[tokio::test]
async fn what_the_last_provider_said_is_passed_where_all_fail_and_attempts_have_a_bound() {
    let ids: Vec<String> = (0..10).map(|number| format!("p{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let bed = Bed::new(&ids).await;
    for id in &ids {
        bed.provider.behave(id, status(503, &[("retry-after", "9")]));
    }
    let told = bed.ask(Protocol::OpenAi, &hello(true)).await;
    assert_eq!((told.status, told.text.as_str()), (503, r#"{"error":{"message":"no"}}"#));
    assert_eq!(told.headers["retry-after"], "9");
    assert_eq!(bed.provider.heard().len(), 6);
    assert!(bed.receipt().await.failed);
}

#[tokio::test]
async fn pools_behind_a_pool_and_models_behind_a_model_are_asked_in_turn() {
    let bed = Bed::new(&["a"]).await;
    bed.pool("second", Protocol::Anthropic, &["b"]);
    bed.pool("third", Protocol::Gemini, &["c"]);
    let settings = r#"{"providerFallbackChain":{"main":["second"]},
        "modelFallbackMapping":{"m":{"targetProviderType":"third","targetModel":"n"}}}"#;
    *bed.desk.routing.lock().unwrap() = Arc::new(Routing::read(Some(settings), None));
    for key in ["a", "b"] {
        bed.provider.behave(key, status(500, &[]));
    }
    let told = bed.ask(Protocol::OpenAi, &hello(false)).await;
    assert_eq!(told.json()["choices"][0]["message"]["content"], "You said: Grüße", "{told:?}");
    assert_eq!(told.json()["model"], "m", "the name that the client knows");
    let paths: Vec<String> = bed.provider.heard().into_iter().map(|heard| heard.path).collect();
    assert_eq!(paths, ["/v1/chat/completions", "/v1/messages", "/v1beta/models/n:generateContent"]);
    assert_eq!(bed.receipt().await.pool, pool("third"));
}

#[tokio::test]
async fn a_model_has_the_name_of_the_upstream_there() {
    let bed = Bed::new(&["a"]).await;
    let mut body = hello(false);
    body["model"] = json!("alias");
    bed.ask(Protocol::OpenAi, &body).await;
    bed.ask(Protocol::Anthropic, &body).await;
    for heard in bed.provider.heard() {
        assert_eq!(serde_json::from_slice::<Value>(&heard.body).unwrap()["model"], "real");
    }
}

#[tokio::test]
async fn whatever_is_forwarded_passes_as_it_is_and_once() {
    let bed = Bed::new(&["a", "b"]).await;
    let mut ask = asked(Protocol::OpenAi, &json!({"any": 1.50}));
    ask.wish = Wish::Forward { method: Method::PUT, path: "x/y%2Fz".into() };
    ask.query = Some("q=%20".into());
    let told = bed.serve(ask.clone()).await.json();
    assert_eq!((told["method"].as_str(), told["path"].as_str()), (Some("PUT"), Some("/x/y%2Fz?q=%20")));
    assert_eq!(told["body"], ask.body.as_ref().iter().map(|byte| *byte as char).collect::<String>());
    bed.provider.behave("b", status(500, &[]));
    assert_eq!(bed.serve(ask).await.status, 500, "it may have done something");
    assert_eq!(bed.provider.heard().len(), 2);
}

#[tokio::test]
async fn errors_of_our_own_have_the_shape_of_the_protocol() {
    let bed = Bed::new(&["a"]).await;
    for (client, shape) in [(Protocol::OpenAi, "/error/type"), (Protocol::Anthropic, "/type")] {
        let mut ask = asked(client, &hello(false));
        ask.pool = Some(pool("nowhere"));
        let told = bed.serve(ask).await;
        assert_eq!(told.status, 404);
        assert!(told.json().pointer(shape).is_some_and(Value::is_string), "{told:?}");
        let told = bed.serve(asked(client, &json!([]))).await;
        assert_eq!(told.status, 400, "{told:?}");
    }
}
