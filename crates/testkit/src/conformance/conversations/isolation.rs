//! What one owner has is not there for another.

use super::talk::{Talk, id};
use crate::conformance::mail::hostile::HOSTILE;
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::Topic;
use mainstay_core::api::{Realm, Subject, SubjectId, TenantId};
use mainstay_core::conversations::{Appended, Created, Forked, From, Owner, Patched, Taken, TurnKept};

cases! {
    ($) conversations_isolation_tests, conversations::isolation:
    nothing_of_a_user_can_be_done_by_another_who_knows_the_id,
    two_users_may_have_the_same_id,
    realms_and_tenants_do_not_see_each_other,
    no_name_reaches_into_the_place_of_another_owner,
    hostile_ids_are_ids,
    a_change_wakes_those_who_watch_the_owner,
}

async fn nothing_of_a_user_can_be_done_by_another_who_knows_the_id(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["secret"]).await;
    let fence = talk.turn("c", 60_000).await;
    let before = talk.find("c").await;
    for other in [talk.of("eve"), talk.within(bed.namespace())] {
        assert_eq!(other.find("c").await, None);
        assert_eq!(other.page("c", From::After(0), 10).await, None);
        assert_eq!(other.names().await, Vec::<String>::new());
        assert_eq!(other.try_append(other.append("c", &["x"])).await, Appended::NotFound);
        assert_eq!(other.patch(other.change("c", 2)).await, Patched::NotFound);
        assert_eq!(other.take("c", 1_000).await, Taken::NotFound);
        assert_eq!(other.renew("c", fence, 1_000).await, TurnKept::NotFound);
        assert_eq!(other.end("c", fence).await, TurnKept::NotFound);
        assert_eq!(other.fork("c", "d", 1).await, Forked::NoSource);
        assert!(!other.store.touch(&other.lookup("c")).await.unwrap());
        assert!(!other.delete("c").await);
        assert_eq!(other.erase().await, 0);
    }
    assert_eq!(talk.find("c").await, before);
    assert_eq!(talk.texts("c").await, ["secret"]);
}

async fn two_users_may_have_the_same_id(bed: &Bed) {
    let talk = Talk::new(bed);
    let eve = talk.of("eve");
    talk.with("c", &["of ada"]).await;
    eve.with("c", &["of eve"]).await;
    assert!(eve.delete("c").await);
    assert_eq!(talk.texts("c").await, ["of ada"]);
}

async fn realms_and_tenants_do_not_see_each_other(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    let of = |realm: &str, tenant: &str| {
        let (realm, tenant) = (Realm::parse(realm).unwrap(), TenantId::parse(tenant).unwrap());
        let subject = Subject { realm, tenant, user: talk.owner.subject.user.clone() };
        Talk { owner: Owner { subject, ..talk.owner.clone() }, ..talk.clone() }
    };
    for other in [of("entra", "local"), of("local", "acme")] {
        assert_eq!(other.find("c").await, None);
        assert_eq!(other.create("c").await, Created::Created);
    }
    assert_eq!(talk.texts("c").await, ["one"]);
}

async fn no_name_reaches_into_the_place_of_another_owner(bed: &Bed) {
    let talk = Talk::new(bed);
    let of = |tenant: &str, user: &str| {
        let (tenant, user) = (TenantId::parse(tenant).unwrap(), SubjectId::parse(user).unwrap());
        let subject = Subject { realm: Realm::local(), tenant, user };
        Talk { owner: Owner { subject, ..talk.owner.clone() }, ..talk.clone() }
    };
    // Joined by any of these characters, the parts of two owners would look the same.
    for joint in [".", ":", "/", " ", "%2E", "}", "\n", "%3A"] {
        let one = of(&format!("a{joint}b"), "c");
        let other = of("a", &format!("b{joint}c"));
        one.with("c", &["one"]).await;
        assert_eq!(other.find("c").await, None, "{joint:?}");
        assert_eq!(other.create("c").await, Created::Created, "{joint:?}");
        one.erase().await;
        other.erase().await;
    }
}

async fn hostile_ids_are_ids(bed: &Bed) {
    let talk = Talk::at(bed, bed.now()).within(bed.namespace_like(":{x}%\n"));
    for (number, name) in HOSTILE.into_iter().enumerate() {
        talk.later(number as i64).with(name, &[name]).await;
    }
    let mut names = talk.names().await;
    names.reverse();
    assert_eq!(names, HOSTILE);
    for name in HOSTILE {
        assert_eq!(talk.summary(name).await.id, id(name));
        assert_eq!(talk.texts(name).await, [name]);
        assert!(talk.delete(name).await);
        assert_eq!(talk.find(name).await, None);
    }
}

async fn a_change_wakes_those_who_watch_the_owner(bed: &Bed) {
    let talk = Talk::new(bed).of("ada:{b} \n");
    let topic = Topic::Conversations(talk.owner.namespace.clone(), talk.owner.subject.clone());
    let mut subscriber = Subscriber::on(bed).await;
    talk.create("c").await;
    subscriber.woken(&topic, "a beginning").await;
    subscriber.settle().await;
    talk.say("c", &["one"]).await;
    subscriber.woken(&topic, "an append").await;
    subscriber.settle().await;
    talk.patch(talk.change("c", 2)).await;
    subscriber.woken(&topic, "a patch").await;
    subscriber.settle().await;
    let fence = talk.turn("c", 1_000).await;
    subscriber.woken(&topic, "a turn").await;
    subscriber.settle().await;
    talk.end("c", fence).await;
    subscriber.woken(&topic, "the end of a turn").await;
    subscriber.settle().await;
    talk.fork("c", "d", 1).await;
    subscriber.woken(&topic, "a fork").await;
    subscriber.settle().await;
    talk.delete("c").await;
    subscriber.woken(&topic, "a deletion").await;
    subscriber.settle().await;
    talk.erase().await;
    subscriber.woken(&topic, "an erasure").await;
}
