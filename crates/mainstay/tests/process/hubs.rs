//! SignalR clients that others wrote, against a real server: those of JavaScript over every transport and in both
//! protocols, and the one of Python.

use crate::bed::{Bed, Follower, OWNER_KEY};
use crate::clients::{client, environment};
use crate::node::Node;
use rustix::process::Signal;
use std::process::Command;

const BRIDGE_KEY: &str = "the-key-of-the-bridge-in-tests";

/// A client that prints what worked.
fn javascript(bed: &Bed, node: &Node, what: &str) -> Follower {
    program(bed, "signalr_client.cjs", &[&node.url(), what])
}

/// Clients of the four hubs at a node, of what is published at another one.
fn listeners(bed: &Bed, (node, publisher): (&Node, &Node), what: &str) -> Follower {
    program(bed, "signalr_hubs.cjs", &[&node.url(), what, &publisher.url()])
}

fn program(bed: &Bed, name: &str, arguments: &[&str]) -> Follower {
    let mut command = environment(bed, "node".into());
    command.arg(format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR"))).args(arguments);
    command.env("MAINSTAY_TEST_SIGNALR", client("MAINSTAY_TEST_SIGNALR")).env("MAINSTAY_BRIDGE_KEY", BRIDGE_KEY);
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
    client.said("connected").await;
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
async fn each_hub_tells_what_is_published_over_each_transport_in_both_protocols() {
    let bed = Bed::sqlite().with("MAINSTAY_BRIDGE_KEY", BRIDGE_KEY);
    let node = bed.serve("node").await;
    assert_eq!(worked(listeners(&bed, (&node, &node), "hubs")).await, over_each("hubs"));
}

#[tokio::test]
async fn each_hub_tells_what_is_published_at_another_node() {
    let bed = Bed::redis().await.with("MAINSTAY_BRIDGE_KEY", BRIDGE_KEY);
    let (here, there) = (bed.serve("here").await, bed.serve("there").await);
    assert_eq!(worked(listeners(&bed, (&here, &there), "hubs")).await, over_each("hubs"));
}

#[tokio::test]
async fn what_is_published_while_a_socket_is_cut_is_told_once_and_in_order() {
    for bed in [Bed::sqlite(), Bed::redis().await] {
        let bed = bed.with("MAINSTAY_BRIDGE_KEY", BRIDGE_KEY);
        let node = bed.serve("node").await;
        let said = worked(listeners(&bed, (&node, &node), "stateful")).await;
        assert_eq!(said, ["stateful json: ok", "stateful messagepack: ok"]);
    }
}

#[tokio::test]
async fn two_tabs_with_the_page_of_the_guide_see_each_other_type() {
    let bed = Bed::sqlite().with("MAINSTAY_ALLOWED_ORIGINS", "http://127.0.0.1:8000");
    let node = bed.serve("node").await;
    let keys = bed.page_keys();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/two-tabs/index.html");
    let socket = format!("ws://127.0.0.1:{}", node.port);
    let said = worked(program(&bed, "two_tabs.cjs", &[&node.url(), page, &socket, &keys[0], &keys[1]])).await;
    assert_eq!(said, ["connected: ok", "typing: ok", "said: ok", "resumed: ok", "foreign origin: ok"]);
}

#[tokio::test]
async fn the_python_client_calls_and_is_called_in_both_protocols() {
    let bed = Bed::redis().await;
    let node = bed.serve("node").await;
    let mut command = environment(&bed, client("MAINSTAY_TEST_PYTHON_SIGNALR"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/signalr_client.py")).arg(node.url());
    let said = worked(start(&bed, command)).await;
    let calls = ["json invoke: ok", "json unknown: ok", "messagepack invoke: ok", "messagepack unknown: ok"];
    assert_eq!(said, [&calls[..], &["json chat: ok", "messagepack chat: ok"]].concat());
}
