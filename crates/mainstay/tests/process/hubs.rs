//! SignalR clients that others wrote, against a real server: those of JavaScript over every transport and in both
//! protocols, and the one of Python.

use crate::bed::{Bed, Follower, OWNER_KEY, eventually};
use crate::clients::{client, environment};
use crate::node::Node;
use rustix::process::Signal;
use std::process::Command;

/// A client that prints what worked.
fn javascript(bed: &Bed, node: &Node, what: &str) -> Follower {
    let folder = client("MAINSTAY_TEST_SIGNALR");
    let mut command = environment(bed, "node".into());
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/signalr_client.cjs"));
    command.args([&node.url(), what]).env("MAINSTAY_TEST_SIGNALR", folder);
    start(bed, command)
}

fn start(bed: &Bed, mut command: Command) -> Follower {
    command.env("MAINSTAY_KEY", OWNER_KEY);
    bed.start("client", command)
}

/// What the client printed, after it ended well.
async fn worked(client: Follower) -> Vec<String> {
    let (status, said, errors) = client.finish().await;
    assert_eq!(status, Some(0), "{said}{errors}");
    said.lines().map(str::to_owned).collect()
}

fn over_each(what: &str) -> Vec<String> {
    let ways = [
        "WebSockets json",
        "WebSockets messagepack",
        "ServerSentEvents json",
        "LongPolling json",
        "LongPolling messagepack",
    ];
    ways.iter().map(|way| format!("{what} {way}: ok")).collect()
}

#[tokio::test]
async fn calls_and_results_pass_over_each_transport_in_both_protocols() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    assert_eq!(worked(javascript(&bed, &node, "everything")).await, over_each("everything"));
}

#[tokio::test]
async fn streams_pass_both_ways_over_each_transport_in_both_protocols() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    assert_eq!(worked(javascript(&bed, &node, "streams")).await, over_each("streams"));
}

#[tokio::test]
async fn a_socket_that_is_cut_again_and_again_loses_nothing_and_repeats_nothing() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    let said = worked(javascript(&bed, &node, "stateful")).await;
    assert_eq!(said, ["stateful json: ok", "stateful messagepack: ok"]);
}

#[tokio::test]
async fn a_client_comes_back_by_itself_after_the_server_was_stopped_and_started() {
    let bed = Bed::sqlite();
    let mut node = bed.serve("node").await;
    let client = javascript(&bed, &node, "reconnect");
    eventually("the client to connect", || match client.lines().iter().any(|line| line == "connected") {
        true => Ok(()),
        false => Err(client.errors()),
    })
    .await;
    node.process.running.signal(Signal::TERM);
    let port = node.port;
    let (status, ..) = node.process.finish().await;
    assert_eq!(status, Some(0));
    let _again = Node::start(&bed, "again", port).await;
    let said = worked(client).await;
    let told = "reconnecting: Server returned an error on close: Connection closed because the server is stopping.";
    assert_eq!(said, ["connected", told, "reconnected: ok"]);
}

#[tokio::test]
async fn the_python_client_calls_and_is_called_in_both_protocols() {
    let bed = Bed::sqlite();
    let node = bed.serve("node").await;
    let mut command = environment(&bed, client("MAINSTAY_TEST_PYTHON_SIGNALR"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/signalr_client.py")).arg(node.url());
    let said = worked(start(&bed, command)).await;
    assert_eq!(said, ["json invoke: ok", "json unknown: ok", "messagepack invoke: ok", "messagepack unknown: ok"]);
}
