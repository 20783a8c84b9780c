//! Frames of a WebSocket as the server writes them (RFC 6455, section 5.2): complete and unmasked, so the same for every
//! client.

use bytes::{BufMut, Bytes, BytesMut};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
/// What the payload of a control frame may have at most.
const MAX_CONTROL_BYTES: usize = 125;

/// A text frame.
pub(crate) fn text(payload: &[u8]) -> Bytes {
    frame(TEXT, payload)
}

/// A ping.
pub(crate) fn ping() -> Bytes {
    Bytes::from_static(&[PING, 0])
}

/// The closing frame; a reason that is too long is cut.
pub(crate) fn close(code: u16, reason: &str) -> Bytes {
    let mut end = reason.len().min(MAX_CONTROL_BYTES - 2);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    frame(CLOSE, &payload)
}

/// What stands before the payload of a text or binary frame of so many bytes.
pub(crate) fn header(is_text: bool, payload_bytes: usize) -> Bytes {
    head(if is_text { TEXT } else { BINARY }, payload_bytes, 0).freeze()
}

fn frame(first: u8, payload: &[u8]) -> Bytes {
    let mut frame = head(first, payload.len(), payload.len());
    frame.put_slice(payload);
    frame.freeze()
}

fn head(first: u8, payload_bytes: usize, room_bytes: usize) -> BytesMut {
    let mut head = BytesMut::with_capacity(room_bytes + 10);
    head.put_u8(first);
    match payload_bytes {
        short @ 0..=125 => head.put_u8(short as u8),
        medium @ 126..=0xffff => {
            head.put_u8(126);
            head.put_u16(medium as u16);
        }
        long => {
            head.put_u8(127);
            head.put_u64(long as u64);
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        assert_eq!(&text(b"abc")[..], b"\x81\x03abc");
        assert_eq!(text(&[b'x'; 125])[..3], [0x81, 125, b'x']);
        assert_eq!(text(&[b'x'; 126])[..5], [0x81, 126, 0, 126, b'x']);
        assert_eq!(text(&[b'x'; 65_535])[..4], [0x81, 126, 255, 255]);
        assert_eq!(text(&[b'x'; 65_536])[..11], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0, b'x']);
        assert_eq!(&ping()[..], [0x89, 0]);
        assert_eq!(header(true, 3), b"\x81\x03"[..]);
        assert_eq!(header(false, 126), [0x82, 126, 0, 126][..]);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        assert_eq!(&close(4503, "bye")[..], b"\x88\x05\x11\x97bye");
        let cut = close(4503, &"é".repeat(100));
        assert_eq!(cut[1], 2 + 122);
        assert!(std::str::from_utf8(&cut[4..]).is_ok());
    }
}
