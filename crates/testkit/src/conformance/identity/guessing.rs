//! Guessing: counted before anybody looks, and never faster by trying at once.

use super::desk::{Desk, digest};
use crate::conformance::{Bed, cases};
use futures::future::join_all;
use mainstay_core::api::Timestamp;
use mainstay_core::identity::{ChallengeRow, Digest, Guess, GuessRule};
use mainstay_core::{Mint, RandomMint};

cases! {
    ($) identity_guessing_tests, identity::guessing:
    after_the_free_guesses_the_account_is_locked_and_each_further_one_doubles_the_lock,
    guesses_at_the_same_time_are_no_more_than_one_after_the_other,
    a_right_guess_forgives_those_before_and_time_forgets_them,
    a_challenge_takes_so_many_answers_and_no_more,
    of_several_who_end_a_challenge_one_does,
}

const RULE: GuessRule = GuessRule { free: 3, first_lock_ms: 100, max_lock_ms: 1_000, memory_ms: 100_000 };

async fn guess(desk: &Desk, account: &Digest) -> Guess {
    desk.identity.guess(account, RULE, desk.now).await.expect("guess")
}

async fn after_the_free_guesses_the_account_is_locked_and_each_further_one_doubles_the_lock(bed: &Bed) {
    let (desk, account) = (Desk::new(bed), digest());
    for _ in 0..3 {
        assert_eq!(guess(&desk, &account).await, Guess::Allowed);
    }
    assert_eq!(guess(&desk, &account).await, Guess::Locked(desk.at(100)));
    assert_eq!(guess(&desk.later(99), &account).await, Guess::Locked(desk.at(100)), "asking makes it no longer");
    let mut free_at = 100;
    for lock_ms in [200, 400, 800, 1_000, 1_000] {
        let then = desk.later(free_at);
        assert_eq!(guess(&then, &account).await, Guess::Allowed, "{lock_ms}");
        free_at += lock_ms;
        assert_eq!(guess(&then, &account).await, Guess::Locked(desk.at(free_at)), "{lock_ms}");
    }
    assert_eq!(guess(&desk, &digest()).await, Guess::Allowed, "another account is another one");
}

async fn guesses_at_the_same_time_are_no_more_than_one_after_the_other(bed: &Bed) {
    let (desk, account) = (Desk::new(bed), digest());
    let outcomes = join_all((0..50).map(|_| guess(&desk, &account))).await;
    assert_eq!(outcomes.into_iter().filter(|outcome| *outcome == Guess::Allowed).count(), 3);
}

async fn a_right_guess_forgives_those_before_and_time_forgets_them(bed: &Bed) {
    let (desk, account) = (Desk::new(bed), digest());
    for _ in 0..3 {
        guess(&desk, &account).await;
    }
    desk.identity.forgive(&account).await.expect("forgive");
    for _ in 0..2 {
        assert_eq!(guess(&desk, &account).await, Guess::Allowed);
    }
    let later = desk.later(RULE.memory_ms);
    for _ in 0..3 {
        assert_eq!(guess(&later, &account).await, Guess::Allowed);
    }
    assert!(matches!(guess(&later, &account).await, Guess::Locked(_)));
}

fn row(expires_at: Timestamp) -> ChallengeRow {
    ChallengeRow { user: RandomMint.user_id(), account: digest(), expires_at }
}

async fn a_challenge_takes_so_many_answers_and_no_more(bed: &Bed) {
    let desk = Desk::new(bed);
    let (challenge, row) = (digest(), row(desk.at(1_000)));
    desk.identity.put_challenge(&challenge, row.clone()).await.expect("put");
    let answers = join_all((0..9).map(|_| desk.identity.answer(&challenge, 4, desk.now))).await;
    let taken: Vec<ChallengeRow> = answers.into_iter().filter_map(|answer| answer.expect("answer")).collect();
    assert_eq!(taken, vec![row; 4]);
    assert_eq!(desk.identity.answer(&digest(), 4, desk.now).await.expect("answer"), None);

    let late = digest();
    desk.identity.put_challenge(&late, self::row(desk.at(1_000))).await.expect("put");
    assert!(desk.identity.answer(&late, 4, desk.at(999)).await.expect("answer").is_some());
    assert_eq!(desk.identity.answer(&late, 4, desk.at(1_000)).await.expect("answer"), None);
}

async fn of_several_who_end_a_challenge_one_does(bed: &Bed) {
    let desk = Desk::new(bed);
    let challenge = digest();
    desk.identity.put_challenge(&challenge, row(desk.at(1_000))).await.expect("put");
    let ended = join_all((0..8).map(|_| desk.identity.end_challenge(&challenge))).await;
    assert_eq!(ended.into_iter().filter(|ended| *ended.as_ref().expect("end")).count(), 1);
    assert_eq!(desk.identity.answer(&challenge, 4, desk.now).await.expect("answer"), None);
}
