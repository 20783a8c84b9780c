//! What is shipped to watch a server looks at metrics that the server has.

use crate::support::{Call, Site};
use std::collections::BTreeSet;
use std::path::Path;

/// The words of a text that look like metrics of ours.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = ["mainstay_", "http_request", "event_", "events_"];
    words.filter(|word| ours.iter().any(|prefix| word.starts_with(prefix))).collect()
}

/// A line of a file of `deploy/`, without what surrounds it.
fn lines(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(file);
    std::fs::read_to_string(path).unwrap().lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_store_of_the_deployment_evicts_nothing_and_settings_need_no_volume() {
    let redis = lines("redis.conf");
    for line in ["appendonly yes", "maxmemory-policy noeviction"] {
        assert!(redis.iter().any(|found| found == line), "defect 14: {line}");
    }
    assert!(!redis.iter().any(|line| line.contains("allkeys") || line.contains("volatile-")), "something is evicted");
    let compose = lines("compose.yaml");
    let volumes: Vec<_> = compose.iter().filter(|line| line.starts_with("- ") && line.contains(":/")).collect();
    let expected =
        ["- mainstay-data:/var/lib/mainstay", "- ./redis.conf:/etc/mainstay/redis.conf:ro", "- redis-data:/data"];
    assert_eq!(volumes, expected, "settings are in the store");
    assert_eq!(compose.iter().filter(|line| *line == "healthcheck:").count(), 1, "Redis is asked how it does");
}

#[tokio::test]
async fn alerts_the_dashboard_and_the_guide_name_no_metric_that_does_not_exist() {
    let site = Site::start().await;
    let message = serde_json::json!({"to": ["frontend"], "subject": "so that every family has a sample"});
    site.call(Call::post("/v1/mail/messages", message).r#as("backend")).await;
    let mut follower = site.call(Call::get("/v1/events/chat/live?room=a")).await.events();
    follower.expect("ready").await;
    let event = serde_json::json!({"type": "chat_message", "room": "a", "payload": {}});
    site.call(Call::post("/v1/events/chat", event)).await.ok().await;
    follower.expect("").await;
    site.call(Call::new(http::Method::PUT, "/v1/events/chat/groups/billing")).await.ok().await;
    mainstay_server::Surveying::default().run_once(&site.services).await;
    let served = site.call(Call::get("/metrics")).await.text().await;
    let mut known = metrics_in(&served);
    // Shown once something was counted, which is seen in `circuits`.
    known.extend(["mainstay_gateway_checks_total", "mainstay_gateway_circuit_transitions_total"]);
    for file in ["deploy/prometheus/alerts.yaml", "deploy/grafana/mainstay.json", "docs/guide/operate.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        let mut named = metrics_in(&text);
        // The name of a module, in an example of a log filter.
        named.remove("mainstay_server");
        assert!(!named.is_empty(), "{file} names none");
        assert_eq!(named.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new(), "{file}");
    }
}
