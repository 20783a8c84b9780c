//! A real browser: two tabs with the page of the guide, and an `EventSource` that outlives its server.

use crate::bed::{Bed, Follower};
use crate::clients::{client, environment};
use crate::node::Node;
use std::net::{Ipv4Addr, TcpListener};

/// The page of the guide.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/two-tabs/index.html");

/// A server that takes calls of pages of an origin, with that origin's port and two keys for such pages.
struct Stage {
    bed: Bed,
    node: Node,
    port: String,
    keys: [String; 2],
}

impl Stage {
    async fn new() -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port().to_string();
        let origin = format!("http://127.0.0.1:{port}");
        let bed = Bed::sqlite().with("MAINSTAY_ALLOWED_ORIGINS", origin.leak());
        let node = bed.serve("node").await;
        let keys = bed.page_keys();
        Self { bed, node, port, keys }
    }

    /// A browser in which something is tried.
    fn browser(&self, what: &str) -> Follower {
        let mut command = environment(&self.bed, "node".into());
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/browser.cjs"));
        command.args([&self.node.url(), what, &self.port, PAGE]).args(&self.keys);
        command.env("MAINSTAY_TEST_SIGNALR", client("MAINSTAY_TEST_SIGNALR"));
        command.env("MAINSTAY_TEST_BROWSER", client("MAINSTAY_TEST_BROWSER"));
        self.bed.start("browser", command)
    }
}

/// Publishes to the room that is followed, whether the server runs or not.
fn publish(bed: &Bed, numbers: [u64; 3]) {
    for n in numbers {
        let payload = format!(r#"{{"n":{n}}}"#);
        bed.json(&["events", "publish", "chat", "--room", "request:42", "--type", "said", &payload]);
    }
}

#[tokio::test]
async fn two_tabs_of_a_browser_see_each_other_type() {
    let stage = Stage::new().await;
    let (status, said, errors) = stage.browser("tabs").finish().await;
    assert_eq!((status, said.as_str()), (Some(0), "connected: ok\ntyping: ok\nsaid: ok\n"), "{errors}");
}

#[tokio::test]
async fn an_event_source_comes_back_to_a_server_that_was_killed_and_has_every_event_once() {
    let stage = Stage::new().await;
    let browser = stage.browser("source");
    browser.said("begun: ok").await;
    publish(&stage.bed, [1, 2, 3]);
    browser.said("heard: ok").await;
    let Stage { bed, node, .. } = stage;
    let port = node.kill();
    publish(&bed, [4, 5, 6]);
    let _again = Node::start(&bed, "again", port).await;
    let (status, said, errors) = browser.finish().await;
    let all = "begun: ok\nheard: ok\nin all: 1,2,3,4,5,6, begun 2 times, 0 gaps\n";
    assert_eq!((status, said.as_str()), (Some(0), all), "{errors}");
}
