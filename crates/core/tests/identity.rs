//! The rules of identity, on the reference model and with a clock that stands still until a test moves it.

use mainstay_core::api::identity::{
    AddUser, AnswerChallenge, ChangePassword, ChangeUser, ConfirmEnrolment, CreateKey, Enrolment, Login, LoginOutcome,
    NewSession, Proof, RoleGrant, User,
};
use mainstay_core::api::{Code, Namespace};
use mainstay_core::identity::{IdentityRules, IdentityService, IdentityStore, Purpose, Visitor};
use mainstay_core::secrets::KeyRing;
use mainstay_core::{Caller, FakeClock, Grant, Grants, RandomMint, Result, Role, Scope};
use mainstay_testkit::model;
use std::sync::Arc;

const NOW_MS: i64 = 1_763_673_827_000;
const STEP_MS: i64 = 30_000;
const PASSWORD: &str = "correct horse battery";
const OTHER_PASSWORD: &str = "another horse here";

struct Desk {
    identity: Arc<IdentityService>,
    store: Arc<dyn IdentityStore>,
    clock: Arc<FakeClock>,
}

fn desk() -> Desk {
    let (clock, store) = (Arc::new(FakeClock::at(NOW_MS)), model::stores().identity);
    let rules = IdentityRules { ring: Some(KeyRing::generate().unwrap()), ..IdentityRules::default() };
    let identity = IdentityService::new(store.clone(), clock.clone(), Arc::new(RandomMint), rules);
    Desk { identity: Arc::new(identity), store, clock }
}

impl Desk {
    async fn user(&self, name: &str) -> User {
        let grants = vec![RoleGrant { namespace: None, role: "member".into() }];
        let add = AddUser { name: name.into(), display_name: None, password: PASSWORD.into(), grants };
        self.identity.add_user(&Caller::owner(), add).await.unwrap()
    }

    async fn login(&self, name: &str, password: &str) -> Result<LoginOutcome> {
        let login = Login { name: name.into(), password: password.into() };
        self.identity.login(login, Visitor::default()).await.outcome
    }

    async fn session(&self, name: &str) -> NewSession {
        match self.login(name, PASSWORD).await.unwrap() {
            LoginOutcome::Session(session) => session,
            LoginOutcome::Challenge(_) => panic!("{name} has a second factor"),
        }
    }

    async fn challenge(&self, name: &str) -> String {
        match self.login(name, PASSWORD).await.unwrap() {
            LoginOutcome::Challenge(challenge) => challenge.challenge,
            LoginOutcome::Session(_) => panic!("{name} has no second factor"),
        }
    }

    async fn answer(&self, challenge: &str, code: &str) -> Result<NewSession> {
        let answer = AnswerChallenge { challenge: challenge.into(), code: Some(code.into()), recovery_code: None };
        self.identity.answer(answer, Visitor::default()).await.outcome
    }

    async fn recover(&self, challenge: &str, code: &str) -> Result<NewSession> {
        let answer = AnswerChallenge { challenge: challenge.into(), code: None, recovery_code: Some(code.into()) };
        self.identity.answer(answer, Visitor::default()).await.outcome
    }

    async fn stands(&self, token: &str) -> bool {
        self.identity.by_session(token, Purpose::Use).await.unwrap().is_some()
    }

    /// The caller that a session makes.
    async fn caller(&self, session: &NewSession) -> Caller {
        let known = self.identity.by_session(&session.token, Purpose::Use).await.unwrap().expect("it stands");
        let namespace = Namespace::default();
        Caller {
            principal: known.principal,
            subject: known.subject,
            instance: None,
            scopes: known.grants.scopes_in(&namespace),
            namespace,
            grants: known.grants,
            session: known.session,
        }
    }

    /// What an authenticator shows so many milliseconds from now.
    fn code(&self, enrolment: &Enrolment, in_ms: i64) -> String {
        let totp = totp_rs::Totp::from_url(&enrolment.uri).unwrap();
        let now_ms = mainstay_core::Clock::now(self.clock.as_ref()).as_millis() + in_ms;
        totp.generate(u64::try_from(now_ms / 1_000).unwrap()).to_string()
    }

    /// A user with a confirmed second factor, its recovery codes and its session.
    async fn enrolled(&self, name: &str) -> (Enrolment, Vec<String>, NewSession) {
        self.user(name).await;
        let caller = self.caller(&self.session(name).await).await;
        let enrolment = self.identity.enrol(&caller, proof(None)).await.unwrap();
        let confirm = ConfirmEnrolment { code: self.code(&enrolment, 0) };
        let codes = self.identity.confirm(&caller, confirm).await.unwrap();
        (enrolment, codes.codes, codes.session)
    }
}

fn proof(code: Option<String>) -> Proof {
    Proof { password: PASSWORD.into(), code }
}

fn new_password(password: &str, code: Option<String>) -> ChangePassword {
    ChangePassword { password: password.into(), new_password: OTHER_PASSWORD.into(), code }
}

fn code_of<T>(outcome: Result<T>) -> Code {
    outcome.map(drop).unwrap_err().code()
}

#[tokio::test]
async fn a_wrong_password_and_a_name_that_nobody_has_are_told_alike() {
    let desk = desk();
    desk.user("Ada").await;
    let wrong = desk.login("ada", "wrong horse battery").await.unwrap_err();
    let nobody = desk.login("eve", "wrong horse battery").await.unwrap_err();
    assert_eq!(wrong.code(), Code::LoginFailed);
    assert_eq!((wrong.problem.detail, wrong.problem.help), (nobody.problem.detail, nobody.problem.help));
    assert!(desk.stands(&desk.session("ADA").await.token).await, "capital letters do not matter");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_locked_like_any_other() {
    let desk = desk();
    for name in ["ada", "nobody"] {
        if name == "ada" {
            desk.user(name).await;
        }
        for _ in 0..5 {
            assert_eq!(code_of(desk.login(name, "wrong horse battery").await), Code::LoginFailed, "{name}");
        }
        let locked = desk.login(name, PASSWORD).await.unwrap_err();
        assert_eq!((locked.code(), locked.problem.retry_after_ms), (Code::AccountLocked, Some(30_000)), "{name}");
    }
    desk.clock.advance(30_000);
    assert!(desk.login("ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn guesses_at_the_same_time_are_looked_at_no_more_often_than_allowed() {
    let desk = desk();
    desk.user("ada").await;
    let guesses = (0..40).map(|_| desk.login("ada", "wrong horse battery"));
    let outcomes = futures::future::join_all(guesses).await;
    let looked_at = outcomes.into_iter().filter(|outcome| matches!(outcome, Err(e) if e.code() == Code::LoginFailed));
    assert_eq!(looked_at.count(), 5);
}

#[tokio::test]
async fn a_code_is_accepted_once_also_the_one_that_confirmed_the_authenticator() {
    let desk = desk();
    let (enrolment, _, session) = desk.enrolled("ada").await;
    assert!(desk.stands(&session.token).await);
    let challenge = desk.challenge("ada").await;
    assert_eq!(code_of(desk.answer(&challenge, &desk.code(&enrolment, 0)).await), Code::LoginFailed);
    desk.clock.advance(STEP_MS);
    let code = desk.code(&enrolment, 0);
    assert!(desk.answer(&challenge, &code).await.is_ok());
    let again = desk.challenge("ada").await;
    assert_eq!(code_of(desk.answer(&again, &code).await), Code::LoginFailed, "a code that was used");
    assert_eq!(code_of(desk.answer(&challenge, &code).await), Code::ChallengeInvalid, "a challenge that was used");
}

#[tokio::test]
async fn of_several_who_use_one_code_at_once_one_gets_in() {
    let desk = desk();
    let (enrolment, codes, _) = desk.enrolled("ada").await;
    desk.clock.advance(STEP_MS);
    let (one, two, three) = (desk.challenge("ada").await, desk.challenge("ada").await, desk.challenge("ada").await);
    let code = desk.code(&enrolment, 0);
    let (a, b, c) = tokio::join!(desk.answer(&one, &code), desk.answer(&two, &code), desk.answer(&three, &code));
    assert_eq!([a, b, c].into_iter().filter(Result::is_ok).count(), 1);
    let (one, two) = (desk.challenge("ada").await, desk.challenge("ada").await);
    let (a, b) = tokio::join!(desk.recover(&one, &codes[0]), desk.recover(&two, &codes[0]));
    assert_eq!([a, b].into_iter().filter(Result::is_ok).count(), 1, "a recovery code, too");
}

#[tokio::test]
async fn a_code_of_the_step_before_or_after_is_taken_and_none_beyond() {
    let desk = desk();
    let (enrolment, ..) = desk.enrolled("ada").await;
    desk.clock.advance(10 * STEP_MS);
    for (step, taken) in [(-1, true), (-2, false), (1, true), (2, false)] {
        let challenge = desk.challenge("ada").await;
        let outcome = desk.answer(&challenge, &desk.code(&enrolment, step * STEP_MS)).await;
        assert_eq!(outcome.is_ok(), taken, "{step}");
        desk.clock.advance(10 * STEP_MS);
    }
}

#[tokio::test]
async fn wrong_answers_count_for_the_challenge_and_for_the_account_on_every_way() {
    let desk = desk();
    let (enrolment, _, session) = desk.enrolled("ada").await;
    let caller = desk.caller(&session).await;
    desk.clock.advance(STEP_MS);
    // The password was right twice, and still each beginning of a login counts until one is complete.
    let challenge = desk.challenge("ada").await;
    assert_eq!(code_of(desk.answer(&challenge, "000000").await), Code::LoginFailed);
    let removal = desk.identity.remove_factor(&caller, Proof { password: "wrong horse battery".into(), code: None });
    assert_eq!(code_of(removal.await), Code::LoginFailed);
    let change = new_password("wrong horse battery", None);
    assert_eq!(code_of(desk.identity.change_password(&caller, change).await), Code::LoginFailed);
    assert_eq!(code_of(desk.login("ada", "wrong horse battery").await), Code::LoginFailed);
    assert_eq!(code_of(desk.answer(&challenge, &desk.code(&enrolment, 0)).await), Code::AccountLocked);
    assert_eq!(code_of(desk.login("ada", PASSWORD).await), Code::AccountLocked);
}

#[tokio::test]
async fn a_recovery_code_is_used_up_and_how_it_is_typed_does_not_matter() {
    let desk = desk();
    let (_, codes, _) = desk.enrolled("ada").await;
    assert_eq!(codes.len(), 10);
    let challenge = desk.challenge("ada").await;
    let typed = format!(" {} ", codes[3].to_uppercase().replace('-', " "));
    assert!(desk.recover(&challenge, &typed).await.is_ok());
    let challenge = desk.challenge("ada").await;
    assert_eq!(code_of(desk.recover(&challenge, &codes[3]).await), Code::LoginFailed);
}

#[tokio::test]
async fn a_change_of_weight_ends_other_sessions_and_renews_this_one() {
    let desk = desk();
    desk.user("ada").await;
    let (here, there) = (desk.session("ada").await, desk.session("ada").await);
    let caller = desk.caller(&here).await;
    let change = new_password(PASSWORD, None);
    let renewed = desk.identity.change_password(&caller, change).await.unwrap();
    assert_eq!(renewed.id, here.id);
    assert!(!desk.stands(&here.token).await && !desk.stands(&there.token).await);
    assert!(desk.stands(&renewed.token).await);
    assert!(desk.login("ada", OTHER_PASSWORD).await.is_ok());
    assert_eq!(code_of(desk.login("ada", PASSWORD).await), Code::LoginFailed);
}

#[tokio::test]
async fn who_is_kept_out_or_may_do_less_has_no_session_any_more() {
    let desk = desk();
    let ada = desk.user("ada").await;
    let session = desk.session("ada").await;
    let owner = Caller::owner();
    let viewer = vec![RoleGrant { namespace: None, role: "viewer".into() }];
    let less = ChangeUser { grants: Some(viewer), ..ChangeUser::default() };
    desk.identity.change_user(&owner, &ada.id, less).await.unwrap();
    assert!(!desk.stands(&session.token).await);
    let caller = desk.caller(&desk.session("ada").await).await;
    assert!(caller.scopes.contains(Scope::MailRead) && !caller.scopes.contains(Scope::MailWrite));
    let out = ChangeUser { disabled: Some(true), ..ChangeUser::default() };
    desk.identity.change_user(&owner, &ada.id, out).await.unwrap();
    assert_eq!(code_of(desk.login("ada", PASSWORD).await), Code::LoginFailed);
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_hold_there() {
    let desk = desk();
    let shop = Namespace::parse("shop").unwrap();
    let with = |grants: Vec<Grant>| Caller { grants: Grants::new(grants), ..Caller::owner() };
    let everywhere = |role: Role| Grant { namespace: None, scopes: role.scopes() };
    let key = |role: &str, namespaces: Vec<Namespace>| CreateKey {
        name: "k".into(),
        role: Some(role.into()),
        namespaces,
        ..CreateKey::default()
    };
    let admin = with(vec![everywhere(Role::Admin)]);
    assert!(desk.identity.create_key(&admin, key("admin", vec![])).await.is_ok());
    assert_eq!(code_of(desk.identity.create_key(&admin, key("owner", vec![])).await), Code::Forbidden);
    let of_shop = with(vec![Grant { namespace: Some(shop.clone()), scopes: Role::Admin.scopes() }]);
    let in_shop = desk.identity.create_key(&of_shop, key("viewer", vec![shop])).await;
    assert_eq!(code_of(in_shop), Code::Forbidden, "identity is one for all namespaces");
    let ada = desk.user("ada").await;
    let owner = vec![RoleGrant { namespace: None, role: "owner".into() }];
    let promote = ChangeUser { grants: Some(owner), ..ChangeUser::default() };
    assert_eq!(code_of(desk.identity.change_user(&admin, &ada.id, promote.clone()).await), Code::Forbidden);
    desk.identity.change_user(&Caller::owner(), &ada.id, promote).await.unwrap();
    assert_eq!(
        code_of(desk.identity.remove_user(&admin, &ada.id).await),
        Code::Forbidden,
        "nor changes who holds more"
    );
}

#[tokio::test]
async fn nobody_silences_who_may_do_more() {
    let desk = desk();
    let owner = Caller::owner();
    let scopes = Role::Admin.scopes();
    let admin = Caller { grants: Grants::new(vec![Grant { namespace: None, scopes }]), scopes, ..Caller::owner() };
    let create = |role: &str| CreateKey { name: "k".into(), role: Some(role.into()), ..CreateKey::default() };
    let mightier = desk.identity.create_key(&owner, create("owner")).await.unwrap();
    let equal = desk.identity.create_key(&owner, create("admin")).await.unwrap();
    assert_eq!(code_of(desk.identity.revoke_key(&admin, &mightier.key.id).await), Code::Forbidden);
    assert!(desk.identity.by_key(&mightier.token, Purpose::Use).await.unwrap().is_some());
    desk.identity.revoke_key(&admin, &equal.key.id).await.unwrap();
    let (ada, bob) = (desk.user("ada").await, desk.user("bob").await);
    let grants = Some(vec![RoleGrant { namespace: None, role: "owner".into() }]);
    desk.identity.change_user(&owner, &ada.id, ChangeUser { grants, ..ChangeUser::default() }).await.unwrap();
    let (of_ada, of_bob) = (desk.session("ada").await, desk.session("bob").await);
    assert_eq!(code_of(desk.identity.end_sessions_of(&admin, &ada.id).await), Code::Forbidden);
    assert!(desk.stands(&of_ada.token).await);
    assert_eq!(desk.identity.end_sessions_of(&admin, &bob.id).await.unwrap().ended, 1);
    assert!(!desk.stands(&of_bob.token).await);
    assert_eq!(desk.identity.end_sessions_of(&owner, &ada.id).await.unwrap().ended, 1);
}

#[tokio::test]
async fn secrets_stand_in_no_record_and_a_missing_key_is_noticed() {
    let desk = desk();
    let (enrolment, codes, _) = desk.enrolled("ada").await;
    let seed = totp_rs::Secret::try_from_base32(&enrolment.secret).unwrap();
    for (_, row) in desk.store.users().await.unwrap() {
        let text = String::from_utf8(row.document.to_vec()).unwrap();
        assert!(!text.contains(PASSWORD) && !text.contains(&enrolment.secret), "{text}");
        assert!(codes.iter().all(|code| !text.contains(code.as_str())), "{text}");
        assert!(!row.document.windows(seed.as_bytes().len()).any(|window| window == seed.as_bytes()));
    }
    assert!(desk.identity.check_ring().await.is_ok());
    desk.user("eve").await;
    let other = IdentityRules { ring: Some(KeyRing::generate().unwrap()), ..IdentityRules::default() };
    for rules in [other, IdentityRules::default()] {
        let clock = desk.clock.clone();
        let elsewhere = IdentityService::new(desk.store.clone(), clock, Arc::new(RandomMint), rules);
        assert_eq!(code_of(elsewhere.check_ring().await), Code::SecretsKeyMissing);
        // It seals nothing beside secrets that it cannot read.
        let elsewhere = Desk { identity: Arc::new(elsewhere), store: desk.store.clone(), clock: desk.clock.clone() };
        let eve = elsewhere.caller(&elsewhere.session("eve").await).await;
        assert_eq!(code_of(elsewhere.identity.enrol(&eve, proof(None)).await), Code::SecretsKeyMissing);
        assert_eq!(code_of(elsewhere.identity.reseal(&Caller::owner()).await), Code::SecretsKeyMissing);
    }
}

#[tokio::test]
async fn after_a_rotation_of_the_ring_everything_is_sealed_anew_once() {
    let desk = desk();
    let ring = KeyRing::generate().unwrap();
    let on = |ring: &KeyRing| {
        let rules = IdentityRules { ring: Some(ring.clone()), ..IdentityRules::default() };
        let identity = IdentityService::new(desk.store.clone(), desk.clock.clone(), Arc::new(RandomMint), rules);
        Desk { identity: Arc::new(identity), store: desk.store.clone(), clock: desk.clock.clone() }
    };
    let (enrolment, ..) = on(&ring).enrolled("ada").await;
    let rotated = ring.rotated().unwrap();
    let after = on(&rotated);
    assert_eq!(after.identity.reseal(&Caller::owner()).await.unwrap(), 1);
    assert_eq!(after.identity.reseal(&Caller::owner()).await.unwrap(), 0);
    assert_eq!(after.store.seal_keys().await.unwrap(), [rotated.primary().id.clone()]);
    let retired = on(&rotated.without(&ring.primary().id).unwrap());
    retired.identity.check_ring().await.unwrap();
    retired.clock.advance(STEP_MS);
    let challenge = retired.challenge("ada").await;
    assert!(retired.answer(&challenge, &retired.code(&enrolment, 0)).await.is_ok());
}

#[tokio::test]
async fn where_there_is_a_second_factor_a_new_password_needs_a_code_of_it() {
    let desk = desk();
    let (enrolment, _, session) = desk.enrolled("ada").await;
    let caller = desk.caller(&session).await;
    desk.clock.advance(STEP_MS);
    let change = |code| desk.identity.change_password(&caller, new_password(PASSWORD, code));
    assert_eq!(code_of(change(None).await), Code::SecondFactorRequired);
    assert_eq!(code_of(change(Some("000000".into())).await), Code::LoginFailed);
    let code = desk.code(&enrolment, 0);
    desk.login("ada", PASSWORD).await.expect("nothing was changed");
    let renewed = change(Some(code.clone())).await.unwrap();
    assert_eq!(renewed.id, session.id);
    assert_eq!(code_of(desk.login("ada", PASSWORD).await), Code::LoginFailed);
    let LoginOutcome::Challenge(challenge) = desk.login("ada", OTHER_PASSWORD).await.unwrap() else { panic!() };
    assert_eq!(code_of(desk.answer(&challenge.challenge, &code).await), Code::LoginFailed, "the code is used up");
}

#[tokio::test]
async fn the_password_alone_buys_no_new_guesses_at_the_second_factor() {
    let desk = desk();
    let (enrolment, _, session) = desk.enrolled("ada").await;
    let caller = desk.caller(&session).await;
    desk.clock.advance(STEP_MS);
    for code in [None, Some("000000".to_owned()), None, Some("000000".to_owned()), None] {
        assert!(desk.identity.change_password(&caller, new_password(PASSWORD, code)).await.is_err());
    }
    let right = new_password(PASSWORD, Some(desk.code(&enrolment, 0)));
    assert_eq!(code_of(desk.identity.change_password(&caller, right).await), Code::AccountLocked);
}

#[tokio::test]
async fn a_challenge_ends_with_the_password_that_was_shown_for_it() {
    let desk = desk();
    let (enrolment, _, session) = desk.enrolled("ada").await;
    let challenge = desk.challenge("ada").await;
    desk.clock.advance(STEP_MS);
    let change = new_password(PASSWORD, Some(desk.code(&enrolment, 0)));
    desk.identity.change_password(&desk.caller(&session).await, change).await.unwrap();
    desk.clock.advance(STEP_MS);
    let late = desk.answer(&challenge, &desk.code(&enrolment, 0)).await;
    assert_eq!(code_of(late), Code::ChallengeInvalid);
}

#[tokio::test]
async fn what_watches_a_credential_is_no_use_of_it() {
    let desk = desk();
    desk.user("ada").await;
    let session = desk.session("ada").await;
    let half = IdentityRules::default().session_idle_ms / 2;
    desk.clock.advance(half);
    assert!(desk.identity.by_session(&session.token, Purpose::Watch).await.unwrap().is_some());
    desk.clock.advance(half);
    assert!(!desk.stands(&session.token).await);
    let create = CreateKey { name: "k".into(), role: Some("viewer".into()), ..CreateKey::default() };
    let key = desk.identity.create_key(&Caller::owner(), create).await.unwrap();
    let last_used = async || desk.identity.read_key(&Caller::owner(), &key.key.id).await.unwrap().last_used_at;
    assert!(desk.identity.by_key(&key.token, Purpose::Watch).await.unwrap().is_some());
    assert_eq!(last_used().await, None);
    assert!(desk.identity.by_key(&key.token, Purpose::Use).await.unwrap().is_some());
    assert!(last_used().await.is_some());
    let guess = format!("{}x", &key.token[..key.token.len() - 1]);
    assert!(desk.identity.by_key(&guess, Purpose::Watch).await.unwrap().is_none());
}
