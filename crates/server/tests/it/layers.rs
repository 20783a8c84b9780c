//! What every request meets before a handler does.

use crate::support::{Call, KEY, Setup, Site, message};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures::StreamExt;
use http::{Method, Request, StatusCode};
use serde_json::json;
use tower::ServiceExt;

fn over_network(host: Option<&str>) -> http::request::Builder {
    let request = Request::builder().uri("/v1/whoami").header("authorization", format!("Bearer {KEY}"));
    match host {
        Some(host) => request.header("host", host),
        None => request,
    }
}

#[tokio::test]
async fn a_wrong_credential_and_a_missing_one_are_told_apart() {
    let site = Site::start().await;
    let bare = || Request::builder().uri("/v1/whoami").header("host", "localhost");
    let reply = site.send(bare().body(Body::empty()).unwrap()).await;
    assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"mainstay\"");
    reply.problem("auth.credential_missing").await;
    let reply = site.send(bare().header("authorization", "Bearer guess").body(Body::empty()).unwrap()).await;
    let challenge = "Bearer realm=\"mainstay\", error=\"invalid_token\", error_description=\"token_invalid\"";
    assert_eq!(reply.headers["www-authenticate"], challenge);
    let problem = reply.problem("auth.credential_invalid").await;
    assert!(!problem.to_string().contains("guess"));
}

#[tokio::test]
async fn the_caller_is_who_the_headers_say() {
    let site = Site::start().await;
    let call = Call::get("/v1/whoami").r#as("%E6%97%A5%2Fa").header("mainstay-namespace", "team%201");
    let who = site.call(call).await.ok().await;
    assert_eq!(who["principal"], "owner");
    assert_eq!(who["instance"], "日/a");
    assert_eq!(who["namespace"], "team 1");
    assert!(who["scopes"].as_array().unwrap().contains(&json!("mail:write")));
    let problem = site.call(Call::get("/v1/whoami").r#as("")).await.problem("request.invalid").await;
    assert!(problem["detail"].as_str().unwrap().contains("instance name: it is empty"), "{problem}");
}

#[tokio::test]
async fn only_known_hosts_are_answered() {
    let mut setup = Setup::default();
    setup.config.allowed_hosts = vec!["team.example".into(), "only.example:7717".into()];
    let site = Site::start_with(setup).await;
    for host in ["localhost", "127.0.0.1:7717", "[::1]:80", "Team.Example:443", "only.example:7717"] {
        let reply = site.send(over_network(Some(host)).body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::OK, "{host}");
    }
    for host in [Some("evil.example"), Some("team.example.evil.example"), Some("only.example"), Some("a b"), None] {
        let reply = site.send(over_network(host).body(Body::empty()).unwrap()).await;
        reply.problem("auth.host_not_allowed").await;
    }
    let twice = over_network(Some("localhost")).header("host", "localhost").body(Body::empty()).unwrap();
    site.send(twice).await.problem("auth.host_not_allowed").await;
    let differing = over_network(Some("localhost")).uri("http://evil.example/v1/whoami").body(Body::empty()).unwrap();
    site.send(differing).await.problem("auth.host_not_allowed").await;
}

#[tokio::test]
async fn an_unknown_host_is_refused_before_the_credential_is_looked_at() {
    let site = Site::start().await;
    let request = Request::builder().uri("/v1/whoami").header("host", "evil.example").body(Body::empty()).unwrap();
    site.send(request).await.problem("auth.host_not_allowed").await;
}

#[tokio::test]
async fn a_browser_is_told_that_pages_of_configured_origins_may_call_and_others_may_not() {
    let mut setup = Setup::default();
    setup.config.allowed_origins = vec!["https://team.example".into()];
    let site = Site::start_with(setup).await;
    let question = |origin: &str| {
        Request::builder()
            .method("OPTIONS")
            .uri("/v1/mail/messages")
            .header("host", "localhost:7717")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,idempotency-key")
            .body(Body::empty())
            .unwrap()
    };
    let told = site.send(question("https://team.example")).await;
    assert_eq!(told.headers["access-control-allow-origin"], "https://team.example");
    let headers = told.headers["access-control-allow-headers"].to_str().unwrap();
    assert!(headers.contains("authorization") && headers.contains("idempotency-key"), "{headers}");
    let other = site.send(question("https://evil.example")).await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn only_pages_of_known_origins_may_call() {
    let mut setup = Setup::default();
    setup.config.allowed_origins = vec!["https://team.example".into()];
    let site = Site::start_with(setup).await;
    let call =
        |origin: &str| over_network(Some("localhost:7717")).header("origin", origin).body(Body::empty()).unwrap();
    for origin in ["http://localhost:7717", "https://team.example"] {
        assert_eq!(site.send(call(origin)).await.status, StatusCode::OK, "{origin}");
    }
    for origin in ["http://localhost:5173", "http://team.example", "https://evil.example", "null", ""] {
        site.send(call(origin)).await.problem("auth.host_not_allowed").await;
    }
}

#[tokio::test]
async fn a_request_id_is_kept_where_it_is_sane_and_made_where_it_is_not() {
    let site = Site::start().await;
    let reply = site.call(Call::get("/v1/whoami").header("x-request-id", "trace-1")).await;
    assert_eq!(reply.headers["x-request-id"], "trace-1");
    let reply = site.call(Call::get("/v1/whoami").header("x-request-id", "two words")).await;
    assert_eq!(reply.headers["x-request-id"].len(), 36);
}

#[tokio::test]
async fn a_wrong_address_and_a_wrong_method_are_problems_too() {
    let site = Site::start().await;
    site.call(Call::get("/v2/mail")).await.problem("request.no_such_route").await;
    let reply = site.call(Call::new(Method::DELETE, "/v1/mail/messages")).await;
    let allow = reply.headers["allow"].to_str().unwrap().to_owned();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    reply.problem("request.method_not_allowed").await;
}

#[tokio::test]
async fn a_refusal_names_the_field_and_the_rule() {
    let site = Site::start().await;
    let refused = async |call: Call| {
        let problem = site.call(call.r#as("a")).await.problem("request.invalid").await;
        problem["detail"].as_str().unwrap().to_owned()
    };
    let says = async |call: Call, expected: &str| {
        let detail = refused(call).await;
        assert!(detail.contains(expected), "{detail:?} does not say {expected:?}");
    };
    let post = |body: &'static str| Call::new(Method::POST, "/v1/mail/messages").body(body);
    says(post("{"), "body: it is not JSON").await;
    says(post(""), "body: it is not JSON").await;
    says(post("[]"), "body: ").await;
    says(post(r#"{"to":["b"]}"#), "missing field `subject`").await;
    says(post(r#"{"to":["b",""],"subject":"s"}"#), "to[1]: invalid instance name: it is empty").await;
    says(post(r#"{"to":["b"],"subject":"s","colour":1}"#), "unknown field `colour`").await;
    says(post(r#"{"to":["b"],"subject":"s"} x"#), "body: it is not JSON").await;
    says(Call::get("/v1/mail/messages?limit=many"), "query: limit: ").await;
    says(Call::get("/v1/mail/messages?colour=red"), "unknown field `colour`").await;
    says(Call::get("/v1/mail/messages?limit=0"), "limit: 0").await;
    says(Call::get("/v1/mail/messages?since=yesterday"), "since: invalid time").await;
    says(Call::get("/v1/mail/inbox?after=later"), "after: invalid start").await;
    says(Call::get("/v1/mail/inbox?wait_ms=60001"), "wait_ms: 60001").await;
    says(Call::get("/v1/mail/inbox/events?wait_ms=1"), "wait_ms").await;
    says(Call::get("/v1/mail/inbox/events").header("last-event-id", "x"), "header last-event-id").await;
    says(Call::get("/v1/mail/messages/%FF"), "path: ").await;
    says(Call::get("/v1/mail/messages/%00"), "NUL").await;
    says(post("{}").header("idempotency-key", ""), "header idempotency-key").await;
}

#[tokio::test]
async fn a_body_above_the_bound_is_refused_with_and_without_its_length() {
    let mut setup = Setup::default();
    setup.config.max_body_bytes = 200;
    let site = Site::start_with(setup).await;
    let long = message(&["b"], &"x".repeat(300)).to_string();
    let said = Call::new(Method::POST, "/v1/mail/messages").r#as("a").body(long.clone());
    site.call(said).await.problem("request.too_large").await;
    let parts: Vec<_> = long.as_bytes().chunks(50).map(|part| Ok::<_, std::io::Error>(part.to_vec())).collect();
    let unsaid = Body::from_stream(futures::stream::iter(parts).boxed());
    let call = Call::new(Method::POST, "/v1/mail/messages").r#as("a").body(unsaid);
    site.call(call).await.problem("request.too_large").await;
}

#[tokio::test]
async fn a_body_of_several_megabytes_is_taken_where_the_bound_allows() {
    let site = Site::start().await;
    let padded = format!("{{\"messages\":[]{}}}", " ".repeat(5 * 1_024 * 1_024));
    let import = Call::new(Method::POST, "/v1/mail/import").body(padded);
    assert_eq!(site.call(import).await.ok().await, json!({ "outcomes": [] }));
}

#[tokio::test]
async fn a_call_within_the_process_may_name_any_host_or_none() {
    let site = Site::start().await;
    let router = mainstay_server::in_process(site.router.clone());
    for uri in ["/v1/whoami", "http://mainstay.internal/v1/whoami"] {
        let request = over_network(None).uri(uri).body(Body::empty()).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), StatusCode::OK, "{uri}");
    }
}

#[tokio::test]
async fn what_is_above_the_bound_in_number_is_refused_at_once() {
    let mut setup = Setup::default();
    setup.config.max_in_flight = 0;
    setup.config.max_live = 0;
    let site = Site::start_with(setup).await;
    let paths = ["/v1/whoami", "/v1/mail/inbox", "/v1/mail/inbox?wait_ms=10", "/v1/mail/inbox/events"];
    for path in paths.into_iter().chain(["/v1/presence/events", "/openapi.json"]) {
        let reply = site.call(Call::get(path).r#as("a")).await;
        assert_eq!(reply.headers["retry-after"], "1", "{path}");
        let problem = reply.problem("server.overloaded").await;
        assert_eq!(problem["applied"], "no");
    }
    assert_eq!(site.call(Call::get("/health/live")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_live_stream_counts_until_it_is_dropped() {
    let mut setup = Setup::default();
    setup.config.max_live = 1;
    let site = Site::start_with(setup).await;
    let open = site.call(Call::get("/v1/mail/inbox/events").r#as("a")).await;
    assert_eq!(open.status, StatusCode::OK);
    site.call(Call::get("/v1/presence/events")).await.problem("server.overloaded").await;
    let metrics = site.call(Call::get("/metrics")).await.text().await;
    assert!(metrics.contains("mainstay_live_subscriptions 1\n"), "{metrics}");
    drop(open);
    assert_eq!(site.call(Call::get("/v1/presence/events")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_write_that_took_too_long_may_have_been_applied_and_a_read_was_not() {
    let mut setup = Setup::default();
    setup.config.request_timeout_ms = 50;
    let site = Site::start_with(setup).await;
    site.store.pause().unwrap();
    let problem = site.call(Call::get("/v1/mail/stats")).await.problem("request.timed_out").await;
    assert_eq!((&problem["applied"], &problem["retryable"]), (&json!("no"), &json!(true)));
    let send = Call::post("/v1/mail/messages", message(&["b"], "s")).r#as("a");
    let problem = site.call(send).await.problem("request.timed_out").await;
    assert_eq!(problem["applied"], "unknown");
    site.store.resume().unwrap();
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing_of_it() {
    let panics = Router::new().route("/", get(async || -> &'static str { panic!("the secret of the house") }));
    let site = Site::start_with(Setup { mcp: Some(panics), ..Setup::default() }).await;
    let problem = site.call(Call::get("/mcp")).await.problem("server.internal").await;
    assert!(!problem.to_string().contains("secret of the house"), "{problem}");
}

#[tokio::test]
async fn what_is_mounted_for_mcp_gets_the_caller_and_nobody_else() {
    let mounted = Router::new().route(
        "/",
        get(async |mainstay_server::Authenticated(caller): mainstay_server::Authenticated| {
            caller.instance.map(|instance| instance.as_str().to_owned()).unwrap_or_default()
        }),
    );
    let site = Site::start_with(Setup { mcp: Some(mounted), ..Setup::default() }).await;
    assert_eq!(site.call(Call::get("/mcp").r#as("planner")).await.text().await, "planner");
    let request = Request::builder().uri("/mcp").header("host", "localhost").body(Body::empty()).unwrap();
    site.send(request).await.problem("auth.credential_missing").await;
}
