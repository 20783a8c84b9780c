//! What is asked, in the words of the server.

use mainstay_core::providers::credentials::{ClientAuth, RefreshRequest, Style};
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use url::form_urlencoded::{Serializer, byte_serialize};

/// Completes a request with who asks, and for what.
pub(super) fn question(builder: RequestBuilder, request: &RefreshRequest) -> RequestBuilder {
    let client = &request.client;
    let names = &client.request_fields;
    let id = client.client_id.as_deref();
    let secret = client.client_secret.as_ref().map(|secret| secret.expose_secret());
    let in_body = client.auth == ClientAuth::Body;
    let members: Vec<(&str, &str)> = [
        (&names.grant_type, Some(client.grant.as_str())),
        (&names.refresh_token, Some(request.refresh_token.expose_secret())),
        (&names.client_id, id.filter(|_| in_body)),
        (&names.client_secret, secret.filter(|_| in_body)),
        (&names.scope, client.scope.as_deref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.as_str(), value?)).filter(|(name, _)| !name.is_empty()))
    .collect();
    let builder = builder.header(ACCEPT, "application/json");
    let builder = match id {
        // RFC 6749, section 2.3.1: both parts are encoded as in a form before they are joined.
        Some(id) if !in_body => builder.basic_auth(encoded(id), Some(encoded(secret.unwrap_or_default()))),
        _ => builder,
    };
    match client.style {
        Style::Form => {
            let body = Serializer::new(String::new()).extend_pairs(members).finish();
            builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
        }
        Style::Json => {
            let body: Map<String, Value> =
                members.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
            builder.header(CONTENT_TYPE, "application/json").body(Value::from(body).to_string())
        }
    }
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
