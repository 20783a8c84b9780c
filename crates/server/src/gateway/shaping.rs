//! Errors of the layers around the gateway, in the shape of the protocol that was called.

use super::answering::respond;
use crate::problem::{self, error_of};
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::header::WWW_AUTHENTICATE;
use mainstay_gateway::Protocol;
use mainstay_gateway::serving::Refusal;

/// Writes what would be a problem document as clients of the protocol expect it. The log has been told before.
pub(crate) async fn shaped(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let anthropic = request.headers().contains_key("anthropic-version");
    let response = next.run(request).await;
    let Some(error) = error_of(&response) else { return response };
    problem::log(&error);
    let refusal = Refusal::of(&error);
    let mut shaped = respond(refusal.answer(protocol(&route, anthropic)), None);
    *shaped.status_mut() = response.status();
    if let Some(challenge) = response.headers().get(WWW_AUTHENTICATE) {
        shaped.headers_mut().insert(WWW_AUTHENTICATE, challenge.clone());
    }
    shaped
}

fn protocol(route: &str, anthropic: bool) -> Protocol {
    match route {
        _ if route.contains("/v1beta/") => Protocol::Gemini,
        _ if route.contains("/v1/messages") || anthropic => Protocol::Anthropic,
        _ if route.ends_with("/v1/responses") => Protocol::Responses,
        _ => Protocol::OpenAi,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_the_shape_of_its_protocol() {
        for (route, expected) in [
            ("/v1beta/models/{*model}", Protocol::Gemini),
            ("/{pool}/v1/messages/count_tokens", Protocol::Anthropic),
            ("/{pool}/v1/responses", Protocol::Responses),
            ("/v1/chat/completions", Protocol::OpenAi),
            ("/forward/{pool}/{*path}", Protocol::OpenAi),
        ] {
            assert_eq!(protocol(route, false), expected, "{route}");
        }
    }
}
