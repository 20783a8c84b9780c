//! What the ports promise, as cases. Each file holds the cases of one promise and lists them at its head; a case that
//! is not listed is dead code, which the build refuses.
//!
//! A case has a namespace of its own, so that many may run on one store at once. The cases that delete what has
//! expired (in any namespace) take turns within a process, and live in years before those of all other cases, so that
//! they delete nothing of theirs.

pub mod audit;
mod bed;
pub mod connections;
pub mod conversations;
pub mod credentials;
pub mod documents;
pub mod events;
pub mod gateway_keys;
pub mod groups;
pub mod identity;
pub mod mail;
pub mod presence;
pub mod providers;
pub mod rooms;
pub mod transport;
mod waking;

pub use bed::{Bed, Window};

use futures::FutureExt;
use futures::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// The longest that a case may take: far beyond what any does, so that one that hangs is a failure with a name.
const MAX_CASE: Duration = Duration::from_secs(120);

/// One promise of a port.
pub struct Case {
    /// The promise, as the name of its test.
    pub name: &'static str,
    /// Puts a store to the test; panics where the promise is broken.
    pub run: for<'a> fn(&'a Bed) -> BoxFuture<'a, ()>,
}

/// Runs the case of this name.
///
/// # Panics
/// Where the promise is broken, where it takes too long, and where there is no such case.
pub async fn run_case(cases: &[Case], name: &str, bed: Bed) {
    let case = cases.iter().find(|case| case.name == name);
    let case = case.unwrap_or_else(|| panic!("there is no case {name}"));
    let finished = tokio::time::timeout(MAX_CASE, (case.run)(&bed)).await;
    assert!(finished.is_ok(), "{name}: not finished after {} s", MAX_CASE.as_secs());
}

/// Puts every port of a store to the test, every case in turn.
///
/// # Panics
/// Where any promise is broken, naming each.
pub async fn run(bed: &Bed) {
    for (port, files) in PORTS {
        run_all(port, files, bed).await;
    }
}

/// Every port, with its cases.
pub const PORTS: &[(&str, &[&[Case]])] = &[
    ("audit", audit::FILES),
    ("connections", connections::FILES),
    ("conversations", conversations::FILES),
    ("credentials", credentials::FILES),
    ("documents", documents::FILES),
    ("events", events::FILES),
    ("gateway_keys", gateway_keys::FILES),
    ("groups", groups::FILES),
    ("identity", identity::FILES),
    ("mail", mail::FILES),
    ("presence", presence::FILES),
    ("providers", providers::FILES),
    ("rooms", rooms::FILES),
    ("transport", transport::FILES),
];

/// Runs every case, the rest too where one fails.
///
/// # Panics
/// Where any promise is broken, naming each.
async fn run_all(port: &str, files: &[&[Case]], bed: &Bed) {
    let mut broken = Vec::new();
    for case in files.iter().copied().flatten() {
        let run = AssertUnwindSafe(tokio::time::timeout(MAX_CASE, (case.run)(bed))).catch_unwind();
        match run.await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => broken.push(format!("{}: not finished after {} s", case.name, MAX_CASE.as_secs())),
            Err(panic) => broken.push(format!("{}: {}", case.name, message_of(panic.as_ref()))),
        }
    }
    assert!(broken.is_empty(), "{port}: {} broken promises\n{}", broken.len(), broken.join("\n"));
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

/// Lists the cases of a file: as `CASES`, and as a macro that makes each one a test of a store.
macro_rules! cases {
    (($dollar:tt) $tests:ident, $port:ident::$file:ident: $($case:ident),+ $(,)?) => {
        /// The cases of this file.
        pub const CASES: &[$crate::conformance::Case] = &[
            $($crate::conformance::Case { name: stringify!($case), run: |bed| Box::pin($case(bed)) }),+
        ];

        #[doc(hidden)]
        #[macro_export]
        macro_rules! $tests {
            ($dollar($dollar bed:tt)+) => {
                mod $file {
                    $(
                        #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
                        async fn $case() {
                            let cases = $crate::conformance::$port::$file::CASES;
                            $crate::conformance::run_case(cases, stringify!($case), $dollar($dollar bed)+().await).await;
                        }
                    )+
                }
            };
        }
    };
}
pub(crate) use cases;

/// Puts a store to the test: `conformance!(name, expression)`, where the expression is a future of a [`Bed`] and is
/// evaluated for each case. Expands to one test per case, named `name::port::file::case`.
#[macro_export]
macro_rules! conformance {
    ($store:ident, $bed:expr) => {
        async fn $store() -> $crate::conformance::Bed {
            ($bed).await
        }

        mod $store {
            mod audit {
                $crate::audit_appending_tests!(super::super::super::$store);
                $crate::audit_reading_tests!(super::super::super::$store);
                $crate::audit_trimming_tests!(super::super::super::$store);
            }

            mod connections {
                $crate::connections_holding_tests!(super::super::super::$store);
                $crate::connections_relaying_tests!(super::super::super::$store);
            }

            mod conversations {
                $crate::conversations_appending_tests!(super::super::super::$store);
                $crate::conversations_concurrent_tests!(super::super::super::$store);
                $crate::conversations_erasing_tests!(super::super::super::$store);
                $crate::conversations_forking_tests!(super::super::super::$store);
                $crate::conversations_isolation_tests!(super::super::super::$store);
                $crate::conversations_lifetimes_tests!(super::super::super::$store);
                $crate::conversations_listing_tests!(super::super::super::$store);
                $crate::conversations_remembering_tests!(super::super::super::$store);
                $crate::conversations_turns_tests!(super::super::super::$store);
            }

            mod credentials {
                $crate::credentials_leases_tests!(super::super::super::$store);
                $crate::credentials_records_tests!(super::super::super::$store);
            }

            mod documents {
                $crate::documents_ending_tests!(super::super::super::$store);
                $crate::documents_following_tests!(super::super::super::$store);
                $crate::documents_reading_tests!(super::super::super::$store);
                $crate::documents_remembering_tests!(super::super::super::$store);
                $crate::documents_sealing_tests!(super::super::super::$store);
                $crate::documents_transacting_tests!(super::super::super::$store);
            }

            mod events {
                $crate::events_publishing_tests!(super::super::super::$store);
                $crate::events_reading_tests!(super::super::super::$store);
                $crate::events_waiting_tests!(super::super::super::$store);
            }

            mod gateway_keys {
                $crate::gateway_keys_admitting_tests!(super::super::super::$store);
                $crate::gateway_keys_records_tests!(super::super::super::$store);
                $crate::gateway_keys_using_tests!(super::super::super::$store);
            }

            mod groups {
                $crate::groups_dying_tests!(super::super::super::$store);
                $crate::groups_holding_tests!(super::super::super::$store);
                $crate::groups_standing_tests!(super::super::super::$store);
                $crate::groups_taking_tests!(super::super::super::$store);
                $crate::groups_trimming_tests!(super::super::super::$store);
            }

            mod identity {
                $crate::identity_guessing_tests!(super::super::super::$store);
                $crate::identity_keys_tests!(super::super::super::$store);
                $crate::identity_sessions_tests!(super::super::super::$store);
                $crate::identity_users_tests!(super::super::super::$store);
            }

            mod mail {
                $crate::mail_append_tests!(super::super::super::$store);
                $crate::mail_bounds_tests!(super::super::super::$store);
                $crate::mail_broadcasts_tests!(super::super::super::$store);
                $crate::mail_concurrent_tests!(super::super::super::$store);
                $crate::mail_expiry_tests!(super::super::super::$store);
                $crate::mail_hostile_tests!(super::super::super::$store);
                $crate::mail_listing_tests!(super::super::super::$store);
                $crate::mail_merging_tests!(super::super::super::$store);
                $crate::mail_numbers_tests!(super::super::super::$store);
                $crate::mail_receipts_tests!(super::super::super::$store);
                $crate::mail_tailing_tests!(super::super::super::$store);
                $crate::mail_waking_tests!(super::super::super::$store);
            }

            mod presence {
                $crate::presence_ending_tests!(super::super::super::$store);
                $crate::presence_living_tests!(super::super::super::$store);
            }

            mod providers {
                $crate::providers_changing_tests!(super::super::super::$store);
                $crate::providers_choosing_tests!(super::super::super::$store);
                $crate::providers_checking_tests!(super::super::super::$store);
                $crate::providers_judging_tests!(super::super::super::$store);
            }

            mod rooms {
                $crate::rooms_ending_tests!(super::super::super::$store);
                $crate::rooms_membership_tests!(super::super::super::$store);
                $crate::rooms_occupancy_tests!(super::super::super::$store);
            }

            mod transport {
                $crate::transport_choosing_tests!(super::super::super::$store);
            }
        }
    };
}
