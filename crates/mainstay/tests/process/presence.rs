//! Agents that run, fall silent, and take a name from each other, as others see them.

use crate::bed::{Bed, Follower, eventually};
use mainstay_api::Timestamp;
use mainstay_core::{Clock, SystemClock};

fn watch(bed: &Bed, name: &str, extra: &[&str]) -> Follower {
    bed.start(name, bed.command(&[&["agent", "watch", "--json"], extra].concat()))
}

/// A program that runs as an agent until the file `stop` is there.
fn agent(bed: &Bed, name: &str, role: &str, beat_ms: &str) -> Follower {
    let stop = bed.sandbox.path().join(format!("stop-{role}"));
    let script = format!("i=0; while [ ! -e {} ] && [ $i -lt 3000 ]; do i=$((i+1)); sleep 0.05; done", stop.display());
    let mut command = bed.command(&["agent", "run", "--as", name, "--role", role, "--", "sh", "-c", &script]);
    command.env("MAINSTAY_BEAT_INTERVAL_MS", beat_ms);
    bed.start(role, command)
}

fn stop(bed: &Bed, role: &str) {
    std::fs::write(bed.sandbox.path().join(format!("stop-{role}")), "").unwrap();
}

/// The changes that a watch has printed about an instance, such as `joined`.
fn changes(watch: &Follower, name: &str) -> Vec<String> {
    let about = |event: &serde_json::Value| {
        let found = event["instance"]["instance"].as_str().or_else(|| event["instance"].as_str());
        found.is_some_and(|found| found == name)
    };
    let kind = |event: &serde_json::Value| event["change"].as_str().unwrap_or_else(|| panic!("{event}")).to_owned();
    watch.documents().iter().filter(|event| about(event)).map(kind).collect()
}

async fn seen(watch: &Follower, name: &str, change: &str) {
    eventually(change, || {
        let changes = changes(watch, name);
        let last = changes.last().is_some_and(|last| last == change);
        if last { Ok(()) } else { Err(format!("{changes:?} {}", watch.errors())) }
    })
    .await;
}

fn instances(bed: &Bed) -> Vec<serde_json::Value> {
    bed.json(&["agent", "list"])["instances"].as_array().unwrap().clone()
}

async fn two_runs_under_one_name(bed: Bed) {
    let node = bed.serve("node").await;
    let url = node.url();
    let direct = watch(&bed, "direct", &[]);
    let live = watch(&bed, "live", &["--url", &url]);
    let first = agent(&bed, "backend", "one", "200");
    for watch in [&direct, &live] {
        eventually("the first run to be seen", || match changes(watch, "backend").first() {
            Some(first) if first == "joined" => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    let second = agent(&bed, "backend", "two", "200");
    eventually("the second run to take over", || match instances(&bed).as_slice() {
        [only] if only["role"] == "two" => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    eventually("the first run to say so", || match first.errors() {
        said if said.contains("another run has taken the name backend over") => Ok(()),
        said => Err(said),
    })
    .await;

    // The end of the first run must not take the second one from the list.
    stop(&bed, "one");
    assert_eq!(first.finish().await.0, Some(0));
    assert_eq!(instances(&bed)[0]["role"], "two");
    stop(&bed, "two");
    assert_eq!(second.finish().await.0, Some(0));
    assert_eq!(instances(&bed).len(), 0);
    for watch in [&direct, &live] {
        seen(watch, "backend", "left").await;
        let changes = changes(watch, "backend");
        assert_eq!(changes.iter().filter(|change| *change == "left").count(), 1, "{changes:?}");
    }
}

#[tokio::test]
async fn the_later_of_two_runs_holds_the_name_on_a_file() {
    two_runs_under_one_name(Bed::sqlite()).await;
}

#[tokio::test]
async fn the_later_of_two_runs_holds_the_name_on_redis() {
    two_runs_under_one_name(Bed::redis().await).await;
}

/// Lets an instance have been silent for as long as given: the time-outs are minutes and hours.
async fn silent_for(bed: &Bed, name: &str, minutes: i64) {
    let then = Timestamp::from_millis(SystemClock.now().as_millis() - minutes * 60_000);
    let score = then.as_millis().to_string();
    bed.server().cli(&["ZADD", "mainstay:{presence.default}:beat", "XX", &score, name]).await.unwrap();
    // Whoever watches has planned to look when the next time-out is due, which has just become earlier.
    bed.server().cli(&["PUBLISH", "mainstay:wake", "p default"]).await.unwrap();
}

#[tokio::test]
async fn an_instance_that_falls_silent_is_inactive_and_then_gone_and_a_beat_brings_it_back() {
    let bed = Bed::redis().await;
    let node = bed.serve("node").await;
    let live = watch(&bed, "live", &["--url", &node.url()]);
    bed.json(&["agent", "register", "--as", "backend", "--role", "api"]);
    seen(&live, "backend", "joined").await;

    silent_for(&bed, "backend", 6).await;
    seen(&live, "backend", "inactive").await;
    assert_eq!(instances(&bed)[0]["state"], "inactive");
    assert_eq!(bed.json(&["agent", "list", "--active"])["instances"].as_array().unwrap().len(), 0);

    bed.json(&["agent", "beat", "--as", "backend"]);
    seen(&live, "backend", "joined").await;
    assert_eq!((&instances(&bed)[0]["state"], &instances(&bed)[0]["role"]), (&"active".into(), &"api".into()));

    silent_for(&bed, "backend", 25 * 60).await;
    seen(&live, "backend", "left").await;
    assert_eq!(instances(&bed).len(), 0);
    let changes = changes(&live, "backend");
    assert_eq!(changes, ["joined", "inactive", "joined", "left"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_outlives_a_store_that_goes_away_and_is_seen_again() {
    let bed = Bed::redis().await;
    let agent = agent(&bed, "backend", "one", "200");
    eventually("the agent to be seen", || match instances(&bed).len() {
        1 => Ok(()),
        others => Err(format!("{others}")),
    })
    .await;
    bed.server().kill();
    eventually("a beat to fail", || match agent.errors() {
        said if said.contains("a beat failed") => Ok(()),
        said => Err(said),
    })
    .await;
    bed.server().restart().await.unwrap();
    bed.server().flush_all().await.unwrap();
    // Even from a store that has forgotten it.
    eventually("the agent to be seen again", || match bed.run(&["agent", "list", "--json"]).stdout {
        said if String::from_utf8_lossy(&said).contains("backend") => Ok(()),
        said => Err(String::from_utf8_lossy(&said).into_owned()),
    })
    .await;
    stop(&bed, "one");
    assert_eq!(agent.finish().await.0, Some(0));
    assert_eq!(instances(&bed).len(), 0);
}
