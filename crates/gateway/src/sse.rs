//! Server-sent events: an incremental parser, and a writer.

use bytes::BytesMut;

/// Longest event that is taken from an upstream, in bytes: an image in an answer of Gemini fits.
pub const MAX_EVENT_BYTES: usize = 16 * 1_024 * 1_024;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// An event. Its `id` and `retry` are of no use here, where nobody continues.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// What it is called; absent where the stream does not say.
    pub name: Option<String>,
    /// Its lines of data, joined by line feeds.
    pub data: String,
}

/// An event that never ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {limit_bytes} bytes")]
pub struct TooLong {
    /// How long it may be.
    pub limit_bytes: usize,
}

/// Cuts bytes that come in pieces of any size into events. Lines end with CR, LF or CRLF; what is no UTF-8 is replaced.
#[derive(Debug)]
pub struct Parser {
    limit_bytes: usize,
    /// The line that is not over yet.
    line: Vec<u8>,
    /// Whether the last byte was a CR, to which a LF belongs.
    after_cr: bool,
    /// Whether the first line was seen, before which a byte order mark may stand.
    begun: bool,
    name: Option<String>,
    data: String,
    has_data: bool,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(MAX_EVENT_BYTES)
    }
}

impl Parser {
    /// A parser that bears events up to this many bytes.
    #[must_use]
    pub const fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            line: Vec::new(),
            after_cr: false,
            begun: false,
            name: None,
            data: String::new(),
            has_data: false,
        }
    }

    /// Takes the next bytes, and adds the events that they end.
    ///
    /// # Errors
    /// Where an event is longer than the bound. The events before it have been added.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), TooLong> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
                self.hold(rest)?;
                break;
            };
            self.hold(&rest[..end])?;
            self.after_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            self.end_line(events);
        }
        Ok(())
    }

    /// Ends the stream. What an upstream wrote last counts, also where it forgot the empty line behind it.
    #[must_use]
    pub fn finish(&mut self) -> Option<Event> {
        let mut events = Vec::new();
        if !self.line.is_empty() {
            self.end_line(&mut events);
        }
        self.dispatch(&mut events);
        events.pop()
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let name_bytes = self.name.as_ref().map_or(0, String::len);
        if self.line.len() + self.data.len() + name_bytes + bytes.len() > self.limit_bytes {
            return Err(TooLong { limit_bytes: self.limit_bytes });
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, events: &mut Vec<Event>) {
        let line = std::mem::take(&mut self.line);
        let mut text = &line[..];
        if !std::mem::replace(&mut self.begun, true) {
            text = text.strip_prefix(BOM).unwrap_or(text);
        }
        if text.is_empty() {
            self.dispatch(events);
        } else {
            self.field(&String::from_utf8_lossy(text));
        }
        // The room of the line serves the next one.
        self.line = line;
        self.line.clear();
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            "event" => self.name = Some(value.to_owned()).filter(|name| !name.is_empty()),
            // A comment has an empty name; `id`, `retry` and anything else says nothing that is needed here.
            _ => {}
        }
    }

    fn dispatch(&mut self, events: &mut Vec<Event>) {
        let (name, data) = (self.name.take(), std::mem::take(&mut self.data));
        if std::mem::take(&mut self.has_data) {
            events.push(Event { name, data });
        }
    }
}

/// Writes an event. Data of several lines becomes several lines of data.
pub fn write(out: &mut BytesMut, name: Option<&str>, data: &str) {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\n");
    }
    for line in data.split('\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\n");
    }
    out.extend_from_slice(b"\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: Option<&str>, data: &str) -> Event {
        Event { name: name.map(str::to_owned), data: data.to_owned() }
    }

    /// The events of a text that comes in pieces of this size.
    fn parsed(text: &[u8], piece: usize) -> Vec<Event> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        text.chunks(piece).for_each(|bytes| parser.push(bytes, &mut events).unwrap());
        events.extend(parser.finish());
        events
    }

    #[test]
    fn every_way_to_end_a_line_is_understood_wherever_the_bytes_are_cut() {
        let text = "\u{feff}: hello\r\nevent: a\r\ndata: grüße\r\ndata:  日本\r\n\r\nid: 7\rdata: b\r\r\
                    data\n\nevent: none\n\ndata: [DONE]";
        let expected = [event(Some("a"), "grüße\n 日本"), event(None, "b"), event(None, ""), event(None, "[DONE]")];
        for piece in 1..=text.len() {
            assert_eq!(parsed(text.as_bytes(), piece), expected, "pieces of {piece}");
        }
    }

    #[test]
    fn cr_and_lf_apart_are_one_end_and_two_of_them_are_two() {
        for piece in 1..6 {
            assert_eq!(
                parsed(b"data: a\r\ndata: b\r\n\r\ndata: c\n\r\n", piece),
                [event(None, "a\nb"), event(None, "c")]
            );
        }
    }

    #[test]
    fn what_is_no_utf8_is_replaced_and_does_no_harm() {
        assert_eq!(parsed(b"data: \xff\xfe\n\n", 3), [event(None, "\u{fffd}\u{fffd}")]);
    }

    #[test]
    fn an_event_without_end_is_an_error_and_what_came_before_it_is_there() {
        let mut parser = Parser::new(16);
        let mut events = Vec::new();
        let refused = parser.push(b"data: a\n\ndata: 0123456789012345", &mut events);
        assert_eq!(refused, Err(TooLong { limit_bytes: 16 }));
        assert_eq!(events, [event(None, "a")]);
        let mut parser = Parser::new(16);
        assert!(
            (0..9).any(|_| parser.push(b"data: xxx\n", &mut events).is_err()),
            "many short lines are bounded as well"
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut out = BytesMut::new();
        write(&mut out, Some("a"), "one\ntwo");
        write(&mut out, None, "{}");
        assert_eq!(&out[..], b"event: a\ndata: one\ndata: two\n\ndata: {}\n\n");
        assert_eq!(parsed(&out, 4), [event(Some("a"), "one\ntwo"), event(None, "{}")]);
    }
}
