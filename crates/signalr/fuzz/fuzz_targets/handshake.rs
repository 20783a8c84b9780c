//! A first message is agreed on, refused or waited for.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use mainstay_signalr::{TransferFormat, handshake, negotiate};

fuzz_target!(|bytes: &[u8]| {
    let mut buffer = BytesMut::from(bytes);
    while let Ok(Some(request)) = handshake::read(&mut buffer) {
        if let Err(refused) = handshake::agree(request, TransferFormat::Text) {
            drop(refused.response());
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(negotiate::ask([("negotiateVersion", text), (text, "1")]));
    }
});
