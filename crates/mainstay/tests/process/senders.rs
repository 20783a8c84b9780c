//! Sixteen processes sending into one store: nothing is lost, nothing is there twice, and an inbox keeps the order of
//! each sender.

use crate::bed::{Bed, eventually};
use crate::load::{assert_in_order, assert_none_doubled, stored};
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

const SENDERS: usize = 16;
const MESSAGES: usize = 20;

/// Every message is a process of its own, as it is for an agent that calls the binary.
const LOOP: &str = r#"n=0; while [ $n -lt "$MESSAGES" ]; do
    "$MAINSTAY" mail send inbox "$NAME-$n" --as "$NAME" --log off 2>> "$NAME.err" || exit 1; n=$((n+1)); done"#;

fn sender(bed: &Bed, number: usize) -> Command {
    let command = bed.command(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", LOOP]).current_dir(bed.sandbox.path()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("MAINSTAY", env!("CARGO_BIN_EXE_mainstay")).env("MESSAGES", MESSAGES.to_string());
    shell.env("NAME", format!("s{number}")).stdin(Stdio::null()).stdout(Stdio::piped());
    shell
}

async fn sixteen_senders(bed: Bed) {
    // Somebody reads meanwhile, and must see everything in the order in which the store keeps it.
    let watch =
        bed.start("watch", bed.command(&["mail", "watch", "--as", "inbox", "--after", "oldest", "--json", "--peek"]));
    let senders: Vec<_> = (0..SENDERS).map(|number| sender(&bed, number).spawn().unwrap()).collect();

    let mut printed = BTreeMap::new();
    for (number, sender) in senders.into_iter().enumerate() {
        let output = sender.wait_with_output().unwrap();
        let errors = std::fs::read_to_string(bed.sandbox.path().join(format!("s{number}.err"))).unwrap();
        assert!(output.status.success(), "s{number}: {errors}");
        for (message, id) in String::from_utf8(output.stdout).unwrap().lines().enumerate() {
            assert_eq!(printed.insert(id.to_owned(), format!("s{number}-{message}")), None, "{id} was given twice");
        }
    }

    assert_eq!(printed.len(), SENDERS * MESSAGES);
    let listed = stored(&bed.serve("node").await.client("me", 0), "inbox").await;
    assert_eq!(listed.iter().cloned().collect::<BTreeMap<_, _>>(), printed);
    let subjects: Vec<String> = listed.into_iter().map(|(_, subject)| subject).collect();
    assert_none_doubled(&subjects);
    assert_in_order(&subjects);
    let seen = eventually("the reader to see everything", || {
        let seen = watch.subjects();
        if seen.len() < subjects.len() { Err(format!("{} of {}", seen.len(), subjects.len())) } else { Ok(seen) }
    })
    .await;
    assert_eq!(seen, subjects);
}

#[tokio::test]
async fn sixteen_processes_send_into_one_file() {
    sixteen_senders(Bed::sqlite()).await;
}

#[tokio::test]
async fn sixteen_processes_send_into_one_redis() {
    sixteen_senders(Bed::redis().await).await;
}
