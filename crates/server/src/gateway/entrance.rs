//! Who asks the gateway, and for which pool.

use crate::access::Origin;
use crate::app::App;
use crate::caller::{bearer_in, caller_of, missing};
use crate::extract::header_text;
use crate::layers::timed_out;
use crate::problem::Failure;
use axum::extract::{FromRequestParts, RawPathParams};
use http::HeaderMap;
use http::request::Parts;
use mainstay_core::api::providers::PoolType;
use mainstay_core::api::{Code, NAMESPACE_HEADER, Namespace};
use mainstay_core::identity::Purpose;
use mainstay_core::{Error, Result, Scope};
use mainstay_gateway::serving::{Answer, Who};
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use std::time::Duration;

/// The header in which the founding system is told a pool, and ours.
const POOL_HEADERS: [&str; 2] = ["model-provider", "mainstay-pool"];
/// Headers that hold a credential, besides the bearer: those of Anthropic and of Gemini.
const KEY_HEADERS: [&str; 2] = ["x-api-key", "x-goog-api-key"];

/// What a path and headers name.
pub(super) struct Named {
    pub pool: Option<PoolType>,
    pub model: Option<String>,
    /// The rest of a path that is forwarded.
    pub rest: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|refused| Failure(Error::invalid(format!("path: {refused}"))))?;
        let find = |wanted: &str| params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
        let header = |name: &&str| parts.headers.get(*name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let pool = find("pool").or_else(|| POOL_HEADERS.iter().find_map(header));
        let pool = pool.map(PoolType::parse).transpose();
        let pool = pool.map_err(|broken| Failure(Error::invalid(format!("pool: {broken}"))))?;
        Ok(Self { pool, model: find("model"), rest: find("path") })
    }
}

/// Somebody who shows a credential.
pub(super) struct Entrance {
    pub who: Who,
    origin: Origin,
}

impl Entrance {
    /// Recognises who asks, within the time of a request. Whether a gateway key is one, only its admission says.
    pub async fn of(app: &Arc<App>, parts: &Parts) -> Result<Self, Failure> {
        let origin = parts.extensions.get::<Origin>().cloned().unwrap_or_default();
        let limit_ms = app.config.request_timeout_ms;
        let recognised = tokio::time::timeout(Duration::from_millis(limit_ms), recognise(app, parts)).await;
        match recognised.unwrap_or_else(|_| Err(timed_out(limit_ms))) {
            Ok(who) => Ok(Self { who, origin }),
            Err(error) => {
                if matches!(error.problem.status, 401 | 403) {
                    app.services.refused(None, &origin, error.code()).await;
                }
                Err(Failure(error))
            }
        }
    }

    /// Records where a gateway key turned out to be none, or to be refused.
    pub async fn told(&self, app: &Arc<App>, answer: Answer) -> Answer {
        let by_provider = answer.headers.contains_key("mainstay-provider");
        let code = match (&self.who, answer.status) {
            (Who::Key(_), 401) if !by_provider => Code::CredentialInvalid,
            (Who::Key(_), 403) if !by_provider => Code::Forbidden,
            _ => return answer,
        };
        app.services.refused(None, &self.origin, code).await;
        answer
    }
}

async fn recognise(app: &Arc<App>, parts: &Parts) -> Result<Who> {
    let offered = offered(&parts.headers, parts.uri.query())?.ok_or_else(missing)?;
    let identified = match app.identify(&offered, Purpose::Use).await {
        Ok(identified) => identified,
        // What nobody else knows may be a gateway key, also one of another form that was imported.
        Err(error) if error.code() == Code::CredentialInvalid => {
            return Ok(Who::Key(offered.into()));
        }
        Err(error) => return Err(error),
    };
    let namespace = header_text(&parts.headers, NAMESPACE_HEADER)?.map(Namespace::parse).transpose();
    let namespace = namespace.map_err(|broken| Error::invalid(format!("header: {broken}")))?;
    let caller = caller_of(identified, None, namespace)?;
    caller.require(Scope::GatewayUse)?;
    Ok(Who::Caller(Box::new(caller)))
}

/// The credential of a request, wherever clients of one of the protocols put it.
fn offered(headers: &HeaderMap, query: Option<&str>) -> Result<Option<String>> {
    let text = |name: &&str| headers.get(*name).and_then(|value| value.to_str().ok()).map(str::trim);
    let given = bearer_in(headers)?.or_else(|| KEY_HEADERS.iter().find_map(text)).map(str::to_owned);
    let asked = || {
        let key = query?.split('&').find_map(|pair| pair.strip_prefix("key="))?;
        Some(percent_decode_str(key).decode_utf8_lossy().into_owned())
    };
    Ok(given.or_else(asked).filter(|key| !key.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn a_credential_is_found_wherever_clients_put_it() {
        for (name, value) in [("authorization", "bearer k"), ("x-api-key", "k"), ("x-goog-api-key", " k ")] {
            let pair = (HeaderName::from_static(name), HeaderValue::from_static(value));
            assert_eq!(offered(&HeaderMap::from_iter([pair]), None).unwrap().as_deref(), Some("k"), "{name}");
        }
        let found = offered(&HeaderMap::new(), Some("alt=sse&key=a%2Bb")).unwrap();
        assert_eq!(found.as_deref(), Some("a+b"));
        for none in [None, Some("key="), Some("monkey=k")] {
            assert_eq!(offered(&HeaderMap::new(), none).unwrap(), None, "{none:?}");
        }
    }

    #[test]
    fn two_credentials_are_none() {
        let mut headers = HeaderMap::new();
        for value in ["Bearer one", "Bearer other"] {
            headers.append(http::header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        assert_eq!(offered(&headers, None).unwrap_err().code(), Code::CredentialInvalid);
    }
}
