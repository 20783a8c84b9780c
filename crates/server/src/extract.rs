//! What handlers take from a request. Every refusal is a problem that names the field and the rule.

use crate::problem::Failure;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::IntoResponse;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use mainstay_core::api::ids::RequestId;
use mainstay_core::api::{Code, IDEMPOTENCY_KEY_HEADER};
use mainstay_core::{Error, Result};
use percent_encoding::{percent_decode, percent_decode_str};
use serde::de::DeserializeOwned;

/// A JSON body.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state).await.map_err(|refused| body_error(&refused))?;
        Ok(Self(parse(&bytes)?))
    }
}

/// A JSON body, where no body at all stands for the defaults.
pub(crate) struct JsonOrDefault<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for JsonOrDefault<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state).await.map_err(|refused| body_error(&refused))?;
        Ok(Self(if bytes.is_empty() { T::default() } else { parse(&bytes)? }))
    }
}

fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
    match axum::Json::<T>::from_bytes(bytes) {
        Ok(axum::Json(value)) => Ok(value),
        Err(JsonRejection::JsonSyntaxError(error)) => {
            Err(Error::invalid(format!("body: it is not JSON: {}", cause(&error))))
        }
        Err(refused) => Err(Error::invalid(format!("body: {}", cause(&refused)))),
    }
}

fn body_error(refused: &BytesRejection) -> Failure {
    if refused.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Failure(too_large());
    }
    Failure(Error::invalid("body: it ended before it was complete").internal(cause(refused)))
}

/// The refusal of a body above the bound.
pub(crate) fn too_large() -> Error {
    Error::new(
        Code::TooLarge,
        "body: it is larger than this server takes",
        "Split the request, or raise MAINSTAY_MAX_BODY_BYTES.",
    )
}

/// The query of a request.
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(refused) => Err(query_error(&refused)),
        }
    }
}

fn query_error(refused: &QueryRejection) -> Failure {
    Failure(Error::invalid(format!("query: {}", cause(refused))))
}

/// The parameter in the path, percent-decoded.
pub(crate) struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(refused) => Err(path_error(&refused)),
        }
    }
}

fn path_error(refused: &PathRejection) -> Failure {
    let reason = match refused {
        PathRejection::FailedToDeserializePathParams(error) => error.kind().to_string(),
        other => other.body_text(),
    };
    Failure(Error::invalid(format!("path: {reason}")))
}

/// The request id of a write, where the caller gave one; percent-decoded, like every header that holds a name.
pub(crate) struct IdempotencyKey(pub Option<RequestId>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_KEY_HEADER) else {
            return Ok(Self(None));
        };
        let text = value.to_str().map_err(|_| unreadable_key())?;
        // The draft quotes the key, as structured fields do; most clients send it bare.
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        let decoded = percent_decode_str(bare).decode_utf8().map_err(|_| unreadable_key())?;
        let key = RequestId::parse(decoded)
            .map_err(|broken| Error::invalid(format!("header {IDEMPOTENCY_KEY_HEADER}: {broken}")))?;
        Ok(Self(Some(key)))
    }
}

/// The percent-decoded text of a header.
pub(crate) fn header_text(headers: &HeaderMap, name: &'static str) -> Result<Option<String>> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Error::invalid(format!("header {name}: it stands more than once")));
    }
    let decoded = percent_decode(value.as_bytes()).decode_utf8();
    decoded
        .map(|text| Some(text.into_owned()))
        .map_err(|_| Error::invalid(format!("header {name}: it is not UTF-8; percent-encode what is not ASCII")))
}

fn unreadable_key() -> Error {
    Error::invalid(format!("header {IDEMPOTENCY_KEY_HEADER}: use visible ASCII, such as a UUID"))
}

/// What lies behind a refusal, without the framework's words around it: the path of the field, and the rule.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The answer to a request for an address that does not exist.
pub(crate) async fn no_such_route(uri: http::Uri) -> impl IntoResponse {
    let path: String = uri.path().chars().take(200).collect();
    Failure(Error::new(
        Code::NoSuchRoute,
        format!("there is nothing at {path:?}"),
        "See /openapi.json for every address of this server.",
    ))
}

/// The answer to a request with a method that its address does not know.
pub(crate) async fn method_not_allowed(method: http::Method, uri: http::Uri) -> impl IntoResponse {
    let path: String = uri.path().chars().take(200).collect();
    Failure(Error::new(
        Code::MethodNotAllowed,
        format!("{path:?} does not know the method {method}"),
        "See the Allow header, and /openapi.json.",
    ))
}
