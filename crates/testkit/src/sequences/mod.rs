//! Random sequences of operations, played on a store and on the [reference model](crate::model) side by side: every
//! outcome has to be the same. What differs is shrunk to the shortest sequence that still differs.
//!
//! The sequences are the same in every run. `MAINSTAY_SEQUENCES` says how many of each kind are played, and
//! `MAINSTAY_SEQUENCES_SEED` chooses others.
//!
//! Offsets and epochs are a store's own. They are compared by what they stand for: the message at an offset, the same
//! epoch in every answer. A position is given back only to the store that gave it.

mod conversations;
mod documents;
mod events;
mod gateway_keys;
mod mail;
mod presence;
mod providers;

pub use events::EventProfile;
pub use mail::Profile;

use crate::conformance::Bed;
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Sequences of each kind where nothing else is asked for: seconds on a store that syncs every write.
const DEFAULT_SEQUENCES: u32 = 48;
/// Most operations of a sequence. They stay within the day that a window is.
const MAX_OPERATIONS: usize = 80;
/// Most attempts to shorten a sequence that fails.
const MAX_SHRINKS: u32 = 2_000;

/// Which sequences are played.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many of each kind.
    pub sequences: u32,
    /// What they are drawn from: the same seed, the same sequences.
    pub seed: u64,
}

impl Plan {
    /// What the environment asks for.
    ///
    /// # Panics
    /// Where a variable is not a number.
    #[must_use]
    pub fn from_environment() -> Self {
        let sequences =
            number("MAINSTAY_SEQUENCES").map_or(DEFAULT_SEQUENCES, |count| count.try_into().unwrap_or(u32::MAX));
        Self { sequences, seed: number("MAINSTAY_SEQUENCES_SEED").unwrap_or(0) }
    }
}

/// Plays sequences of conversations.
///
/// # Errors
/// The shortest sequence found on which the store and the model differ, and where.
pub async fn conversations(plan: Plan, bed: Bed) -> Result<(), String> {
    let bed = Arc::new(bed);
    let play = move |operations| conversations::play(bed.clone(), operations);
    run(plan, conversations::operation, play).await
}

/// Plays sequences of documents.
///
/// # Errors
/// The shortest sequence found on which the store and the model differ, and where.
pub async fn documents(plan: Plan, bed: Bed) -> Result<(), String> {
    let bed = Arc::new(bed);
    let play = move |operations| documents::play(bed.clone(), operations);
    run(plan, documents::operation, play).await
}

/// Plays sequences of events.
///
/// # Errors
/// The shortest sequence found on which the store and the model differ, and where.
pub async fn events(plan: Plan, profile: EventProfile, bed: Bed) -> Result<(), String> {
    let bed = Arc::new(bed);
    let play = move |operations| events::play(bed.clone(), profile, operations);
    run(plan, move || events::operation(profile), play).await
}

/// Plays sequences of a gateway key.
///
/// # Errors
/// The shortest sequence found on which the store and the model differ, and where.
pub async fn gateway_keys(plan: Plan, bed: Bed) -> Result<(), String> {
    let bed = Arc::new(bed);
    let play = move |operations| gateway_keys::play(bed.clone(), operations);
    run(plan, gateway_keys::operation, play).await
}

/// Plays sequences of mail.
///
/// # Errors
/// The shortest sequence found on which the store and the model differ, and where.
pub async fn mail(plan: Plan, profile: Profile, bed: Bed) -> Result<(), String> {
    let bed = Arc::new(bed);
    let play = move |operations| mail::play(bed.clone(), profile, operations);
    run(plan, move || mail::operation(profile), play).await
}

/// Plays sequences of presence.
///
/// # Errors
/// The shortest sequence found on which the store and the model differ, and where.
pub async fn presence(plan: Plan, bed: Bed) -> Result<(), String> {
    let bed = Arc::new(bed);
    let play = move |operations| presence::play(bed.clone(), operations);
    run(plan, presence::operation, play).await
}

/// Plays sequences of a pool of providers.
///
/// # Errors
/// The shortest sequence found on which the store and the model differ, and where.
pub async fn providers(plan: Plan, bed: Bed) -> Result<(), String> {
    let bed = Arc::new(bed);
    let play = move |operations| providers::play(bed.clone(), operations);
    run(plan, providers::operation, play).await
}

/// Plays sequences of the operations that are drawn, and shrinks what fails.
async fn run<O, F>(
    plan: Plan,
    operation: impl FnOnce() -> BoxedStrategy<O> + Send + 'static,
    play: impl Fn(Vec<O>) -> F + Send + 'static,
) -> Result<(), String>
where
    O: std::fmt::Debug + 'static,
    F: Future<Output = Result<(), String>>,
{
    let config =
        Config { cases: plan.sequences, max_shrink_iters: MAX_SHRINKS, failure_persistence: None, ..Config::default() };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&plan.seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let handle = Handle::current();
    let played = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new_with_rng(config, rng);
        let sequences = proptest::collection::vec(operation(), 1..=MAX_OPERATIONS);
        let outcome = runner.run(&sequences, |value| handle.block_on(play(value)).map_err(TestCaseError::fail));
        outcome.map_err(|error| match error {
            TestError::Abort(reason) => format!("given up: {reason}"),
            TestError::Fail(reason, value) => format!("{reason}\nthe shortest sequence that does this: {value:#?}"),
        })
    });
    played.await.unwrap_or_else(|broken| Err(format!("the sequences ended: {broken}")))
}

/// A number from the environment.
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text:?} is not a number")))
}

/// Says where a store and the model differ.
fn same(step: &str, store: &str, model: &str) -> Result<(), String> {
    if store == model {
        return Ok(());
    }
    Err(format!("{step}\n  the store: {store}\n  the model: {model}"))
}

/// Compares a store with the model: `sequences!(name, expression)`, where the expression is a future of a
/// [`Bed`] and is evaluated for each kind of sequence. Expands to one test per kind.
#[macro_export]
macro_rules! sequences {
    ($store:ident, $bed:expr) => {
        async fn $store() -> $crate::conformance::Bed {
            ($bed).await
        }

        mod $store {
            $crate::sequences!(@mail $store, mail_that_expires, Expiring);
            $crate::sequences!(@mail $store, mail_in_small_inboxes, SmallInboxes);
            $crate::sequences!(@mail $store, mail_in_a_small_namespace, SmallNamespace);
            $crate::sequences!(@events $store, events_of_a_log, Log);
            $crate::sequences!(@events $store, events_with_groups, Groups);

            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn conversations_are_those_of_the_model() {
                let plan = $crate::sequences::Plan::from_environment();
                if let Err(difference) = $crate::sequences::conversations(plan, super::$store().await).await {
                    panic!("{difference}");
                }
            }

            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn documents_are_those_of_the_model() {
                let plan = $crate::sequences::Plan::from_environment();
                if let Err(difference) = $crate::sequences::documents(plan, super::$store().await).await {
                    panic!("{difference}");
                }
            }

            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_gateway_key_is_that_of_the_model() {
                let plan = $crate::sequences::Plan::from_environment();
                if let Err(difference) = $crate::sequences::gateway_keys(plan, super::$store().await).await {
                    panic!("{difference}");
                }
            }

            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn presence_is_that_of_the_model() {
                let plan = $crate::sequences::Plan::from_environment();
                if let Err(difference) = $crate::sequences::presence(plan, super::$store().await).await {
                    panic!("{difference}");
                }
            }

            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_pool_of_providers_is_that_of_the_model() {
                let plan = $crate::sequences::Plan::from_environment();
                if let Err(difference) = $crate::sequences::providers(plan, super::$store().await).await {
                    panic!("{difference}");
                }
            }
        }
    };
    (@events $store:ident, $name:ident, $profile:ident) => {
        mod $name {
            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn are_those_of_the_model() {
                let plan = $crate::sequences::Plan::from_environment();
                let (profile, bed) = ($crate::sequences::EventProfile::$profile, super::super::$store().await);
                if let Err(difference) = $crate::sequences::events(plan, profile, bed).await {
                    panic!("{difference}");
                }
            }
        }
    };
    (@mail $store:ident, $name:ident, $profile:ident) => {
        mod $name {
            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn is_that_of_the_model() {
                let plan = $crate::sequences::Plan::from_environment();
                let (profile, bed) = ($crate::sequences::Profile::$profile, super::super::$store().await);
                if let Err(difference) = $crate::sequences::mail(plan, profile, bed).await {
                    panic!("{difference}");
                }
            }
        }
    };
}
