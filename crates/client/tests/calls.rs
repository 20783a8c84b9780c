//! How calls are made, repeated and resumed, against a small server in this process and over loopback.

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use mainstay_api::errors::Applied;
use mainstay_api::mail::{ReadInbox, SendMessage, Start};
use mainstay_api::{Code, InstanceId, Problem};
use mainstay_client::{Body, Client, ClientOptions, ConversationEvent, InboxEvent};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

/// Answers with what was prepared, in order, and remembers what it was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Response<Full<Bytes>>>>>,
    asked: Arc<Mutex<Vec<Request<()>>>>,
}

impl Script {
    fn answer(&self, status: StatusCode, body: impl Into<Bytes>) {
        let response = Response::builder().status(status).body(Full::new(body.into())).unwrap();
        self.answers.lock().unwrap().push_back(response);
    }

    fn problem(&self, code: Code) {
        let problem = Problem::new(code, "it failed", "try again");
        self.answer(StatusCode::from_u16(problem.status).unwrap(), serde_json::to_vec(&problem).unwrap());
    }

    fn client(&self, options: ClientOptions) -> Client {
        let script = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let script = script.clone();
            async move {
                let (parts, body) = request.into_parts();
                drop(body.collect().await);
                script.asked.lock().unwrap().push(Request::from_parts(parts, ()));
                let answer = script.answers.lock().unwrap().pop_front();
                Ok::<_, Infallible>(answer.expect("an answer was prepared for every request"))
            }
        });
        Client::in_process(service, options)
    }

    fn header(&self, request: usize, name: &str) -> String {
        self.asked.lock().unwrap()[request].headers()[name].to_str().unwrap().to_owned()
    }

    fn path_and_query(&self, request: usize) -> String {
        self.asked.lock().unwrap()[request].uri().path_and_query().unwrap().to_string()
    }
}

fn message(subject: &str, position: &str) -> serde_json::Value {
    serde_json::json!({
        "id": "msg-1", "type": "GENERAL", "from": "a", "to": ["b"], "timestamp": "2026-11-20T21:23:47.000Z",
        "subject": subject, "requires_ack": true, "position": position, "acknowledged": false,
        "delivery": {"delivered": 1, "read": 0, "acknowledged": 0}
    })
}

fn sent() -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({"message": message("hello", "e1:7"), "replayed": false})).unwrap()
}

fn hello() -> SendMessage {
    SendMessage::new(vec![InstanceId::parse("b").unwrap()], "hello")
}

#[tokio::test]
async fn a_repeated_write_keeps_its_request_id_and_two_writes_do_not_share_one() {
    let script = Script::default();
    script.problem(Code::StoreBusy);
    script.answer(StatusCode::CREATED, sent());
    script.answer(StatusCode::CREATED, sent());
    let client = script.client(ClientOptions { retry_for_ms: 60_000, ..ClientOptions::default() });
    client.mail().send(&hello(), None).await.unwrap();
    client.mail().send(&hello(), None).await.unwrap();
    let id = |request| script.header(request, "idempotency-key");
    assert_eq!(id(0), id(1));
    assert_ne!(id(1), id(2));
}

#[tokio::test]
async fn without_time_to_retry_the_first_problem_is_the_answer() {
    let script = Script::default();
    script.problem(Code::StoreBusy);
    let client = script.client(ClientOptions::default());
    let problem = client.mail().send(&hello(), None).await.unwrap_err().problem();
    assert_eq!(problem.code, Code::StoreBusy);
    assert_eq!(script.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_of_a_repetition_does_not_deny_what_an_earlier_attempt_may_have_written() {
    let script = Script::default();
    // A proxy lost the first answer, so the write may stand; the repetition is refused before it is looked at.
    script.answer(StatusCode::BAD_GATEWAY, "<html>");
    script.problem(Code::StoreBusy);
    script.problem(Code::CredentialInvalid);
    let client = script.client(ClientOptions { retry_for_ms: 60_000, ..ClientOptions::default() });
    let problem = client.mail().send(&hello(), None).await.unwrap_err().problem();
    assert_eq!((problem.code, problem.applied), (Code::CredentialInvalid, Applied::Unknown));

    script.problem(Code::StoreBusy);
    script.problem(Code::CredentialInvalid);
    let problem = client.mail().send(&hello(), None).await.unwrap_err().problem();
    assert_eq!((problem.code, problem.applied), (Code::CredentialInvalid, Applied::No));
}

#[tokio::test]
async fn an_inbox_that_is_read_and_marked_is_asked_for_once() {
    let script = Script::default();
    let client = script.client(ClientOptions { retry_for_ms: 60_000, ..ClientOptions::default() });
    script.answer(StatusCode::BAD_GATEWAY, "<html>");
    let marking = ReadInbox { mark_read: true, ..ReadInbox::default() };
    let problem = client.mail().inbox(&marking).await.unwrap_err().problem();
    assert_eq!((problem.code, problem.applied), (Code::Unreachable, Applied::Unknown));
    assert_eq!(script.asked.lock().unwrap().len(), 1);

    script.answer(StatusCode::BAD_GATEWAY, "<html>");
    script.answer(StatusCode::OK, r#"{"messages": [], "position": "e1:7", "more": false}"#);
    client.mail().inbox(&ReadInbox::default()).await.unwrap();
    assert_eq!(script.asked.lock().unwrap().len(), 3);
}

const WHO: &str = r#"{"principal": "owner", "subject": {"realm": "local", "tenant": "local", "user": "owner"},
    "namespace": "x", "scopes": []}"#;

#[tokio::test]
async fn names_of_every_alphabet_travel_in_headers() {
    let script = Script::default();
    script.answer(StatusCode::OK, WHO);
    let options = ClientOptions::default().speaking_for(InstanceId::parse("bücher\n%").unwrap());
    script.client(options).whoami().await.unwrap();
    assert_eq!(script.header(0, "mainstay-instance"), "b%C3%BCcher%0A%25");
}

#[tokio::test]
async fn a_live_inbox_resumes_after_the_last_message_it_delivered() {
    let script = Script::default();
    let frame = |subject, position| format!("id: {position}\nevent: message\ndata: {}\n\n", message(subject, position));
    script.answer(StatusCode::OK, frame("first", "e1:7"));
    script.problem(Code::StoreUnavailable);
    script.answer(StatusCode::OK, frame("second", "e1:9") + "event: gap\ndata: {\"gap\": \"trimmed\"}\n\n");
    script.problem(Code::CredentialInvalid);
    let client = script.client(ClientOptions::default());

    let events = client.mail().inbox_events(ReadInbox { after: Start::Unread, ..ReadInbox::default() });
    let seen: Vec<String> = events
        .map(|event| match event {
            Ok(InboxEvent::Message(message)) => message.content.subject,
            Ok(InboxEvent::Gap(_)) => "gap".into(),
            Ok(InboxEvent::Ready(_)) => "ready".into(),
            Ok(InboxEvent::Interrupted(problem)) => problem.code.to_string(),
            Err(error) => format!("end: {}", error.problem().code),
        })
        .collect()
        .await;

    let lost = "server.unreachable";
    let refused = "end: auth.credential_invalid";
    assert_eq!(seen, ["first", lost, "store.unavailable", "second", "gap", lost, refused]);
    assert_eq!(script.path_and_query(0), "/v1/mail/inbox/events?after=unread");
    assert_eq!(script.path_and_query(1), "/v1/mail/inbox/events?after=e1%3A7");
    assert_eq!(script.path_and_query(3), "/v1/mail/inbox/events?after=e1%3A9");
}

#[tokio::test]
async fn a_live_conversation_that_was_begun_anew_says_so_and_goes_on_from_its_beginning() {
    let script = Script::default();
    let message = |seq: u64| {
        let message = serde_json::json!({
            "id": format!("m{seq}"), "seq": seq, "role": "user", "text": "", "at": "2026-11-20T21:23:48.000Z",
        });
        format!("id: {seq}\nevent: message\ndata: {message}\n\n")
    };
    script.answer(StatusCode::OK, message(7));
    script.answer(StatusCode::OK, "id: 0\nevent: gap\ndata: {\"version\": 1}\n\n");
    script.answer(StatusCode::OK, message(1));
    script.problem(Code::ConversationNotFound);
    let client = script.client(ClientOptions::default());
    let events = client.conversations().events("c1".parse().unwrap(), Some(6));
    let seen: Vec<String> = events
        .filter_map(async |event| match event {
            Ok(ConversationEvent::Message(message)) => Some(message.seq.to_string()),
            Ok(ConversationEvent::Interrupted(_)) => None,
            Ok(other) => Some(format!("{other:?}")),
            Err(error) => Some(error.problem().code.to_string()),
        })
        .collect()
        .await;
    assert_eq!(seen, ["7", "Gap", "1", "conversations.not_found"]);
    let path = |after| format!("/v1/conversations/c1/events?after={after}");
    assert_eq!([script.path_and_query(1), script.path_and_query(2)], [path(7), path(0)]);
}

#[tokio::test]
async fn a_stream_of_unread_mail_that_resumes_passes_over_what_was_read_until_it_has_caught_up() {
    let script = Script::default();
    let frame = |subject: &str, position: &str, read: bool| {
        let mut message = message(subject, position);
        message["receipt"] = match read {
            true => serde_json::json!({"recipient": "b", "read_at": "2026-11-20T21:23:48.000Z"}),
            false => serde_json::json!({"recipient": "b"}),
        };
        format!("id: {position}\nevent: message\ndata: {message}\n\n")
    };
    script.answer(StatusCode::OK, frame("first", "e1:7", false));
    let ready = "event: ready\ndata: {\"position\": \"e1:9\"}\n\n";
    let resumed = frame("read long ago", "e1:8", true) + &frame("second", "e1:9", false) + ready;
    script.answer(StatusCode::OK, resumed + &frame("read elsewhere", "e1:10", true));
    script.problem(Code::CredentialInvalid);
    let client = script.client(ClientOptions::default());
    let events = client.mail().inbox_events(ReadInbox { after: Start::Unread, ..ReadInbox::default() });
    let subjects: Vec<String> = events
        .filter_map(async |event| match event {
            Ok(InboxEvent::Message(message)) => Some(message.content.subject),
            _ => None,
        })
        .collect()
        .await;
    assert_eq!(subjects, ["first", "second", "read elsewhere"]);
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_unreachable_and_certainly_not_written() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::connect(&format!("http://{address}"), ClientOptions::default()).unwrap();
    let problem = client.mail().send(&hello(), None).await.unwrap_err().problem();
    assert_eq!(problem.code, Code::Unreachable);
    assert_eq!(problem.applied, Applied::No);
    assert_eq!(problem.code.entry().exit, 3);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_and_may_have_written() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = ClientOptions { response_timeout_ms: 50, ..ClientOptions::default() };
    let client = Client::connect(&format!("http://{address}"), options).unwrap();
    let problem = client.mail().send(&hello(), None).await.unwrap_err().problem();
    assert_eq!(problem.code, Code::TimedOut);
    assert_eq!(problem.applied, Applied::Unknown);
}
