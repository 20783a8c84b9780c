//! What is sent to a provider.

use super::asked::{Addressed, Asked, Wish};
use super::refusal::Refusal;
use super::round::Round;
use crate::Protocol;
use crate::errors::Kind;
use crate::translate::{self, Context, Options, Refused};
use crate::upstream::{Call, Outgoing, Passed, Speaks, Target, allowed_request_headers};
use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use secrecy::SecretString;
use url::Url;

/// A request in the words of one upstream.
pub(super) struct Wording {
    pub method: Method,
    pub address: Url,
    pub body: Bytes,
    pub passed: Passed,
    /// Whether the answer is a stream.
    pub stream: bool,
    /// What reading the answer needs; nothing where it passes unread.
    pub context: Option<Context>,
    /// Members that were left out.
    pub dropped: Vec<String>,
}

/// Why there is no wording.
pub(super) enum Unworded {
    /// The request is at fault.
    Refused(Refused),
    /// The upstream is not for this kind of request.
    Unfit(Refusal),
}

impl Round<'_> {
    /// Words the request for an upstream.
    pub fn worded(&self, target: &Target, model: Option<&str>) -> Result<Wording, Unworded> {
        let asked = self.asked;
        match (&asked.wish, target.speaks) {
            (Wish::Forward { method, path }, _) => Ok(forwarded(asked, target, method, path)),
            (_, Speaks::Anything) => Err(unfit("the pool is reached by /forward alone")),
            (Wish::Generate(addressed), Speaks::Protocol(upstream)) => {
                self.translated(target, upstream, model, addressed.as_ref(), |stream| Call::Generate { stream })
            }
            (_, Speaks::Protocol(upstream)) if upstream != asked.client && !alike(asked.client, upstream) => {
                Err(unfit("the pool speaks another protocol, between which this is not translated"))
            }
            (Wish::CountTokens(addressed), Speaks::Protocol(upstream)) => {
                self.translated(target, upstream, model, addressed.as_ref(), |_| Call::CountTokens)
            }
            (Wish::Embed(addressed), Speaks::Protocol(_)) => {
                let upstream = asked.client;
                self.translated(target, upstream, model, addressed.as_ref(), |many| match many {
                    true => Call::EmbedMany,
                    false => Call::Embed,
                })
            }
        }
    }

    fn translated(
        &self,
        target: &Target,
        upstream: Protocol,
        model: Option<&str>,
        addressed: Option<&Addressed>,
        call: impl Fn(bool) -> Call,
    ) -> Result<Wording, Unworded> {
        let asked = self.asked;
        let known = self.head.model.as_deref().unwrap_or_default();
        let meant = model.unwrap_or(known);
        let there = target.model_map.get(meant).map_or(meant, String::as_str);
        let parts = &self.gateway.parts;
        let id: String = parts.mint.event_id().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
        let seconds = u64::try_from(parts.clock.now().as_millis() / 1_000).unwrap_or_default();
        let options = Options {
            upstream_model: Some(there).filter(|there| *there != known).map(str::to_owned),
            model: addressed.map(|addressed| addressed.model.clone()),
            stream: addressed.is_some_and(|addressed| addressed.stream),
            meter: matches!(asked.wish, Wish::Generate(_)),
            ..Options::new(id, seconds)
        };
        let translated =
            translate::request(asked.client, upstream, &asked.body, &options).map_err(Unworded::Refused)?;
        let mut address = target.address(upstream, call(translated.stream), there);
        let same = asked.client == upstream;
        if same {
            address.set_query(asked.query.as_deref());
        } else if upstream == Protocol::Gemini && translated.stream {
            address.set_query(Some("alt=sse"));
        }
        Ok(Wording {
            method: Method::POST,
            address,
            body: translated.body,
            passed: if same { Passed::AllAllowed } else { Passed::Translated },
            stream: translated.stream,
            context: Some(translated.context),
            dropped: translated.dropped,
        })
    }

    /// What is sent.
    pub fn outgoing(&self, wording: &Wording, sent: &Sent<'_>) -> Outgoing {
        let target = sent.target;
        let mut headers = allowed_request_headers(&self.asked.headers, wording.passed);
        for name in &target.headers.remove {
            headers.remove(name);
        }
        if wording.context.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        target.dress(&mut headers, sent.token);
        Outgoing {
            client: sent.client.clone(),
            method: wording.method.clone(),
            address: wording.address.clone(),
            headers,
            body: wording.body.clone(),
            first_byte_timeout: target.first_byte_timeout,
            idle_timeout: target.idle_timeout,
        }
    }
}

/// With what a request is sent.
pub(super) struct Sent<'a> {
    pub target: &'a Target,
    pub token: Option<&'a SecretString>,
    pub client: reqwest::Client,
}

fn forwarded(asked: &Asked, target: &Target, method: &Method, path: &str) -> Wording {
    Wording {
        method: method.clone(),
        address: target.beneath(path, asked.query.as_deref()),
        body: asked.body.clone(),
        passed: Passed::AllAllowed,
        stream: false,
        context: None,
        dropped: Vec::new(),
    }
}

/// Embeddings are the same beside both protocols of OpenAI.
fn alike(client: Protocol, upstream: Protocol) -> bool {
    let open_ai = |protocol| matches!(protocol, Protocol::OpenAi | Protocol::Responses);
    open_ai(client) && open_ai(upstream)
}

fn unfit(message: &str) -> Unworded {
    Unworded::Unfit(Refusal::new(Kind::Invalid, message))
}
