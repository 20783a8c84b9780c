//! `mainstay bench events`: what it counts is what there was.

use crate::bed::{Bed, OWNER_KEY, eventually};
use crate::node::Node;
use serde_json::{Value, json};
use std::process::Output;

fn report(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|broken| panic!("{broken}: {said}"))
}

fn count(report: &Value, pointer: &str) -> u64 {
    report.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer}: {report}"))
}

#[tokio::test]
async fn every_delivery_of_a_server_is_counted_and_a_plot_is_drawn() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    let arguments = ["bench", "events", "--users", "12", "--rooms", "4", "--rate", "50", "--duration", "2", "--typing"];
    let files = ["--svg", "times.svg", "--report", "report.json", "--json"];
    let output = bed.run(&[&arguments[..], &files, &["--url", &node.url()]].concat());
    let report = report(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    // Three seconds with the one of warming up, and three users in each room.
    assert_eq!((count(&report, "/events/published"), count(&report, "/events/expected")), (150, 450));
    assert_eq!((count(&report, "/events/delivered"), count(&report, "/events/lost")), (450, 0));
    assert_eq!((count(&report, "/delivery_ms/count"), &report["sound"]), (300, &json!(true)), "{report}");
    assert!(
        count(&report, "/typing/told") > 0 && count(&report, "/typing/said") > count(&report, "/typing/told"),
        "{report}"
    );
    let written: Value =
        serde_json::from_slice(&std::fs::read(bed.sandbox.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(written["events"], report["events"]);
    let svg = std::fs::read_to_string(bed.sandbox.path().join("times.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && svg.matches("<polyline").count() == 4, "{svg}");
}

#[tokio::test]
async fn without_a_server_one_is_started_for_the_time_and_nothing_of_it_stays() {
    let bed = Bed::elsewhere("");
    let mut command = bed.sandbox.command("bench events --users 6 --rooms 2 --rate 20 --duration 1");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("lost        0") && said.contains("delivered   120"), "{said}");
    let data = bed.sandbox.path().join("data");
    let left: Vec<_> = std::fs::read_dir(&data)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_node_that_is_killed_costs_reconnects_and_no_event() {
    let bed = Bed::redis().await;
    let (first, second) = (bed.serve("first").await, bed.serve("second").await);
    let urls = [first.url(), second.url()];
    let mut command = bed.command(&["bench", "events", "--users", "20", "--rate", "100", "--duration", "6", "--json"]);
    command.args(urls.iter().flat_map(|url| ["--url", url]));
    let bench = bed.start("bench", command);
    eventually("the run to begin", || match deliveries_begun(&bed) {
        true => Ok(()),
        false => Err("nothing is published yet".into()),
    })
    .await;
    first.kill();
    let (status, said, errors) = bench.finish().await;
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|broken| panic!("{broken}: {errors}"));
    assert_eq!(status, Some(0), "{report} {errors}");
    assert!(count(&report, "/users/reconnects") > 0, "{report}");
    assert_eq!((count(&report, "/events/lost"), count(&report, "/events/doubled")), (0, 0), "{report}");
    assert_eq!(count(&report, "/events/expected"), count(&report, "/events/delivered"));
}

/// Whether the stream of the measurement has events.
fn deliveries_begun(bed: &Bed) -> bool {
    let read = bed.run(&["events", "read", "chat", "--namespace", "bench", "--json"]);
    serde_json::from_slice::<Value>(&read.stdout)
        .is_ok_and(|page| page["events"].as_array().is_some_and(|events| events.len() > 50))
}

#[tokio::test]
async fn a_stream_that_is_lost_under_it_is_not_called_sound() {
    let bed = Bed::redis().await;
    let node = bed.serve("node").await;
    let mut command = bed.command(&["bench", "events", "--users", "4", "--rate", "50", "--duration", "4", "--json"]);
    command.args(["--url", &node.url()]);
    let bench = bed.start("bench", command);
    eventually("the run to begin", || match deliveries_begun(&bed) {
        true => Ok(()),
        false => Err("nothing is published yet".into()),
    })
    .await;
    bed.server().cli(&["DEL", "events:chat@bench"]).await.unwrap();
    let (status, said, errors) = bench.finish().await;
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|broken| panic!("{broken}: {errors}"));
    assert_eq!((status, &report["sound"]), (Some(1), &json!(false)), "{report}");
    assert!(count(&report, "/users/gaps") > 0 && errors.contains("gaps were told of"), "{report} {errors}");
}

#[tokio::test]
async fn a_server_that_is_not_there_or_lets_nobody_in_is_a_failure_and_no_figure() {
    let bed = Bed::sqlite();
    let node = Node::start(&bed, "node", 0).await;
    let url = node.url();
    let mut command = bed.command(&["bench", "events", "--users", "2", "--url", &url]);
    let refused = command.env("MAINSTAY_OWNER_KEY", format!("{OWNER_KEY}-of-another")).output().unwrap();
    assert!(!refused.status.success() && refused.stdout.is_empty());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("auth."), "{refused:?}");
    node.kill();
    let away = bed.run(&["bench", "events", "--users", "2", "--url", &url]);
    assert_eq!(away.status.code(), Some(3), "{away:?}");
    let few = bed.run(&["bench", "events", "--users", "3", "--rooms", "2", "--typing"]);
    assert!(!few.status.success() && String::from_utf8_lossy(&few.stderr).contains("too few"), "{few:?}");
}
