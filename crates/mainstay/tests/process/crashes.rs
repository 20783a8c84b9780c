//! Senders and servers that end with SIGKILL: what was acknowledged is there, once.

use crate::bed::{Bed, Follower, eventually};
use crate::common::Running;
use crate::load::{Load, assert_in_order, assert_none_doubled, stored};
use crate::node::Node;
use futures::StreamExt;
use mainstay_api::mail::{ReadInbox, Start};
use mainstay_client::{Client, InboxEvent};
use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Sends that are killed somewhere between their start and a while after their end.
const KILLS: u32 = 60;
const SENDERS: usize = 6;

fn send(bed: &Bed, number: u32) -> Child {
    let (subject, request) = (format!("m-{number}"), format!("r-{number}"));
    let arguments = ["mail", "send", "inbox", &subject, "--as", "me", "--json", "--request-id", &request];
    bed.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

fn sent(output: &[u8]) -> Option<(String, bool)> {
    let sent: serde_json::Value = serde_json::from_slice(output).ok()?;
    Some((sent["message"]["id"].as_str()?.to_owned(), sent["replayed"].as_bool()?))
}

/// The longest of some sends, so that kills fall everywhere within one.
fn longest_send(bed: &Bed) -> Duration {
    let once = |number| {
        let started = Instant::now();
        assert!(send(bed, number).wait_with_output().unwrap().status.success());
        started.elapsed()
    };
    (0..3).map(|number| once(KILLS + number)).max().unwrap_or_default()
}

fn killed_senders(bed: &Bed) {
    let longest = longest_send(bed);
    let mut told = Vec::new();
    for number in 0..KILLS {
        let child = send(bed, number);
        std::thread::sleep(longest * number * 3 / (KILLS * 2));
        let mut running = Running::from(child);
        running.signal(rustix::process::Signal::KILL);
        told.push(sent(&running.finish().stdout));
    }
    let known = told.iter().flatten().count();
    assert!(known > 0 && known < told.len(), "the kills fell all on one side: {known} of {}", told.len());

    let mut made_it = 0;
    for (number, told) in (0..KILLS).zip(&told) {
        let (id, replayed) = sent(&send(bed, number).wait_with_output().unwrap().stdout).unwrap();
        if let Some((printed, _)) = told {
            assert_eq!((printed, replayed), (&id, true), "message {number} was acknowledged and then sent again");
        }
        made_it += usize::from(replayed);
    }

    assert!(made_it >= known, "{made_it} were stored before the repetition, {known} were acknowledged");
    let listed = bed.json(&["mail", "list", "--to", "inbox", "--limit", "1000"]);
    let subjects: Vec<String> =
        listed["items"].as_array().unwrap().iter().map(|m| m["subject"].as_str().unwrap().to_owned()).collect();
    assert_none_doubled(&subjects);
    assert_eq!(subjects.len(), KILLS as usize + 3);
}

#[tokio::test]
async fn a_killed_sender_leaves_each_message_once_or_not_at_all_in_a_file() {
    killed_senders(&Bed::sqlite());
}

#[tokio::test]
async fn a_killed_sender_leaves_each_message_once_or_not_at_all_in_redis() {
    killed_senders(&Bed::redis().await);
}

/// Follows an inbox in this process until so many messages came; their subjects.
async fn follow(client: Client, until: tokio::sync::watch::Receiver<Option<usize>>) -> Vec<String> {
    let mut events = client.mail().inbox_events(ReadInbox { after: Start::Oldest, ..ReadInbox::default() });
    let mut seen = Vec::new();
    let enough = |seen: &Vec<String>| until.borrow().is_some_and(|enough| seen.len() >= enough);
    let started = Instant::now();
    while !enough(&seen) && started.elapsed() < crate::bed::SOON {
        match tokio::time::timeout(Duration::from_millis(100), events.next()).await {
            Ok(Some(Ok(InboxEvent::Message(message)))) => seen.push(message.content.subject),
            Ok(Some(Ok(InboxEvent::Gap(gap)))) => panic!("a gap: {gap:?}"),
            Ok(Some(Ok(_))) | Err(_) => {}
            Ok(Some(Err(error))) => panic!("the stream ended: {error}"),
            Ok(None) => panic!("the stream ended"),
        }
    }
    seen
}

fn watch(bed: &Bed, node: &Node) -> Follower {
    let url = node.url();
    let arguments = ["mail", "watch", "--as", "inbox", "--after", "oldest", "--json", "--peek", "--url", &url];
    bed.start("watch", bed.command(&arguments))
}

async fn killed_server(bed: Bed) {
    let node = bed.serve("first").await;
    let watch = watch(&bed, &node);
    let (enough, until) = tokio::sync::watch::channel(None);
    let following = tokio::spawn(follow(node.client("inbox", 30_000), until));
    let load = Load::start("inbox", (0..SENDERS).map(|n| node.client(&format!("s{n}"), 30_000)).collect());

    load.sent(100).await;
    let port = node.kill();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let node = Node::start(&bed, "second", port).await;
    load.sent(100).await;
    let port = node.kill();
    let node = Node::start(&bed, "third", port).await;
    load.sent(100).await;
    let outcome = load.finish().await;

    assert_eq!(outcome.failed, 0, "a call that repeats itself outlives a restart");
    let stored = stored(&node.client("me", 0), "inbox").await;
    let subjects: Vec<String> = stored.iter().map(|(_, subject)| subject.clone()).collect();
    assert_none_doubled(&subjects);
    assert_in_order(&subjects);
    let told: BTreeSet<_> = outcome.acknowledged.into_iter().map(|(subject, told)| (told.id, subject)).collect();
    assert_eq!(stored.iter().cloned().collect::<BTreeSet<_>>(), told);
    let _ = enough.send(Some(subjects.len()));
    assert_eq!(following.await.unwrap(), subjects);
    let seen = eventually("the watch to see everything", || {
        let seen = watch.subjects();
        if seen.len() < subjects.len() {
            Err(format!("{} of {}: {}", seen.len(), subjects.len(), watch.errors()))
        } else {
            Ok(seen)
        }
    })
    .await;
    assert_eq!(seen, subjects);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_on_a_file_loses_nothing_acknowledged_and_its_readers_resume() {
    killed_server(Bed::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_on_redis_loses_nothing_acknowledged_and_its_readers_resume() {
    killed_server(Bed::redis().await).await;
}
