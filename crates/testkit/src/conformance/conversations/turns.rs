//! The exclusive right to write.

use super::talk::{Talk, stored};
use crate::conformance::{Bed, cases};
use mainstay_core::api::Timestamp;
use mainstay_core::api::conversations::MessageState;
use mainstay_core::conversations::{Append, Appended, Settle, Take, Taken, TurnKept};

cases! {
    ($) conversations_turns_tests, conversations::turns:
    while_a_turn_is_running_only_its_holder_appends,
    a_taken_turn_is_busy_for_everyone_else_until_its_lease_ends,
    a_lapsed_lease_is_free_at_once_and_its_holder_cannot_write,
    a_renewed_turn_lasts_from_then_on,
    a_lapse_that_an_append_saw_is_final_for_every_clock,
    fences_grow_and_are_never_used_twice,
    a_call_that_is_repeated_finds_the_turn_that_it_took,
    an_ended_turn_frees_the_conversation,
    an_append_may_end_the_turn_in_the_same_step,
    messages_wait_until_their_turn_settles_them,
    messages_of_a_turn_that_ends_without_an_answer_have_failed,
    a_failed_message_stays_failed_in_a_later_turn,
}

fn until(talk: &Talk, millis: i64) -> Timestamp {
    talk.later(millis).now
}

async fn while_a_turn_is_running_only_its_holder_appends(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let fence = talk.turn("c", 60_000).await;
    let busy = Appended::TurnBusy { until: until(&talk, 60_000) };
    assert_eq!(talk.try_append(talk.append("c", &["x"])).await, busy);
    for other in [fence + 1, fence.wrapping_sub(1)] {
        let append = Append { fence: Some(other), ..talk.append("c", &["x"]) };
        assert_eq!(talk.try_append(append).await, Appended::TurnLost);
    }
    let written = stored(talk.try_append(Append { fence: Some(fence), ..talk.append("c", &["mine"]) }).await);
    assert_eq!(written.fence, Some(fence));
    let rows = talk.rows("c").await;
    assert_eq!((rows.len(), rows[0].fence, rows[0].state), (1, Some(fence), None));
}

async fn a_taken_turn_is_busy_for_everyone_else_until_its_lease_ends(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    talk.turn("c", 10_000).await;
    assert_eq!(talk.take("c", 99_000).await, Taken::Busy { until: until(&talk, 10_000) });
    assert_eq!(talk.later(9_999).take("c", 1_000).await, Taken::Busy { until: until(&talk, 10_000) });
    let turn = talk.summary("c").await.turn.unwrap();
    assert_eq!((turn.holder.as_deref(), turn.until), (Some("ada's laptop"), until(&talk, 10_000)));
    assert_eq!(talk.later(10_000).summary("c").await.turn, None);
}

async fn a_lapsed_lease_is_free_at_once_and_its_holder_cannot_write(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let fence = talk.turn("c", 10_000).await;
    let late = talk.later(10_000);
    let append = || Append { fence: Some(fence), ..late.append("c", &["too late"]) };
    assert_eq!(late.try_append(append()).await, Appended::TurnLost);
    assert_eq!(late.renew("c", fence, 1_000).await, TurnKept::Lost);
    assert_eq!(late.end("c", fence).await, TurnKept::Lost);
    let next = late.turn("c", 10_000).await;
    assert!(next > fence);
    assert_eq!(late.try_append(append()).await, Appended::TurnLost);
    assert_eq!(late.renew("c", fence, 1_000).await, TurnKept::Lost);
    assert_eq!(late.texts("c").await, Vec::<String>::new());
}

async fn a_renewed_turn_lasts_from_then_on(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let fence = talk.turn("c", 10_000).await;
    assert_eq!(talk.later(9_000).renew("c", fence, 10_000).await, TurnKept::Until(until(&talk, 19_000)));
    assert_eq!(talk.later(18_999).take("c", 1_000).await, Taken::Busy { until: until(&talk, 19_000) });
    assert_eq!(
        talk.later(19_000).take("c", 1_000).await,
        Taken::Taken { fence: fence + 1, until: until(&talk, 20_000) }
    );
}

async fn a_lapse_that_an_append_saw_is_final_for_every_clock(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let fence = talk.turn("c", 30_000).await;
    let (early, late) = (talk.later(29_950), talk.later(30_050));
    late.say("c", &["another"]).await;
    let append = Append { fence: Some(fence), ..early.append("c", &["holder"]) };
    assert_eq!(early.try_append(append).await, Appended::TurnLost);
    assert_eq!(early.renew("c", fence, 10_000).await, TurnKept::Lost);
    assert_eq!(early.end("c", fence).await, TurnKept::Lost);
    assert_eq!(early.summary("c").await.turn, None);
    assert_eq!(late.texts("c").await, ["another"]);
    assert!(early.turn("c", 1_000).await > fence);
}

async fn fences_grow_and_are_never_used_twice(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    let mut last = 0;
    for _ in 0..3 {
        let fence = talk.turn("c", 10_000).await;
        assert!(fence > last);
        assert_eq!(talk.end("c", fence).await, TurnKept::Until(talk.now));
        last = fence;
    }
    talk.fork("c", "d", 1).await;
    assert!(talk.turn("d", 1_000).await > last);
}

async fn a_call_that_is_repeated_finds_the_turn_that_it_took(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let take =
        |key: &str, talk: &Talk| Take { at: talk.lookup("c"), holder: None, ttl_ms: 10_000, key: Some(key.to_owned()) };
    let first = talk.store.take_turn(take("k", &talk)).await.unwrap();
    let again = talk.store.take_turn(take("k", &talk.later(5))).await.unwrap();
    assert_eq!(again, first);
    let busy = Taken::Busy { until: until(&talk, 10_000) };
    assert_eq!(talk.store.take_turn(take("other", &talk)).await.unwrap(), busy);
    assert_ne!(talk.store.take_turn(take("k", &talk.later(10_000))).await.unwrap(), first);
}

async fn an_ended_turn_frees_the_conversation(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let fence = talk.turn("c", 10_000).await;
    assert_eq!(talk.end("c", fence + 1).await, TurnKept::Lost);
    assert_eq!(talk.end("c", fence).await, TurnKept::Until(talk.now));
    assert_eq!(talk.end("c", fence).await, TurnKept::Lost);
    talk.say("c", &["free"]).await;
    assert_eq!(talk.summary("c").await.turn, None);
}

async fn an_append_may_end_the_turn_in_the_same_step(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let fence = talk.turn("c", 10_000).await;
    let last = Append { fence: Some(fence), release: true, ..talk.append("c", &["last"]) };
    stored(talk.try_append(last.clone()).await);
    assert_eq!(talk.try_append(last).await, Appended::TurnLost);
    talk.say("c", &["free"]).await;
}

async fn messages_wait_until_their_turn_settles_them(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let fence = Some(talk.turn("c", 10_000).await);
    stored(talk.try_append(Append { fence, pending: true, ..talk.append("c", &["question"]) }).await);
    assert_eq!(talk.rows("c").await[0].state, Some(MessageState::Pending));
    let answer = Append { fence, settle: Some(Settle::Done), release: true, ..talk.append("c", &["answer"]) };
    stored(talk.try_append(answer).await);
    assert!(talk.rows("c").await.iter().all(|row| row.state.is_none()));
}

async fn messages_of_a_turn_that_ends_without_an_answer_have_failed(bed: &Bed) {
    let talk = Talk::new(bed);
    for (name, how) in [("lapsed", 0), ("ended", 1), ("settled", 2)] {
        talk.with(name, &[]).await;
        let fence = talk.turn(name, 10_000).await;
        let question = Append { fence: Some(fence), pending: true, ..talk.append(name, &["question"]) };
        stored(talk.try_append(question).await);
        let settle = Append { fence: Some(fence), settle: Some(Settle::Failed), ..talk.append(name, &[]) };
        let then = match how {
            0 => talk.later(10_000),
            1 => {
                talk.end(name, fence).await;
                talk.clone()
            }
            _ => {
                stored(talk.try_append(settle).await);
                talk.clone()
            }
        };
        assert_eq!(then.rows(name).await[0].state, Some(MessageState::Failed), "{name}");
    }
}

async fn a_failed_message_stays_failed_in_a_later_turn(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let first = Some(talk.turn("c", 10_000).await);
    stored(talk.try_append(Append { fence: first, pending: true, ..talk.append("c", &["lost"]) }).await);
    let late = talk.later(10_000);
    let second = Some(late.turn("c", 10_000).await);
    stored(late.try_append(Append { fence: second, pending: true, ..late.append("c", &["asked"]) }).await);
    let answer = Append { fence: second, settle: Some(Settle::Done), ..late.append("c", &["answer"]) };
    stored(late.try_append(answer).await);
    let states: Vec<_> = late.rows("c").await.into_iter().map(|row| row.state).collect();
    assert_eq!(states, [Some(MessageState::Failed), None, None]);
}
