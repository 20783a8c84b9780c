//! Sessions: they end when they are told to, and nothing brings them back.

use super::desk::{Desk, IDLE_MS, LIFE_MS, digest};
use crate::conformance::{Bed, cases};
use futures::future::join;
use mainstay_core::identity::{EndSessions, Replaced};

cases! {
    ($) identity_sessions_tests, identity::sessions:
    a_session_stands_until_it_is_ended,
    a_session_ends_after_silence_and_at_its_end_whatever_its_use,
    a_use_never_brings_back_what_was_ended_at_the_same_time,
    a_session_of_a_user_who_was_changed_does_not_begin,
    a_change_ends_the_sessions_in_the_same_step,
    a_rotation_leaves_one_session_under_its_new_token_alone,
    beyond_the_most_the_oldest_session_ends,
    only_the_sessions_of_the_user_end,
}

async fn a_session_stands_until_it_is_ended(bed: &Bed) {
    let desk = Desk::new(bed);
    let user = desk.user("{}").await;
    let (token, id) = desk.open(&user, 1).await.expect("it begins");
    let (row, account) = desk.identity.use_session(&token, desk.r#use()).await.expect("use").expect("it stands");
    assert_eq!((&row.id, &row.user, row.from.as_deref(), row.agent), (&id, &user, Some("::1"), None));
    assert_eq!(account.version, 1);
    assert!(!desk.stands(&digest()).await, "another token is no session");
    assert_eq!(desk.sessions(&user).await.len(), 1);
    assert!(desk.identity.end_session(&user, &id).await.expect("end"));
    assert!(!desk.identity.end_session(&user, &id).await.expect("end"), "it had ended");
    assert!(!desk.stands(&token).await);
    assert_eq!(desk.sessions(&user).await, []);
}

async fn a_session_ends_after_silence_and_at_its_end_whatever_its_use(bed: &Bed) {
    let desk = Desk::new(bed);
    let user = desk.user("{}").await;
    let (used, _) = desk.open(&user, 1).await.expect("it begins");
    let (silent, _) = desk.open(&user, 1).await.expect("it begins");
    let half = IDLE_MS / 2;
    assert!(desk.later(half).stands(&used).await);
    assert!(!desk.later(IDLE_MS).stands(&silent).await, "it was silent");
    assert!(desk.later(IDLE_MS).stands(&used).await, "its use counted");
    for step in 3..(LIFE_MS / half) {
        assert!(desk.later(half * step).stands(&used).await, "{step}");
    }
    assert!(!desk.later(LIFE_MS).stands(&used).await, "no use goes beyond its end");
    assert_eq!(desk.later(LIFE_MS).sessions(&user).await, []);
}

async fn a_use_never_brings_back_what_was_ended_at_the_same_time(bed: &Bed) {
    let desk = Desk::new(bed);
    let user = desk.user("{}").await;
    for round in 1..=20 {
        let (token, id) = desk.open(&user, 1).await.expect("it begins");
        let later = desk.later(2_000 * round);
        let (_, ended) = join(later.stands(&token), desk.identity.end_session(&user, &id)).await;
        assert!(ended.expect("end"));
        assert!(!later.stands(&token).await, "round {round}");
    }
}

async fn a_session_of_a_user_who_was_changed_does_not_begin(bed: &Bed) {
    let desk = Desk::new(bed);
    let user = desk.user("{}").await;
    assert_eq!(desk.replace(&user, 1, "disabled", EndSessions::All).await, Replaced::Replaced(2));
    assert!(desk.open(&user, 1).await.is_none(), "who logged in was another one");
    assert!(desk.open(&user, 2).await.is_some());
}

async fn a_change_ends_the_sessions_in_the_same_step(bed: &Bed) {
    let desk = Desk::new(bed);
    let user = desk.user("{}").await;
    let (token, _) = desk.open(&user, 1).await.expect("it begins");
    assert_eq!(desk.replace(&user, 9, "x", EndSessions::All).await, Replaced::Conflict);
    assert!(desk.stands(&token).await, "what did not take place ended nothing");
    desk.replace(&user, 1, "x", EndSessions::None).await;
    assert!(desk.stands(&token).await);
    desk.replace(&user, 2, "y", EndSessions::All).await;
    assert!(!desk.stands(&token).await);
}

async fn a_rotation_leaves_one_session_under_its_new_token_alone(bed: &Bed) {
    let desk = Desk::new(bed);
    let user = desk.user("{}").await;
    let (old, id) = desk.open(&user, 1).await.expect("it begins");
    let (other, gone) = desk.open(&user, 1).await.expect("it begins");
    let new = digest();
    let rotate = |session: &_| EndSessions::Rotate { session: std::clone::Clone::clone(session), token: new.clone() };
    assert_eq!(desk.replace(&user, 1, "x", rotate(&id)).await, Replaced::Replaced(2));
    assert!(!desk.stands(&old).await && !desk.stands(&other).await);
    assert!(desk.stands(&new).await);
    assert_eq!(desk.sessions(&user).await.len(), 1);
    assert_eq!(desk.replace(&user, 2, "y", rotate(&gone)).await, Replaced::NotFound, "it has ended");
    assert_eq!(desk.identity.user(&user).await.expect("user").expect("there").document, "x");
    assert!(desk.identity.end_session(&user, &id).await.expect("end"));
    assert!(!desk.stands(&new).await);
}

async fn beyond_the_most_the_oldest_session_ends(bed: &Bed) {
    let desk = Desk::new(bed);
    let user = desk.user("{}").await;
    let mut tokens = Vec::new();
    for number in 0..4 {
        tokens.push(desk.later(number).open(&user, 1).await.expect("it begins").0);
    }
    let later = desk.later(10);
    assert!(!later.stands(&tokens[0]).await);
    for token in &tokens[1..] {
        assert!(later.stands(token).await);
    }
    assert_eq!(later.sessions(&user).await.len(), 3);
}

async fn only_the_sessions_of_the_user_end(bed: &Bed) {
    let desk = Desk::new(bed);
    let (ada, bob) = (desk.user("{}").await, desk.user("{}").await);
    let (of_ada, kept) = desk.open(&ada, 1).await.expect("it begins");
    desk.open(&ada, 1).await.expect("it begins");
    let (of_bob, id_of_bob) = desk.open(&bob, 1).await.expect("it begins");
    assert!(!desk.identity.end_session(&ada, &id_of_bob).await.expect("end"), "it is not hers");
    assert_eq!(desk.identity.end_sessions(&ada, Some(&kept)).await.expect("end"), 1);
    assert!(desk.stands(&of_ada).await && desk.stands(&of_bob).await);
    assert_eq!(desk.identity.end_sessions(&ada, None).await.expect("end"), 1);
    assert!(!desk.stands(&of_ada).await && desk.stands(&of_bob).await);
}
