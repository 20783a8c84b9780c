//! Sites that seal secrets, and texts that are kept byte for byte.

use super::{Call, Reply, Setup, Site};
use http::Method;
use mainstay_core::identity::IdentityRules;
use mainstay_core::secrets::KeyRing;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What no reader of JSON that thinks it over gives back as it was.
pub const TEXT: &str = "{\"notSupportedModels\": [ ],\n \"at\":1769176045109123,\"big\":12345678901234567890123,\"f\":1.50,\
                        \"strange key\":{\"\\u0041\":\"\\/\"},\"OPENAI_API_KEY\":\"sk-secret\\u0021\"}";

/// A site with a ring.
pub fn setup(ring: &KeyRing) -> Setup {
    Setup { identity: IdentityRules { ring: Some(ring.clone()), ..IdentityRules::default() }, ..Setup::default() }
}

/// A site on each kind of store, with a ring.
pub async fn sites() -> Vec<Site> {
    let ring = KeyRing::generate().unwrap();
    let on_file = Site::on_file(setup(&ring)).await;
    vec![Site::start_with(setup(&ring)).await, on_file]
}

pub async fn send(site: &Site, method: Method, path: &str, text: &str) -> Reply {
    site.call(Call::new(method, path).body(text.to_owned())).await
}

pub async fn put(site: &Site, path: &str, text: &str) -> Reply {
    send(site, Method::PUT, path, text).await
}

pub async fn patch(site: &Site, path: &str, text: &str) -> Reply {
    send(site, Method::PATCH, path, text).await
}

/// The text of a member of an answer, byte for byte.
pub async fn member(reply: Reply, name: &str) -> String {
    let text = reply.text().await;
    let answer: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    answer[name].get().to_owned()
}
