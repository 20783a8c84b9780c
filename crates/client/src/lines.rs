//! Answers of JSON lines.

use crate::{Body, ClientError, Result};
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, unfold};
use http_body_util::BodyExt;
use mainstay_api::errors::Applied;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;

/// Longest line that is read, in bytes: a message of the largest size, and what stands around it, twice over for escapes.
const MAX_LINE_BYTES: usize = 40 * 1_024 * 1_024;

struct Lines {
    body: Option<Body>,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    ready: VecDeque<Vec<u8>>,
}

/// The lines of a body, as they come. Where the body breaks off, the last item is an error.
pub(crate) fn lines<T: DeserializeOwned + Send + 'static>(body: Body) -> BoxStream<'static, Result<T>> {
    let lines = Lines { body: Some(body), rest: Vec::new(), ready: VecDeque::new() };
    unfold(lines, |mut lines| async move {
        let line = match lines.next().await {
            Ok(line) => line?,
            Err(error) => {
                (lines.body, lines.ready) = (None, VecDeque::new());
                return Some((Err(error), lines));
            }
        };
        let item = serde_json::from_slice(&line)
            .map_err(|cause| ClientError::Protocol { detail: cause.to_string(), status: 200 });
        Some((item, lines))
    })
    .boxed()
}

impl Lines {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(Some(line));
            }
            let Some(body) = &mut self.body else { return Ok(None) };
            match body.frame().await {
                Some(Ok(frame)) => self.take(frame.into_data().unwrap_or_default())?,
                Some(Err(cause)) => return Err(broken(&cause.to_string())),
                None if self.rest.is_empty() => self.body = None,
                None => return Err(broken("the last line has no end")),
            }
        }
    }

    fn take(&mut self, data: Bytes) -> Result<()> {
        for part in data.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if self.rest.len() > MAX_LINE_BYTES {
                return Err(broken("a line is too long"));
            }
            if self.rest.last() == Some(&b'\n') {
                self.ready.push_back(std::mem::take(&mut self.rest));
            }
        }
        Ok(())
    }
}

fn broken(cause: &str) -> ClientError {
    ClientError::Connection { detail: "the answer broke off".into(), cause: cause.into(), applied: Applied::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    async fn read(text: &'static str) -> Vec<Result<u32>> {
        let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync();
        lines(body).collect().await
    }

    #[tokio::test]
    async fn lines_come_whole_and_a_part_of_one_is_an_error() {
        let whole: Vec<u32> = read("1\n22\n").await.into_iter().map(Result::unwrap).collect();
        assert_eq!(whole, [1, 22]);
        let broken = read("1\n2").await;
        assert!(matches!(broken.as_slice(), [Ok(1), Err(ClientError::Connection { .. })]));
        assert!(read("").await.is_empty());
    }
}
