//! No case is left out: every file of cases is run for every store, and a promise that is broken is a failure with a
//! name.

use futures::FutureExt;
use mainstay_core::Stores;
use mainstay_testkit::conformance::{self, Bed, Case};
use mainstay_testkit::model;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;

/// The files below `src/conformance/<port>` that declare cases.
fn files_of_cases(port: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance").join(port);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let declares = |path: &std::path::PathBuf| std::fs::read_to_string(path).unwrap().contains("\ncases! {");
    files.filter(declares).map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_file_of_cases_is_run() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance/mod.rs");
    let source = std::fs::read_to_string(source).unwrap();
    for (port, count) in conformance::PORTS.iter().map(|(port, files)| (*port, files.len())) {
        let files = files_of_cases(port);
        assert!(!files.is_empty(), "no file of {port} was found");
        assert_eq!(files.len(), count, "conformance::{port}::run runs each of {files:?}");
        for file in &files {
            assert!(
                source.contains(&format!("$crate::{port}_{file}_tests!(")),
                "{port}::{file} is not in conformance!"
            );
        }
    }
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let files = conformance::PORTS.iter().flat_map(|(_, files)| files.iter().copied());
    let names: Vec<&str> = files.flatten().map(|case| case.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_entry_point_runs_every_case_of_every_port() {
    let bed = Bed::new(model::stores(), ());
    conformance::run(&bed).await;
}

/// The presence of one store beside the mail and the hints of another: nothing that is written is announced.
fn mute() -> Stores {
    Stores { hints: model::stores().hints, ..model::stores() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_point_names_every_broken_promise() {
    let bed = Bed::new(mute(), ());
    let panic = AssertUnwindSafe(conformance::presence::run(&bed)).catch_unwind().await.unwrap_err();
    let report = panic.downcast_ref::<String>().unwrap();
    for case in ["a_change_wakes_those_who_watch_the_namespace", "a_purge_reaches_every_namespace_and_wakes_it"] {
        assert!(report.contains(case), "{report}");
    }
    assert!(report.contains("2 broken promises"), "{report}");
}

#[tokio::test]
async fn a_case_that_does_not_exist_is_a_failure() {
    let none: &[Case] = &[];
    let run = tokio::spawn(conformance::run_case(none, "no_such_case", Bed::new(model::stores(), ())));
    assert!(run.await.unwrap_err().is_panic());
}
