//! Users of a real server, credentials that a test changes, and a look at who is connected.

use mainstay_core::api::InstanceId;
use mainstay_core::api::mail::SendMessage;
use mainstay_core::mail::{MailRules, MailService};
use mainstay_core::{Caller, Error, RandomMint, Result, Stores, SystemClock};
use mainstay_redis::credentials::{CredentialSource, Credentials};
use mainstay_redis::{RedisOptions, open};
use mainstay_testkit::fixtures::RedisServer;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest wait for something that is to happen. Far above what it takes on a busy machine.
const SOON: Duration = Duration::from_secs(40);

/// Credentials that a test changes; `None` is a source that fails.
pub struct Changing(Mutex<Option<Credentials>>);

impl Changing {
    pub fn new(user: &str, password: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(credentials(user, password)))))
    }

    pub fn change(&self, user: &str, password: &str) {
        *self.0.lock().unwrap() = Some(credentials(user, password));
    }

    pub fn set(&self, credentials: Option<Credentials>) {
        *self.0.lock().unwrap() = credentials;
    }
}

pub fn credentials(user: &str, password: &str) -> Credentials {
    Credentials { username: Some(user.into()), password: SecretString::from(password), lifetime: None }
}

#[async_trait::async_trait]
impl CredentialSource for Changing {
    async fn fetch(&self) -> Result<Credentials> {
        let present = self.0.lock().unwrap().clone();
        present.ok_or_else(|| Error::unavailable("the source of the test is away", ""))
    }

    fn look_every(&self) -> Option<Duration> {
        Some(Duration::from_millis(250))
    }
}

/// Makes a user who may do everything, or gives it one more password.
pub async fn add_user(server: &RedisServer, user: &str, password: &str) {
    let password = format!(">{password}");
    server.cli(&["ACL", "SETUSER", user, "on", &password, "~*", "&*", "+@all"]).await.unwrap();
}

pub async fn remove_password(server: &RedisServer, user: &str, password: &str) {
    server.cli(&["ACL", "SETUSER", user, &format!("<{password}")]).await.unwrap();
}

/// The connections whose user begins with `app`: their ids with the user.
pub async fn connected(server: &RedisServer) -> BTreeMap<u64, String> {
    let field = |line: &str, name: &str| {
        line.split(' ')
            .find_map(|pair| pair.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).map(str::to_owned))
    };
    let list = server.clients().await.unwrap();
    let rows = list.iter().filter_map(|line| Some((field(line, "id")?.parse().ok()?, field(line, "user")?)));
    rows.filter(|(_, user)| user.starts_with("app")).collect()
}

/// Waits until every one of these connections is this user's.
pub async fn all_become(server: &RedisServer, ids: &BTreeMap<u64, String>, user: &str) {
    eventually("the connections to log in again", async || {
        let now = connected(server).await;
        let stayed = ids.keys().all(|id| now.get(id).is_some_and(|found| found == user));
        if stayed { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
}

pub async fn eventually<T>(what: &str, look: impl AsyncFn() -> std::result::Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match look().await {
            Ok(seen) => return seen,
            Err(last) => assert!(started.elapsed() < SOON, "waiting for {what}: {last}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Options for a URL without a login of its own, whose login comes from a source.
pub fn options(url: &str, source: Arc<dyn CredentialSource>) -> RedisOptions {
    let mut options = RedisOptions::from_url(url).unwrap();
    options.credentials = Some(source);
    options
}

pub fn mail(stores: &Stores) -> MailService {
    MailService::new(Arc::clone(&stores.mail), Arc::new(SystemClock), Arc::new(RandomMint), MailRules::default())
}

pub fn caller(name: &str) -> Caller {
    Caller { instance: Some(InstanceId::parse(name).unwrap()), ..Caller::owner() }
}

pub async fn send(mail: &MailService, subject: &str) -> Result<()> {
    let letter = SendMessage::new(vec![InstanceId::parse("b").unwrap()], subject);
    mail.send(&caller("a"), None, letter).await.map(drop)
}

/// Writes without a request id, so that a call that met a broken connection fails, and none is healed in silence.
pub struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<Vec<String>>,
}

impl Load {
    pub fn start(stores: &Stores) -> Self {
        let (mail, stop, sent) = (mail(stores), Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&sent));
        let task = tokio::spawn(async move {
            let mut failures = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                match send(&mail, "under way").await {
                    Ok(()) => drop(counted.fetch_add(1, Ordering::Relaxed)),
                    Err(error) => failures.push(format!("{error:?}")),
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            failures
        });
        Self { stop, sent, task }
    }

    /// Waits until so many more calls have succeeded.
    pub async fn more(&self, count: usize) {
        let until = self.sent.load(Ordering::Relaxed) + count;
        eventually("the calls", async || {
            let sent = self.sent.load(Ordering::Relaxed);
            if sent >= until { Ok(()) } else { Err(format!("{sent} of {until}")) }
        })
        .await;
    }

    /// Ends the load; what failed.
    pub async fn finish(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

/// Opens a store and makes it listen, so that it has a connection of each kind.
pub async fn open_listening(
    options: RedisOptions,
) -> (Stores, futures::stream::BoxStream<'static, mainstay_core::Hint>) {
    use futures::StreamExt;
    let stores = open(options).await.unwrap();
    let mut hints = stores.hints.subscribe();
    // The first says that the subscription stands.
    hints.next().await.unwrap();
    (stores, hints)
}
