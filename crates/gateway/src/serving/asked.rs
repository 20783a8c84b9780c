//! A request as it came in.

use super::refusal::Refusal;
use crate::Protocol;
use bytes::Bytes;
use http::{HeaderMap, Method};
use mainstay_core::Caller;
use mainstay_core::api::providers::PoolType;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Who {
    /// Whoever has this gateway key, where it is one.
    Key(SecretString),
    /// Somebody with another credential.
    Caller(Box<Caller>),
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// An answer. Of Gemini, the address says the model, and whether it is to be a stream.
    Generate(Option<Addressed>),
    /// The number of tokens.
    CountTokens(Option<Addressed>),
    /// Embeddings; of Gemini, one or many.
    Embed(Option<Addressed>),
    /// Whatever stands at a path of the upstream.
    Forward {
        /// The method.
        method: Method,
        /// The path behind the pool.
        path: String,
    },
}

/// What an address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// The model.
    pub model: String,
    /// Whether the answer is a stream; of embeddings, whether there are several.
    pub stream: bool,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What the client speaks, which is the shape of errors too.
    pub client: Protocol,
    /// What it wants.
    pub wish: Wish,
    /// Who asks.
    pub who: Who,
    /// The pool that it names.
    pub pool: Option<PoolType>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its query, without a credential.
    pub query: Option<String>,
    /// Its body.
    pub body: Bytes,
}

impl Asked {
    pub(crate) const fn addressed(&self) -> Option<&Addressed> {
        match &self.wish {
            Wish::Generate(addressed) | Wish::CountTokens(addressed) | Wish::Embed(addressed) => addressed.as_ref(),
            Wish::Forward { .. } => None,
        }
    }

    pub(crate) const fn is_forward(&self) -> bool {
        matches!(self.wish, Wish::Forward { .. })
    }

    /// About how many tokens are sent, where nobody has counted them: one for four bytes of the body.
    pub(crate) const fn estimated_input_tokens(&self) -> u64 {
        self.body.len() as u64 / 4
    }
}

/// What of a body must be known before anything else.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub model: Option<String>,
    pub user: Option<String>,
    pub max_output_tokens: Option<u64>,
    /// How many answers are asked for, where the request says so.
    pub answers: Option<u32>,
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    user: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    max_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    max_completion_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    max_output_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    n: Option<&'a RawValue>,
    #[serde(borrow, rename = "generationConfig")]
    generation_config: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Metadata {
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct Generation {
    #[serde(rename = "maxOutputTokens")]
    max_output_tokens: Option<u64>,
    #[serde(rename = "candidateCount")]
    candidates: Option<u64>,
}

impl Head {
    /// Reads it. What has another type than is expected is for the upstream to complain about.
    pub fn read(asked: &Asked) -> Result<Self, Refusal> {
        if asked.is_forward() {
            return Ok(Self::default());
        }
        let members: Members<'_> = serde_json::from_slice(&asked.body)
            .map_err(|cause| Refusal::invalid(format!("the body is no JSON object: {cause}")))?;
        let text = |raw: Option<&RawValue>| raw.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        let count = |raw: Option<&RawValue>| raw.and_then(|raw| raw.get().parse::<u64>().ok());
        let addressed = asked.addressed().map(|addressed| addressed.model.clone());
        let model = addressed.or_else(|| text(members.model));
        if model.as_ref().is_none_or(String::is_empty) {
            return Err(Refusal::invalid("the body names no `model`"));
        }
        let metadata = members.metadata.and_then(|raw| serde_json::from_str::<Metadata>(raw.get()).ok());
        let generation = members.generation_config.and_then(|raw| serde_json::from_str::<Generation>(raw.get()).ok());
        let limits = [members.max_completion_tokens, members.max_output_tokens, members.max_tokens];
        let limit = limits.into_iter().find_map(count);
        let of_gemini = generation.as_ref();
        let answers = count(members.n).or_else(|| of_gemini.and_then(|generation| generation.candidates));
        Ok(Self {
            model,
            user: text(members.user).or_else(|| metadata.and_then(|metadata| metadata.user_id)),
            max_output_tokens: limit.or_else(|| of_gemini.and_then(|generation| generation.max_output_tokens)),
            answers: answers.map(|answers| u32::try_from(answers).unwrap_or(u32::MAX)),
        })
    }
}
