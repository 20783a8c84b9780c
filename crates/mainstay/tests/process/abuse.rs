//! Requests that no client makes, and files that somebody takes away.

use crate::bed::{Bed, OWNER_KEY};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The head of a request with a credential, for `me`; `rest` ends it.
fn head(line: &str, rest: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {OWNER_KEY}\r\nmainstay-instance: me\r\n\
         content-type: application/json\r\naccept: application/json, text/event-stream\r\nconnection: close\r\n{rest}"
    )
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_and_the_server_goes_on() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    let post = |rest: &str| head("POST /v1/mail/messages", rest);
    for (request, status) in [
        ("\u{1}\u{2}garbage\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/9.9\r\nhost: 127.0.0.1\r\n\r\n".to_owned(), 400),
        (post("content-length: -5\r\n\r\n"), 400),
        (post("content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef"), 400),
        (post("transfer-encoding: chunked\r\n\r\nZZ\r\n\r\n"), 400),
        (post("content-length: 99999999999\r\n\r\n"), 413),
        (post(&format!("content-length: 100000\r\n\r\n{}", "[".repeat(100_000))), 400),
        (head("POST /mcp", "content-length: 99999999999\r\n\r\n"), 413),
        (head(&format!("GET /{}", "a".repeat(100_000)), "\r\n"), 431),
        (head("GET /health", &format!("x: {}\r\n\r\n", "a".repeat(200_000))), 431),
        (head("GET /v1/mail/messages/%FF%00", "\r\n"), 400),
        (head("GET /v1/mail/messages?limit=-1", "\r\n"), 400),
        (head("GET /v1/mail/messages", "host: evil.example\r\n\r\n"), 403),
        ("GET /v1/mail/messages HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n".to_owned(), 403),
    ] {
        let answer = node.raw(request.as_bytes()).await;
        assert_eq!(answer.status, status, "{:.120} {answer:?}", request);
    }
    assert_eq!(node.get("/health/ready").await.status, 200);
    assert_eq!(node.request("POST", "/v1/mail/messages", r#"{"to":["b"],"subject":"s"}"#).await.status, 201);
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up_wherever_it_is_sent() {
    let bed = Bed::sqlite().with("MAINSTAY_REQUEST_TIMEOUT_MS", "500");
    let node = bed.serve("node").await;
    for line in ["POST /v1/mail/messages", "POST /mcp"] {
        let mut stream = TcpStream::connect(("127.0.0.1", node.port)).await.unwrap();
        stream.write_all(head(line, "content-length: 1000\r\n\r\n{").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "{line}: the server waits on");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("request.timed_out"), "{line}: {answer}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_whose_file_is_taken_away_acknowledges_nothing_more() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    let message = r#"{"to":["b"],"subject":"s"}"#;
    assert_eq!(node.request("POST", "/v1/mail/messages", message).await.status, 201);
    let (file, aside) = (bed.sandbox.path().join("mainstay.db"), bed.sandbox.path().join("aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    let refused = node.request("POST", "/v1/mail/messages", message).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (503, Some("store.unavailable")), "{refused:?}");
    std::fs::rename(&aside, &file).unwrap();
    assert_eq!(node.request("POST", "/v1/mail/messages", message).await.status, 201);
    assert_eq!(bed.json(&["mail", "list", "--to", "b"])["items"].as_array().unwrap().len(), 2);
}
