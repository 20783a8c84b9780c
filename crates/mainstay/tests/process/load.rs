//! Many senders at once, and what became of each message.

use mainstay_api::InstanceId;
use mainstay_api::ids::RequestId;
use mainstay_api::mail::{ListMessages, SendMessage};
use mainstay_client::Client;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Most messages of one sender: the load ends even where a test forgets to end it.
const MAX_PER_SENDER: usize = 2_000;
/// Pause between two messages of one sender, so that the machine is busy but not choked.
const PAUSE: Duration = Duration::from_millis(4);

/// A message that the server acknowledged.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    pub id: String,
    pub began: Instant,
    pub ended: Instant,
}

/// What the senders know: by subject, the messages that were acknowledged, and how many calls failed.
#[derive(Debug, Default)]
pub struct Outcome {
    pub acknowledged: BTreeMap<String, Acknowledged>,
    pub failed: usize,
}

/// Senders that go on until they are told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    senders: JoinSet<Outcome>,
}

impl Load {
    /// One sender for each client, all to one recipient. The n-th message of a sender has the subject
    /// `<sender>-<n>`, and a request id of its own.
    pub fn start(to: &str, clients: Vec<Client>) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut senders = JoinSet::new();
        for (sender, client) in clients.into_iter().enumerate() {
            let to = InstanceId::parse(to).unwrap();
            senders.spawn(send_on(client, sender, to, Arc::clone(&stop), Arc::clone(&acknowledged)));
        }
        Self { stop, acknowledged, senders }
    }

    /// Waits until so many more messages are acknowledged.
    pub async fn sent(&self, more: usize) {
        let enough = self.acknowledged.load(Ordering::SeqCst) + more;
        crate::bed::eventually("messages to be acknowledged", || {
            let now = self.acknowledged.load(Ordering::SeqCst);
            if now >= enough { Ok(()) } else { Err(format!("{now} of {enough}")) }
        })
        .await;
    }

    /// Stops the senders after the call that each is in.
    pub async fn finish(mut self) -> Outcome {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Outcome::default();
        while let Some(outcome) = self.senders.join_next().await {
            let outcome = outcome.unwrap();
            all.acknowledged.extend(outcome.acknowledged);
            all.failed += outcome.failed;
        }
        all
    }
}

async fn send_on(
    client: Client,
    sender: usize,
    to: InstanceId,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
) -> Outcome {
    let mut outcome = Outcome::default();
    for number in 0..MAX_PER_SENDER {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let subject = format!("{sender}-{number}");
        let request_id = RequestId::parse(format!("load-{subject}")).unwrap();
        let message = SendMessage { requires_ack: false, ..SendMessage::new(vec![to.clone()], subject.clone()) };
        let began = Instant::now();
        match client.mail().send(&message, Some(request_id)).await {
            Ok(sent) => {
                let id = sent.message.content.id.as_str().to_owned();
                outcome.acknowledged.insert(subject, Acknowledged { id, began, ended: Instant::now() });
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => {
                assert!(error.is_retryable(), "{subject}: {error}");
                outcome.failed += 1;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    outcome
}

/// Every message to a recipient as `(id, subject)`, in the order of the inbox: a list has the order of the time that a
/// message was sent at, which is not that of its arrival.
pub async fn stored(client: &Client, to: &str) -> Vec<(String, String)> {
    let mut list =
        ListMessages { recipient: Some(InstanceId::parse(to).unwrap()), limit: Some(1_000), ..ListMessages::default() };
    let mut all = Vec::new();
    loop {
        let page = client.mail().list(&list).await.unwrap();
        all.extend(page.items);
        match page.next {
            Some(cursor) => list.cursor = Some(cursor),
            None => break,
        }
    }
    all.sort_by_key(|message| message.position.offset);
    all.into_iter().map(|message| (message.content.id.as_str().to_owned(), message.content.subject)).collect()
}

/// Panics where a subject is there twice.
pub fn assert_none_doubled(subjects: &[String]) {
    let mut seen = std::collections::BTreeSet::new();
    for subject in subjects {
        assert!(seen.insert(subject), "{subject} is there twice");
    }
}

/// Panics where the messages of one sender, which numbered them, are not in its order.
pub fn assert_in_order(subjects: &[String]) {
    let mut last = BTreeMap::<&str, i64>::new();
    for subject in subjects {
        let Some((sender, number)) = subject.rsplit_once('-') else { continue };
        let Ok(number) = number.parse::<i64>() else { continue };
        let before = last.insert(sender, number).unwrap_or(-1);
        assert!(before < number, "{sender} sent {number} after {before}");
    }
}
