//! An answer on its way to the client.

use super::bill::Bill;
use super::judging::unreached;
use crate::errors::Kind;
use crate::seats::Seat;
use crate::translate::{Failure, Stream};
use crate::upstream::{Incoming, Interrupted};
use crate::usage::Usage;
use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use mainstay_core::Clock;
use mainstay_core::providers::Outcome;
use mainstay_core::providers::keys::Spent;
use std::io;
use std::sync::Arc;

/// An answer that comes in pieces.
pub type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// A stream that is translated, or watched, as it passes. Where it is dropped before its end, the client has gone: the
/// upstream's connection ends, and what was received until then is counted.
pub(crate) struct Passage {
    pub incoming: Incoming,
    pub stream: Stream,
    pub seat: Option<Seat>,
    pub bill: Bill,
    pub clock: Arc<dyn Clock>,
    /// The tokens that were sent, where the upstream does not say.
    pub estimated_input_tokens: u64,
}

impl Passage {
    /// The pieces for the client; `first` came before the answer began.
    pub fn pieces(mut self, first: &[u8]) -> Pieces {
        let mut out = BytesMut::new();
        self.stream.push(first, &mut out);
        let ready = Some(out.freeze()).filter(|out| !out.is_empty());
        stream::unfold((self, ready), |(mut passage, ready)| async move {
            if let Some(ready) = ready {
                return Some((Ok(ready), (passage, None)));
            }
            let piece = passage.next().await?;
            Some((Ok(piece), (passage, None)))
        })
        .boxed()
    }

    /// The next piece that says something to the client; nothing at the end.
    async fn next(&mut self) -> Option<Bytes> {
        let mut out = BytesMut::new();
        while self.seat.is_some() {
            if let Some(seat) = &self.seat {
                seat.progress.made(self.clock.now());
            }
            if self.stream.is_over() {
                self.end(Outcome::Success);
                break;
            }
            match self.incoming.next().await {
                Ok(Some(piece)) => self.stream.push(&piece, &mut out),
                Ok(None) => {
                    self.stream.finish(&mut out);
                    self.end(Outcome::Success);
                }
                Err(interrupted) => {
                    let kind = if interrupted == Interrupted::Silent { Kind::Timeout } else { Kind::Upstream };
                    self.stream.fail(Failure { kind, message: interrupted.why().into() }, &mut out);
                    self.end(Outcome::Failed(unreached(interrupted.why())));
                }
            }
            if !out.is_empty() {
                break;
            }
        }
        Some(out.freeze()).filter(|out| !out.is_empty())
    }

    /// The upstream is done with: whoever looks finds its provider free again before the client sees the end.
    fn end(&mut self, outcome: Outcome) {
        let failure = self.stream.failure().map(|failure| unreached(&failure.message));
        let outcome = match (outcome, failure) {
            (Outcome::Success, Some(failure)) => Outcome::Failed(failure),
            (outcome, _) => outcome,
        };
        self.bill.receipt.failed = matches!(outcome, Outcome::Failed(_));
        if let Some(seat) = self.seat.take() {
            drop(seat.end(outcome));
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let reported = self.stream.usage();
        self.bill.receipt.spent = spent(reported, || Usage {
            input_tokens: self.estimated_input_tokens,
            output_tokens: self.stream.estimated_output_tokens(),
            ..Usage::default()
        });
    }
}

/// What was used: as the upstream reports it, else as it is estimated.
pub(crate) fn spent(reported: Option<Usage>, estimated: impl FnOnce() -> Usage) -> Spent {
    let usage = reported.unwrap_or_else(estimated);
    Spent {
        input_tokens: usage.input_tokens,
        cached_tokens: usage.cached_tokens,
        output_tokens: usage.output_tokens,
        cost: 0,
        reported: reported.is_some(),
    }
}

/// An answer that passes unread.
pub(crate) struct Unread {
    pub incoming: Incoming,
    pub seat: Option<Seat>,
    /// Settled when this is dropped.
    pub bill: Bill,
    pub clock: Arc<dyn Clock>,
}

impl Unread {
    /// The pieces for the client. Where the upstream breaks off, so does the answer: there is no other way to say it.
    pub fn pieces(self) -> Pieces {
        stream::unfold(self, |mut unread| async move {
            let seat = unread.seat.as_ref()?;
            seat.progress.made(unread.clock.now());
            match unread.incoming.next().await {
                Ok(Some(piece)) => Some((Ok(piece), unread)),
                Ok(None) => {
                    unread.end(Outcome::Success);
                    None
                }
                Err(interrupted) => {
                    unread.end(Outcome::Failed(unreached(interrupted.why())));
                    Some((Err(io::Error::other(interrupted.why())), unread))
                }
            }
        })
        .boxed()
    }

    fn end(&mut self, outcome: Outcome) {
        self.bill.receipt.failed = matches!(outcome, Outcome::Failed(_));
        if let Some(seat) = self.seat.take() {
            drop(seat.end(outcome));
        }
    }
}
