//! The credentials that serve now: fetched ahead of their end, tried before they replace what works, and handed to
//! every connection that lives.

use super::{CredentialSource, Login};
use crate::topology::Topology;
use futures::Stream;
use mainstay_core::{Error, Result, api::Code};
use redis::{BasicAuth, ErrorKind, RedisError, RedisResult, StreamingCredentialsProvider};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// What the error of a connection begins with for which there are no credentials.
pub(crate) const ABSENT: &str = "no credentials of Redis: ";

/// Longest wait for a source.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
/// First pause after a failure, which doubles up to [`LONGEST_PAUSE`], and least pause after a success.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Shortest time between two fetches that refused connections ask for.
const ASK_PAUSE: Duration = Duration::from_secs(1);
/// Longest time between two fetches where neither the source nor the credentials say when to look again.
const REST: Duration = Duration::from_secs(24 * 3_600);

/// Credentials that a source keeps current.
pub(crate) struct LiveCredentials {
    source: Arc<dyn CredentialSource>,
    /// The user where the source names none.
    username: Option<String>,
    state: watch::Sender<State>,
    asked: Notify,
}

#[derive(Clone, Default)]
struct State {
    present: Option<Present>,
    /// Why the last attempt failed.
    failed: Option<String>,
}

#[derive(Clone)]
struct Present {
    login: Login,
    expires: Option<Instant>,
}

impl State {
    /// The credentials that may be shown; an error where there are none, nothing where that is not known yet.
    fn valid(&self) -> Option<std::result::Result<&Login, RedisError>> {
        match (&self.present, &self.failed) {
            (Some(present), _) if present.serves() => Some(Ok(&present.login)),
            (Some(_), failed) => {
                let why = failed.as_deref().unwrap_or("no new ones came in time");
                Some(Err(absent(&format!("they have expired; {why}"))))
            }
            (None, Some(why)) => Some(Err(absent(why))),
            (None, None) => None,
        }
    }
}

impl Present {
    fn serves(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires)
    }
}

impl LiveCredentials {
    /// Credentials of a source that is not asked yet.
    pub fn new(source: Arc<dyn CredentialSource>, username: Option<String>) -> Self {
        Self { source, username, state: watch::Sender::default(), asked: Notify::new() }
    }

    /// The credentials of now; waits for the first answer of the source.
    pub async fn login(&self) -> std::result::Result<Login, RedisError> {
        let mut state = self.state.subscribe();
        let known = state.wait_for(|state| state.valid().is_some()).await;
        let login = known.ok().and_then(|state| state.valid().map(|valid| valid.cloned()));
        login.unwrap_or_else(|| Err(absent("the source has ended")))
    }

    /// Waits for the first answer of the source, and says why there are no credentials in the words of the source.
    pub async fn ready(&self) -> Result<()> {
        match self.login().await {
            Ok(_) => Ok(()),
            Err(cause) => {
                let why = self.state.borrow().failed.clone().unwrap_or_else(|| cause.to_string());
                let help = "Correct MAINSTAY_REDIS_CREDENTIALS or what it names.";
                Err(Error::new(Code::StoreUnavailable, why, help))
            }
        }
    }

    /// Asks for new credentials ahead of time: those of now were refused.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    /// Keeps the credentials current until it is given up.
    pub async fn keep_current(self: Arc<Self>, topology: Arc<Topology>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let wait = match self.renew(&topology).await {
                Ok(wait) => {
                    pause = FIRST_PAUSE;
                    wait
                }
                Err(error) => {
                    let cause = error.internal.as_deref().unwrap_or_default();
                    tracing::warn!(%error, cause, "no new credentials of Redis; those of before go on serving");
                    self.state.send_modify(|state| state.failed = Some(error.problem.detail.clone()));
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    shortened(pause)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.asked.notified() => tokio::time::sleep(ASK_PAUSE.min(wait)).await,
            }
        }
    }

    /// Fetches once. Returns when to do it again.
    async fn renew(&self, topology: &Topology) -> Result<Duration> {
        let fetched = tokio::time::timeout(FETCH_TIMEOUT, self.source.fetch());
        let fetched = fetched.await.map_err(|_| {
            let help = "Look at what MAINSTAY_REDIS_CREDENTIALS names.";
            Error::new(Code::StoreUnavailable, "the source of the credentials of Redis does not answer", help)
        })??;
        let received = Instant::now();
        let username = fetched.username.or_else(|| self.username.clone());
        let login = Login { username, password: fetched.password };
        let present = self.state.borrow().present.clone().filter(Present::serves);
        if present.is_some_and(|present| !present.login.is(&login)) {
            // What is written before the server knows it must not end what works.
            topology.try_login(&login).await.map_err(|cause| {
                let help = "Tell Redis of the new password, or put the old one back.";
                Error::new(Code::StoreUnavailable, "Redis does not take the new credentials", help)
                    .internal(cause.to_string())
            })?;
            tracing::info!("the credentials of Redis have changed");
        }
        let expires = fetched.lifetime.and_then(|lifetime| received.checked_add(lifetime));
        self.state.send_modify(|state| *state = State { present: Some(Present { login, expires }), failed: None });
        // Three quarters of the life: enough is left for a service of tokens that is away for a while.
        let refresh = fetched.lifetime.map(|lifetime| shortened(lifetime.mul_f64(0.75)));
        Ok(refresh.or(self.source.look_every()).unwrap_or(REST).max(FIRST_PAUSE))
    }
}

/// What a connection reads: the credentials of now first, then each that replaces them.
struct Feed {
    state: watch::Receiver<State>,
    begun: bool,
    shown: Option<Login>,
}

impl Feed {
    async fn next(mut self) -> Option<(RedisResult<BasicAuth>, Self)> {
        loop {
            let valid = self.state.borrow_and_update().valid().map(|valid| valid.cloned());
            match valid {
                Some(Ok(login)) if !self.shown.as_ref().is_some_and(|shown| shown.is(&login)) => {
                    let basic = login.to_basic();
                    return Some((Ok(basic), Self { begun: true, shown: Some(login), ..self }));
                }
                // Said once, to a connection that begins; one that lives has no use for it.
                Some(Err(error)) if !self.begun => return Some((Err(error), Self { begun: true, ..self })),
                _ => {}
            }
            self.state.changed().await.ok()?;
        }
    }
}

/// The credentials as the client of Redis wants them.
#[derive(Clone)]
pub(crate) struct Provider(pub Arc<LiveCredentials>);

impl StreamingCredentialsProvider for Provider {
    fn subscribe(&self) -> Pin<Box<dyn Stream<Item = RedisResult<BasicAuth>> + Send + 'static>> {
        let feed = Feed { state: self.0.state.subscribe(), begun: false, shown: None };
        Box::pin(futures::stream::unfold(feed, Feed::next))
    }
}

fn absent(why: &str) -> RedisError {
    RedisError::from((ErrorKind::AuthenticationFailed, "not logged in", format!("{ABSENT}{why}")))
}

/// Up to a tenth less, so that the nodes of a cluster do not all come at once.
fn shortened(wait: Duration) -> Duration {
    let mut random = [0_u8];
    let share = getrandom::fill(&mut random).map_or(0.0, |()| f64::from(random[0]) / 2_560.0);
    wait.mul_f64(1.0 - share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;
    use crate::options::RedisOptions;
    use futures::StreamExt;
    use secrecy::{ExposeSecret, SecretString};
    use std::sync::Mutex;

    /// Gives each answer once, the last for ever.
    struct Answers(Mutex<Vec<Option<Credentials>>>);

    #[async_trait::async_trait]
    impl CredentialSource for Answers {
        async fn fetch(&self) -> Result<Credentials> {
            let mut answers = self.0.lock().unwrap();
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
            answer.ok_or_else(|| Error::unavailable("the source is away", ""))
        }
    }

    fn token(password: &str, seconds: u64) -> Option<Credentials> {
        let lifetime = Some(Duration::from_secs(seconds));
        Some(Credentials { username: None, password: SecretString::from(password), lifetime })
    }

    fn live(answers: Vec<Option<Credentials>>) -> (Arc<LiveCredentials>, Topology) {
        let source = Arc::new(Answers(Mutex::new(answers)));
        let nowhere = RedisOptions::from_url("redis://127.0.0.1:1").unwrap();
        (Arc::new(LiveCredentials::new(source, None)), Topology::new(nowhere, None).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_when_a_quarter_of_its_life_is_left() {
        let (live, topology) = live(vec![token("one", 1_000)]);
        let wait = live.renew(&topology).await.unwrap();
        assert!((675.0..=750.0).contains(&wait.as_secs_f64()), "{wait:?}");
        assert_eq!(live.login().await.unwrap_or_else(|e| panic!("{e}")).password.expose_secret(), "one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_serves_until_it_expires_while_the_source_is_away_and_not_longer() {
        let (live, topology) = live(vec![token("one", 100), None, token("two", 100)]);
        let first = live.renew(&topology).await.unwrap();
        tokio::time::advance(first).await;
        assert!(live.renew(&topology).await.is_err());
        assert!(live.login().await.is_ok());
        tokio::time::advance(Duration::from_secs(100) - first).await;
        let expired = live.login().await.err().unwrap();
        assert!(expired.detail().unwrap().starts_with(ABSENT), "{expired}");
        // There is nothing left that a refusal of the new one could end.
        live.renew(&topology).await.unwrap();
        assert_eq!(live.login().await.unwrap_or_else(|e| panic!("{e}")).password.expose_secret(), "two");
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_that_the_server_does_not_take_replace_nothing() {
        let (live, topology) = live(vec![token("one", 100), token("two", 100)]);
        live.renew(&topology).await.unwrap();
        assert!(live.renew(&topology).await.is_err());
        assert_eq!(live.login().await.unwrap_or_else(|e| panic!("{e}")).password.expose_secret(), "one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_shown_what_is_there_and_then_only_what_changed() {
        let (live, topology) = live(vec![token("one", 100)]);
        let mut feed = Provider(Arc::clone(&live)).subscribe();
        live.renew(&topology).await.unwrap();
        assert_eq!(feed.next().await.unwrap().unwrap().password(), "one");
        live.renew(&topology).await.unwrap();
        let again = tokio::time::timeout(Duration::from_secs(1), feed.next()).await;
        assert!(again.is_err(), "the same credentials were shown twice");
    }
}
