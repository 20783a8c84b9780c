//! Random messages come back as they were, and random bytes never do harm. The sequence of cases is always the same.

use bytes::BytesMut;
use mainstay_signalr::{
    Completion, Headers, Invocation, Limits, Message, Outcome, Protocol, Reader, Value, handshake, negotiate,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..20).prop_map(Into::into),
            btree_map(any::<String>(), inner, 0..5).prop_map(|map| map.into_iter().collect::<serde_json::Value>()),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    json().prop_map(|json| Value::write(&json).unwrap())
}

fn headers() -> impl Strategy<Value = Headers> {
    btree_map(any::<String>(), any::<String>(), 0..3)
}

fn id() -> impl Strategy<Value = String> {
    ".{1,20}"
}

fn invocation(asked: impl Strategy<Value = Option<String>>) -> impl Strategy<Value = Invocation> {
    let parts = (headers(), asked, any::<String>(), vec(value(), 0..5), vec(any::<String>(), 0..4));
    parts.prop_map(|(headers, invocation_id, target, arguments, stream_ids)| Invocation {
        headers,
        invocation_id,
        target,
        arguments,
        stream_ids,
    })
}

fn message() -> impl Strategy<Value = Message> {
    let outcome =
        prop_oneof![Just(Outcome::Void), value().prop_map(Outcome::Value), any::<String>().prop_map(Outcome::Error),];
    prop_oneof![
        invocation(proptest::option::of(id())).prop_map(Message::Invocation),
        invocation(id().prop_map(Some)).prop_map(Message::StreamInvocation),
        (headers(), id(), value()).prop_map(|(headers, invocation_id, item)| Message::StreamItem {
            headers,
            invocation_id,
            item
        }),
        (headers(), id(), outcome).prop_map(|(headers, invocation_id, outcome)| {
            Message::Completion(Completion { headers, invocation_id, outcome })
        }),
        (headers(), id()).prop_map(|(headers, invocation_id)| Message::CancelInvocation { headers, invocation_id }),
        Just(Message::Ping),
        (proptest::option::of(any::<String>()), any::<bool>())
            .prop_map(|(error, allow_reconnect)| Message::Close { error, allow_reconnect }),
        any::<u64>().prop_map(|sequence_id| Message::Ack { sequence_id }),
        any::<u64>().prop_map(|sequence_id| Message::Sequence { sequence_id }),
    ]
}

fn limits() -> Limits {
    Limits::default().with_message_bytes(1024 * 1024)
}

/// Reads what arrives in two pieces.
fn read(protocol: Protocol, bytes: &[u8], cut: usize) -> Vec<Message> {
    let (first, second) = bytes.split_at(cut);
    let mut reader = Reader::new(protocol, limits(), BytesMut::from(first));
    let mut messages = Vec::new();
    let mut drain = |reader: &mut Reader| {
        while let Some(message) = reader.next_message().unwrap() {
            messages.push(message);
        }
    };
    drain(&mut reader);
    reader.push(second);
    drain(&mut reader);
    assert!(!reader.is_within_message());
    messages
}

#[test]
fn messages_come_back_as_they_were_wherever_they_were_cut() {
    let cases = (vec(message(), 1..4), any::<Index>());
    let played = runner(512).run(&cases, |(messages, cut)| {
        for protocol in Protocol::ALL {
            let wire: Vec<u8> = messages.iter().flat_map(|message| protocol.encode(message).unwrap()).collect();
            let again: Vec<u8> = read(protocol, &wire, cut.index(wire.len()))
                .iter()
                .flat_map(|message| protocol.encode(message).unwrap())
                .collect();
            prop_assert_eq!(&again, &wire);
        }
        // Values keep the form in which they are read, so messages themselves are comparable in JSON alone.
        let wire: Vec<u8> = messages.iter().flat_map(|message| Protocol::Json.encode(message).unwrap()).collect();
        prop_assert_eq!(read(Protocol::Json, &wire, cut.index(wire.len())), messages);
        Ok(())
    });
    played.unwrap();
}

#[test]
fn a_value_is_the_same_after_it_was_messagepack() {
    let played = runner(512).run(&json(), |json| {
        let message = Message::item("1", Value::write(&json).unwrap());
        let packed = Protocol::MessagePack.encode(&message).unwrap();
        let Message::StreamItem { item, .. } = read(Protocol::MessagePack, &packed, 0).remove(0) else {
            panic!("not an item");
        };
        prop_assert_eq!(item.read::<serde_json::Value>().unwrap(), json);
        Ok(())
    });
    played.unwrap();
}

/// Whatever arrives is read, refused or waited for; what is read can be written again.
fn survives(protocol: Protocol, bytes: &[u8]) {
    let mut reader = Reader::new(protocol, Limits::default(), BytesMut::from(bytes));
    while let Ok(Some(message)) = reader.next_message() {
        protocol.encode(&message).unwrap();
        for other in Protocol::ALL {
            drop(other.encode(&message));
        }
    }
    let mut buffer = BytesMut::from(bytes);
    drop(handshake::read(&mut buffer));
    let text = String::from_utf8_lossy(bytes);
    drop(negotiate::ask([("negotiateVersion", &*text)]));
}

#[test]
fn random_bytes_do_no_harm() {
    let cases = prop_oneof![
        vec(any::<u8>(), 0..200),
        // A length that fits, so that the rest is looked at.
        vec(any::<u8>(), 0..127).prop_map(|body| [&[body.len() as u8], &body[..]].concat()),
        // Markers and digits that messages consist of.
        vec(prop_oneof![0x80_u8..0xa4, 0xc0_u8..0xe0, 0_u8..10], 0..127).prop_map(|body| [
            &[body.len() as u8],
            &body[..]
        ]
        .concat()),
        "[\\[\\]{}\":,0-9a-z\u{1e}\\\\]{0,100}".prop_map(String::into_bytes),
    ];
    let played = runner(4_096).run(&cases, |bytes| {
        Protocol::ALL.into_iter().for_each(|protocol| survives(protocol, &bytes));
        Ok(())
    });
    played.unwrap();
}

#[test]
fn messages_with_a_broken_byte_do_no_harm() {
    let cases = (message(), vec((any::<Index>(), any::<u8>()), 1..4));
    let played = runner(2_048).run(&cases, |(message, changes)| {
        for protocol in Protocol::ALL {
            let mut wire = protocol.encode(&message).unwrap().to_vec();
            for (at, byte) in &changes {
                let at = at.index(wire.len());
                wire[at] = *byte;
            }
            survives(protocol, &wire);
        }
        Ok(())
    });
    played.unwrap();
}
