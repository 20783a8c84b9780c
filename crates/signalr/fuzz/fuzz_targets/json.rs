//! Whatever arrives is read, refused or waited for, and what is read comes back as it was written.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use mainstay_signalr::{Limits, Protocol, Reader};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(Protocol::Json, Limits::default(), BytesMut::from(bytes));
    while let Ok(Some(message)) = reader.next_message() {
        let wire = Protocol::Json.encode(&message).expect("a value in its own protocol");
        let limits = Limits::default().with_message_bytes(usize::MAX);
        let mut again = Reader::new(Protocol::Json, limits, BytesMut::from(&wire[..]));
        assert_eq!(again.next_message(), Ok(Some(message.clone())));
        Protocol::ALL.into_iter().for_each(|other| drop(other.encode(&message)));
    }
});
