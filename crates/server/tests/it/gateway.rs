//! The routes of the gateway.

#[path = "../../../gateway/tests/serving/bed.rs"]
#[expect(dead_code, reason = "the tests of the gateway itself use the rest")]
pub mod bed;

use crate::support::{Call, KEY, Setup, Site};
use bed::Bed;
use http::{Method, Request, StatusCode};
use mainstay_gateway::Protocol;
use mainstay_server::{Services, router};
use mainstay_testkit::fixtures::Behaviour;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A server with a gateway that has a pool for each protocol.
async fn site() -> (Site, Bed) {
    let bed = Bed::empty().await;
    for (pool, protocol) in
        [("openai", Protocol::OpenAi), ("anthropic", Protocol::Anthropic), ("gemini", Protocol::Gemini)]
    {
        bed.pool(pool, protocol, &["a", "b"]);
    }
    for plan in bed.desk.plans.lock().unwrap().values_mut() {
        Arc::make_mut(plan).providers.values_mut().for_each(|provider| provider.models = vec!["small".into()]);
    }
    let mut site = Site::on_file(Setup::default()).await;
    let services = Services::new(&site.stores, crate::support::rules(Setup::default()));
    site.services = Arc::new(services.with_gateway(Arc::clone(&bed.gateway)));
    site.router = router(Arc::clone(&site.services), &Setup::default().config, site.shutdown.clone());
    (site, bed)
}

fn hello() -> Value {
    json!({"model": "small", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]})
}

#[tokio::test]
async fn a_pool_is_named_by_path_or_header_and_each_path_speaks_its_protocol() {
    let (site, bed) = site().await;
    let said = site.call(Call::post("/openai/v1/chat/completions", hello())).await.json().await;
    assert_eq!(said["choices"][0]["message"]["content"], "You said: Hello");
    let call = Call::post("/v1/messages", hello()).header("model-provider", "gemini");
    let said = site.call(call).await.json().await;
    assert_eq!(said["content"][0]["text"], "You said: Hello");
    let ask = json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]});
    let said = site.call(Call::post("/anthropic/v1beta/models/small:generateContent", ask)).await.json().await;
    assert_eq!(said["candidates"][0]["content"]["parts"][0]["text"], "You said: Hello");
    let said = site.call(Call::post("/forward/openai/any/path?q=1", json!({"a": 1}))).await.json().await;
    assert_eq!(said["path"], "/any/path?q=1");
    let climbing = site.call(Call::post("/forward/openai/a/%2e%2e/b", json!({}))).await;
    assert_eq!(climbing.status, StatusCode::BAD_REQUEST);
    assert_eq!(bed.provider.heard().len(), 4);
}

#[tokio::test]
async fn who_may_not_ask_is_told_so_in_the_protocol_and_in_the_trail() {
    let (site, bed) = site().await;
    let nobody = site.call(Call::anonymous(Method::POST, "/v1/messages")).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    let said = nobody.json().await;
    assert_eq!((said["type"].as_str(), said["error"]["type"].as_str()), (Some("error"), Some("authentication_error")));
    let key = site.key(&["mail:read"]).await;
    let other = site.call(Call::post("/openai/v1/chat/completions", hello()).with(&key.token)).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    assert_eq!(other.json().await["error"]["type"], "permission_error");
    let key = site.key(&["gateway:use"]).await;
    let let_in = site.call(Call::post("/openai/v1/chat/completions", hello()).with(&key.token)).await;
    assert_eq!(let_in.status, StatusCode::OK);
    *bed.desk.models.lock().unwrap() = Some(vec!["other*".into()]);
    let refused = site.call(Call::post("/openai/v1/chat/completions", hello()).with("mgw_any")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(bed.provider.heard().len(), 1);
    let metrics = site.call(Call::get("/metrics")).await.text().await;
    for line in [
        r#"mainstay_access_refused_total{code="auth.credential_missing"} 1"#,
        r#"mainstay_access_refused_total{code="auth.forbidden"} 2"#,
        r#"mainstay_gateway_in_flight 0"#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_body_beyond_its_bound_is_refused_in_the_protocol() {
    let (site, _bed) = site().await;
    let body = "x".repeat(11 * 1_024 * 1_024);
    let request = Request::post("/v1beta/models/small:generateContent").header("x-goog-api-key", KEY);
    let request = request.extension(mainstay_server::InProcess).body(body.into()).unwrap();
    let refused = site.send(request).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(refused.json().await["error"]["status"], "INVALID_ARGUMENT");
}

#[tokio::test]
async fn the_stock_clients_of_three_protocols_work_with_pools_of_all_three() {
    let (site, bed) = site().await;
    bed.provider.behave("b", Behaviour { piece_bytes: 3, ..Behaviour::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(mainstay_server::serve(listener, site.router.clone(), stop.clone(), 1_000));
    let python = std::env::var_os("MAINSTAY_TEST_PYTHON_GATEWAY").expect("run the tests with `cargo xtask test`");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../mainstay/tests/clients/gateway_sdks.py");
    let mut command = tokio::process::Command::new(python);
    command.args([script, &url, KEY, "openai", "anthropic", "gemini"]);
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("9 pairs"), "{said}");
    stop.cancel();
    serving.await.unwrap().unwrap();
}
