//! Messages and their bytes, as peers write them, and bytes that are no message.

use bytes::BytesMut;
use mainstay_signalr::{Completion, Headers, Invalid, Invocation, Limits, Message, Outcome, Protocol, Reader, Value};
use serde_json::json;

fn reader(protocol: Protocol, bytes: &[u8]) -> Reader {
    Reader::new(protocol, Limits::default(), BytesMut::from(bytes))
}

fn all(mut reader: Reader) -> Result<Vec<Message>, Invalid> {
    std::iter::from_fn(|| reader.next_message().transpose()).collect()
}

fn only(protocol: Protocol, bytes: &[u8]) -> Message {
    let mut messages = all(reader(protocol, bytes)).unwrap();
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

fn value(value: serde_json::Value) -> Value {
    Value::write(&value).unwrap()
}

fn headers() -> Headers {
    Headers::from([("Foo".to_owned(), "Bar".to_owned())])
}

/// Messages of every type with the JSON that they are written as.
fn table() -> Vec<(Message, &'static str)> {
    let call = Invocation::send("Say", vec![value(json!("hi")), value(json!([1, null]))]);
    let asked = Invocation {
        headers: headers(),
        invocation_id: Some("7".into()),
        stream_ids: vec!["8".into()],
        ..call.clone()
    };
    let with_headers = Completion { headers: headers(), invocation_id: "1".into(), outcome: Outcome::Void };
    vec![
        (Message::Invocation(call), r#"{"type":1,"target":"Say","arguments":["hi",[1,null]]}"#),
        (
            Message::Invocation(asked.clone()),
            r#"{"type":1,"headers":{"Foo":"Bar"},"invocationId":"7","target":"Say","arguments":["hi",[1,null]],"streamIds":["8"]}"#,
        ),
        (
            Message::StreamInvocation(Invocation { headers: Headers::new(), ..asked }),
            r#"{"type":4,"invocationId":"7","target":"Say","arguments":["hi",[1,null]],"streamIds":["8"]}"#,
        ),
        (Message::item("1", Value::null()), r#"{"type":2,"invocationId":"1","item":null}"#),
        (Message::completion("1", Outcome::Void), r#"{"type":3,"invocationId":"1"}"#),
        (Message::completion("1", Outcome::Value(Value::null())), r#"{"type":3,"invocationId":"1","result":null}"#),
        (
            Message::completion("1", Outcome::Error("a \"b\"".into())),
            r#"{"type":3,"invocationId":"1","error":"a \"b\""}"#,
        ),
        (Message::Completion(with_headers), r#"{"type":3,"headers":{"Foo":"Bar"},"invocationId":"1"}"#),
        (
            Message::CancelInvocation { headers: Headers::new(), invocation_id: "1".into() },
            r#"{"type":5,"invocationId":"1"}"#,
        ),
        (Message::Ping, r#"{"type":6}"#),
        (Message::Close { error: None, allow_reconnect: false }, r#"{"type":7}"#),
        (
            Message::Close { error: Some("why".into()), allow_reconnect: true },
            r#"{"type":7,"error":"why","allowReconnect":true}"#,
        ),
        (Message::Ack { sequence_id: 394 }, r#"{"type":8,"sequenceId":394}"#),
        (Message::Sequence { sequence_id: 1 }, r#"{"type":9,"sequenceId":1}"#),
    ]
}

#[test]
fn every_message_has_its_json_both_ways() {
    for (message, text) in table() {
        let wire = format!("{text}\u{1e}");
        assert_eq!(Protocol::Json.encode(&message).unwrap(), wire.as_bytes());
        assert_eq!(only(Protocol::Json, wire.as_bytes()), message);
    }
}

#[test]
fn every_message_says_the_same_in_messagepack() {
    for (message, text) in table() {
        let packed = Protocol::MessagePack.encode(&message).unwrap();
        let again = Protocol::Json.encode(&only(Protocol::MessagePack, &packed)).unwrap();
        assert_eq!(again, format!("{text}\u{1e}").as_bytes());
    }
}

#[test]
fn properties_of_json_may_stand_in_any_order_and_unknown_ones_are_passed_over() {
    let text = "{ \"arguments\": [ 4 , \"\\u001e\" ], \"more\": [{}], \"target\":\"\\u0053ay\",\"type\":1,\"headers\":null }\u{1e}";
    let Message::Invocation(call) = only(Protocol::Json, text.as_bytes()) else { panic!("not a call") };
    assert_eq!((call.target.as_str(), call.invocation_id), ("Say", None));
    assert_eq!(call.arguments[0].read::<u8>(), Ok(4));
    assert_eq!(call.arguments[1].read::<String>(), Ok("\u{1e}".into()));
}

#[test]
fn several_messages_in_one_frame_are_read_one_by_one() {
    let json = all(reader(Protocol::Json, b"{\"type\":6}\x1e{\"type\":42}\x1e{\"type\":8,\"sequenceId\":2}\x1e{\"ty"));
    assert_eq!(json, Ok(vec![Message::Ping, Message::Ack { sequence_id: 2 }]));
    let packed = all(reader(Protocol::MessagePack, &[2, 0x91, 6, 2, 0x91, 42, 3, 0x92, 8, 2, 9, 0x95]));
    assert_eq!(packed, Ok(vec![Message::Ping, Message::Ack { sequence_id: 2 }]));
}

#[test]
fn messagepack_has_the_bytes_that_peers_write() {
    let bytes = |message: Message| Protocol::MessagePack.encode(&message).unwrap().to_vec();
    assert_eq!(bytes(Message::Ping), [2, 0x91, 6]);
    let table: [(Message, &[u8]); 4] = [
        (
            Message::Invocation(Invocation::send("Say", vec![value(json!(-1)), value(json!("x"))])),
            &[0x96, 1, 0x80, 0xc0, 0xa3, b'S', b'a', b'y', 0x92, 0xff, 0xa1, b'x', 0x90],
        ),
        (Message::completion("x", Outcome::Error("no".into())), &[0x95, 3, 0x80, 0xa1, b'x', 1, 0xa2, b'n', b'o']),
        (Message::completion("x", Outcome::Void), &[0x94, 3, 0x80, 0xa1, b'x', 2]),
        (Message::completion("x", Outcome::Value(value(json!(42)))), &[0x95, 3, 0x80, 0xa1, b'x', 3, 42]),
    ];
    for (message, body) in table {
        assert_eq!(bytes(message), body.with_length());
    }
    assert_eq!(bytes(Message::Close { error: None, allow_reconnect: true }), [4, 0x93, 7, 0xc0, 0xc3]);
    assert_eq!(bytes(Message::Sequence { sequence_id: 300 }), [5, 0x92, 9, 0xcd, 1, 44]);
}

#[test]
fn items_that_a_newer_peer_adds_are_passed_over_and_those_of_an_older_one_may_lack() {
    let frame = [8, 0x97, 1, 0x80, 0xc0, 0xa0, 0x90, 0x90, 0xc3];
    assert_eq!(only(Protocol::MessagePack, &frame), Message::Invocation(Invocation::send("", vec![])));
    let frame = [6, 0x95, 1, 0x80, 0xc0, 0xa0, 0x90];
    assert_eq!(only(Protocol::MessagePack, &frame), Message::Invocation(Invocation::send("", vec![])));
    assert_eq!(
        only(Protocol::MessagePack, &[3, 0x92, 7, 0xc0]),
        Message::Close { error: None, allow_reconnect: false }
    );
}

#[test]
fn binary_data_stays_binary_within_messagepack_and_is_base64_in_json() {
    let frame = [10, 0x96, 1, 0x80, 0xc0, 0xa0, 0x91, 0xc4, 1, 0xff, 0x90];
    let message = only(Protocol::MessagePack, &frame);
    assert_eq!(Protocol::MessagePack.encode(&message).unwrap(), frame.as_slice());
    let json = Protocol::Json.encode(&message).unwrap();
    assert_eq!(json, b"{\"type\":1,\"target\":\"\",\"arguments\":[\"/w==\"]}\x1e".as_slice());
}

#[test]
fn what_is_no_json_message_says_why() {
    let missing = |name| Invalid::Missing(name);
    let table: Vec<(&str, Invalid)> = vec![
        ("{}", missing("type")),
        (r#"{"type":null}"#, missing("type")),
        (r#"{"type":1,"arguments":[]}"#, missing("target")),
        (r#"{"type":1,"target":"a"}"#, missing("arguments")),
        (r#"{"type":1,"target":"a","arguments":null}"#, missing("arguments")),
        (r#"{"type":1,"invocationId":"","target":"a","arguments":[]}"#, missing("invocationId")),
        (r#"{"type":4,"target":"a","arguments":[]}"#, missing("invocationId")),
        (r#"{"type":2,"invocationId":"1"}"#, missing("item")),
        (r#"{"type":2,"item":1}"#, missing("invocationId")),
        (r#"{"type":3}"#, missing("invocationId")),
        (r#"{"type":3,"invocationId":"1","result":null,"error":"x"}"#, Invalid::ResultAndError),
        (r#"{"type":5}"#, missing("invocationId")),
        (r#"{"type":8}"#, missing("sequenceId")),
        (r#"{"type":9}"#, missing("sequenceId")),
    ];
    for (text, why) in table {
        assert_eq!(all(reader(Protocol::Json, format!("{text}\u{1e}").as_bytes())), Err(why), "{text}");
    }
}

#[test]
fn what_is_not_json_of_a_message_at_all_is_refused() {
    let table = [
        "",
        "x",
        "[]",
        "1",
        "null",
        "[1,{},\"1\",\"a\",[]]",
        r#"{"type":"1"}"#,
        r#"{"type":1.5}"#,
        r#"{"type":1,"type":6}"#,
        r#"{"type":6} {}"#,
        r#"{"type":1,"invocationId":1,"target":"a","arguments":[]}"#,
        r#"{"type":1,"target":1,"arguments":[]}"#,
        r#"{"type":1,"target":"a","arguments":{}}"#,
        r#"{"type":1,"target":"a","arguments":[1,]}"#,
        r#"{"type":1,"target":"a","arguments":[01]}"#,
        r#"{"type":1,"target":"a","arguments":[],"streamIds":[1]}"#,
        r#"{"type":1,"headers":{"a":1},"target":"a","arguments":[]}"#,
        r#"{"type":3,"invocationId":"1","error":1}"#,
        r#"{"type":7,"allowReconnect":1}"#,
        r#"{"type":8,"sequenceId":-1}"#,
        r#"{"type":8,"sequenceId":"1"}"#,
    ];
    for text in table {
        let read = all(reader(Protocol::Json, format!("{text}\u{1e}").as_bytes()));
        assert!(matches!(read, Err(Invalid::Json(_))), "{text}: {read:?}");
    }
    let not_utf8 = all(reader(Protocol::Json, b"{\"type\":6,\"a\":\"\xff\"}\x1e"));
    assert!(matches!(not_utf8, Err(Invalid::Json(_))), "{not_utf8:?}");
}

#[test]
fn what_is_no_messagepack_message_says_why() {
    let table: Vec<(&[u8], Invalid)> = vec![
        (&[0x90], Invalid::Missing("type")),
        (&[0x91, 0xa1, b'1'], Invalid::Mistyped("type")),
        (&[0x91, 0xff], Invalid::Mistyped("type")),
        (&[0x92, 1, 0x80], Invalid::Missing("invocationId")),
        (&[0x94, 1, 0x80, 0xc0, 0xa0], Invalid::Missing("arguments")),
        (&[0x95, 1, 0x90, 0xc0, 0xa0, 0x90], Invalid::Mistyped("headers")),
        (&[0x95, 1, 0x81, 1, 2, 0xc0, 0xa0, 0x90], Invalid::Mistyped("headers")),
        (&[0x95, 1, 0x80, 1, 0xa0, 0x90], Invalid::Mistyped("invocationId")),
        (&[0x95, 1, 0x80, 0xa0, 0xa0, 0x90], Invalid::Missing("invocationId")),
        (&[0x95, 1, 0x80, 0xc0, 0xc0, 0x90], Invalid::Mistyped("target")),
        (&[0x95, 1, 0x80, 0xc0, 0xa0, 0x80], Invalid::Mistyped("arguments")),
        (&[0x96, 1, 0x80, 0xc0, 0xa0, 0x90, 0x91, 1], Invalid::Mistyped("streamIds")),
        (&[0x95, 4, 0x80, 0xc0, 0xa0, 0x90], Invalid::Missing("invocationId")),
        (&[0x93, 2, 0x80, 0xa1, b'1'], Invalid::Missing("item")),
        (&[0x94, 3, 0x80, 0xa1, b'1', 4], Invalid::Mistyped("resultKind")),
        (&[0x94, 3, 0x80, 0xa1, b'1', 3], Invalid::Missing("result")),
        (&[0x93, 5, 0x80, 0xa0], Invalid::Missing("invocationId")),
        (&[0x93, 7, 0xc0, 1], Invalid::Mistyped("allowReconnect")),
        (&[0x92, 8, 0xff], Invalid::Mistyped("sequenceId")),
    ];
    for (body, why) in table {
        assert_eq!(all(reader(Protocol::MessagePack, &body.with_length())), Err(why), "{body:x?}");
    }
}

#[test]
fn what_is_not_messagepack_at_all_is_refused() {
    let table: [&[u8]; 9] = [
        &[],
        &[0x80],
        &[0x06],
        &[0xc1],
        &[0x95, 1, 0x80, 0xc0, 0xa2, b'a'],
        &[0x95, 1, 0x80, 0xc0, 0xa1, 0xff, 0x90],
        &[0x95, 1, 0x80, 0xc0, 0xa0, 0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0x95, 1, 0xdf, 0xff, 0xff, 0xff, 0xff, 0xc0, 0xa0, 0x90],
        &[0x94, 2, 0x80, 0xa1, b'1', 0xc6, 0xff, 0xff, 0xff, 0xff, 0],
    ];
    for body in table {
        let read = all(reader(Protocol::MessagePack, &body.with_length()));
        assert!(matches!(read, Err(Invalid::MessagePack(_))), "{body:x?}: {read:?}");
    }
    for prefix in [&[0xff, 0xff, 0xff, 0xff, 0x08][..], &[0xff, 0xff, 0xff, 0xff, 0xff]] {
        let read = all(reader(Protocol::MessagePack, prefix));
        assert!(matches!(read, Err(Invalid::MessagePack(_))), "{prefix:x?}: {read:?}");
    }
}

#[test]
fn a_message_that_is_too_large_is_refused_before_it_is_whole() {
    let limits = Limits::default().with_message_bytes(20);
    let too_large = Err(Invalid::TooLarge { limit_bytes: 20 });
    let mut json = Reader::new(Protocol::Json, limits, BytesMut::from(&[b' '; 20][..]));
    assert_eq!(json.next_message(), Ok(None));
    json.push(b" ");
    assert_eq!(json.next_message(), too_large);
    let mut packed = Reader::new(Protocol::MessagePack, limits, BytesMut::from(&[21][..]));
    assert_eq!(packed.next_message(), too_large);
}

#[test]
fn each_part_of_a_message_has_a_bound() {
    let limits = Limits { arguments: 2, headers: 1, streams: 1, depth: 3, ..Limits::default() };
    let table = [
        (r#"{"type":1,"target":"","arguments":[1,2,3]}"#, "arguments", 2),
        (r#"{"type":1,"target":"","arguments":[],"headers":{"a":"","b":""}}"#, "headers", 1),
        (r#"{"type":1,"target":"","arguments":[],"streamIds":["1","2"]}"#, "streams", 1),
        (r#"{"type":1,"target":"","arguments":["[[[[",[[{"a":[]}]]]}"#, "levels of nesting", 3),
    ];
    for (text, what, limit) in table {
        let exceeds = Err(Invalid::Exceeds { what, limit });
        let wire = format!("{text}\u{1e}");
        assert_eq!(Reader::new(Protocol::Json, limits, wire.as_bytes().into()).next_message(), exceeds);
        let packed = Protocol::MessagePack.encode(&only(Protocol::Json, wire.as_bytes())).unwrap();
        assert_eq!(Reader::new(Protocol::MessagePack, limits, packed[..].into()).next_message(), exceeds);
    }
    let deep = format!("{{\"type\":6,\"more\":{}}}\u{1e}", "[".repeat(30_000));
    assert!(matches!(all(reader(Protocol::Json, deep.as_bytes())), Err(Invalid::Json(_))));
}

/// A body of a message behind its length.
trait WithLength {
    fn with_length(&self) -> Vec<u8>;
}

impl WithLength for [u8] {
    fn with_length(&self) -> Vec<u8> {
        assert!(self.len() < 128);
        [&[self.len() as u8], self].concat()
    }
}
