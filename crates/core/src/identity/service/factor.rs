//! The second factor: an authenticator (RFC 6238: SHA-1, 6 digits, 30 seconds), and recovery codes.

use super::{Account, IdentityService};
use crate::error::{Error, Result};
use crate::identity::port::{EndSessions, Replaced};
use crate::identity::record::{Totp, UserRecord};
use crate::identity::refusals::{login_failed, not_a_user, second_factor_exists, second_factor_required};
use crate::identity::tokens;
use crate::secrets::Place;
use crate::text::hex;
use crate::{Caller, Clock};
use mainstay_api::UserId;
use mainstay_api::identity::{ChangePassword, ConfirmEnrolment, Enrolment, NewSession, Proof, RecoveryCodes};
use mainstay_api::{SessionId, Timestamp};
use secrecy::ExposeSecret;

/// Bytes of a shared secret: as many as the digest has (RFC 4226, section 4).
const SEED_BYTES: usize = 20;
/// The length of a step, in seconds.
const STEP_S: u64 = 30;
/// Steps before and after the present one whose codes are taken: clocks differ.
const SKEW: u16 = 1;
/// Recovery codes that are given.
const CODES: usize = 10;
/// Bytes of a recovery code: 80 bits are beyond guessing.
const CODE_BYTES: usize = 10;

fn place(user: &UserId) -> Place<'_> {
    Place { purpose: "totp", owner: user.as_str() }
}

impl IdentityService {
    /// Begins to enrol an authenticator. It counts only once it is confirmed.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`, `identity.second_factor_exists`, `secrets.key_missing`.
    pub async fn enrol(&self, caller: &Caller, proof: Proof) -> Result<Enrolment> {
        let account = self.proven(caller, proof).await?;
        // Sealed with a ring that lacks keys of the others, the secret would be one that no other process can read.
        self.check_ring().await?;
        let seed = self.mint.secret()[..SEED_BYTES].to_vec();
        let sealed = self.ring()?.seal(place(&account.id), &seed)?;
        let totp = self.authenticator(seed, &account.record.name)?;
        let uri = totp.to_url().map_err(|e| Error::bug(format!("an authenticator has no URI: {e}")))?;
        let secret = totp.secret().to_base32();
        let change = |record: &mut UserRecord| {
            if record.factor().is_some() {
                return Err(second_factor_exists());
            }
            record.totp = Some(Totp { sealed: sealed.clone(), confirmed: false, last_step: 0 });
            Ok(())
        };
        self.change(&account.id, &EndSessions::None, change).await?;
        Ok(Enrolment { secret, uri })
    }

    /// Confirms an authenticator with a code, which is used up by it. Every other session ends, and this one gets a new
    /// token.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`, `identity.second_factor_exists`.
    pub async fn confirm(&self, caller: &Caller, confirm: ConfirmEnrolment) -> Result<RecoveryCodes> {
        let account = self.own(caller).await?;
        self.count_guess(&account.guessed_as()).await?;
        let (codes, kept) = self.new_codes();
        let (token, sessions) = self.rotation(caller)?;
        let change = |record: &mut UserRecord| {
            if record.factor().is_some() {
                return Err(second_factor_exists());
            }
            let step = self.step_of(&account.id, record, &confirm.code)?;
            if let Some(totp) = &mut record.totp {
                (totp.confirmed, totp.last_step) = (true, step);
            }
            record.recovery.clone_from(&kept);
            Ok(())
        };
        self.change(&account.id, &sessions, change).await?;
        self.store.forgive(&account.guessed_as()).await?;
        tracing::info!(user = %account.id, "second factor enrolled");
        Ok(RecoveryCodes { codes, session: self.renewed(caller, token).await? })
    }

    /// Takes the second factor away.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`, `auth.second_factor_required`.
    pub async fn remove_factor(&self, caller: &Caller, proof: Proof) -> Result<NewSession> {
        let account = self.proven(caller, proof).await?;
        let (token, sessions) = self.rotation(caller)?;
        let change = |record: &mut UserRecord| {
            record.totp = None;
            record.recovery.clear();
            Ok(())
        };
        self.change(&account.id, &sessions, change).await?;
        tracing::info!(user = %account.id, "second factor removed");
        self.renewed(caller, token).await
    }

    /// Replaces the recovery codes.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`, `auth.second_factor_required`; an invalid request where there is no second factor.
    pub async fn renew_codes(&self, caller: &Caller, proof: Proof) -> Result<RecoveryCodes> {
        let account = self.proven(caller, proof).await?;
        let (codes, kept) = self.new_codes();
        let (token, sessions) = self.rotation(caller)?;
        let change = |record: &mut UserRecord| {
            if record.factor().is_none() {
                return Err(Error::invalid("this account has no second factor, and so needs no recovery codes"));
            }
            record.recovery.clone_from(&kept);
            Ok(())
        };
        self.change(&account.id, &sessions, change).await?;
        Ok(RecoveryCodes { codes, session: self.renewed(caller, token).await? })
    }

    /// Changes one's own password: with a code, where there is a second factor. Every other session ends, and this one gets
    /// a new token.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`, `auth.second_factor_required`, or an invalid request.
    pub async fn change_password(&self, caller: &Caller, change: ChangePassword) -> Result<NewSession> {
        let account = self.own(caller).await?;
        crate::identity::password::check(&change.new_password, &account.record.name)?;
        self.proven(caller, Proof { password: change.password, code: change.code }).await?;
        let (old, new) = (account.record.password.clone(), self.passwords.hash(change.new_password.into()).await?);
        let (token, sessions) = self.rotation(caller)?;
        let now = self.clock.now();
        let write = |record: &mut UserRecord| {
            // What was checked was the password of before.
            if record.password != old {
                return Err(login_failed());
            }
            record.password.clone_from(&new);
            record.password_changed_at = now;
            Ok(())
        };
        self.change(&account.id, &sessions, write).await?;
        self.renewed(caller, token).await
    }

    /// Accepts a code of the authenticator: each step once, of several attempts at once one.
    pub(super) async fn accept_code(&self, id: &UserId, code: &str) -> Result<Account> {
        let change = |record: &mut UserRecord| {
            let step = self.step_of(id, record, code)?;
            if let Some(totp) = &mut record.totp {
                totp.last_step = step;
            }
            Ok(())
        };
        Ok(self.change(id, &EndSessions::None, change).await?.1)
    }

    /// Takes a recovery code, which is used up: of several attempts at once one.
    pub(super) async fn take_recovery(&self, id: &UserId, code: &str) -> Result<Account> {
        let digest = tokens::digest(&plain(code));
        let change = |record: &mut UserRecord| {
            let before = record.recovery.len();
            record.recovery.retain(|kept| *kept != digest);
            if record.recovery.len() == before { Err(login_failed()) } else { Ok(()) }
        };
        let account = self.change(id, &EndSessions::None, change).await?.1;
        tracing::warn!(user = %id, left = account.record.recovery.len(), "a recovery code was used");
        Ok(account)
    }

    /// The user behind a session, who has just shown the password, and a code where there is a second factor. Without the
    /// code the guess stays counted: the password alone buys no new guesses at it.
    async fn proven(&self, caller: &Caller, proof: Proof) -> Result<Account> {
        let account = self.own(caller).await?;
        self.check_password(&account, proof.password).await?;
        if account.record.factor().is_none() {
            self.store.forgive(&account.guessed_as()).await?;
            return Ok(account);
        }
        let code = proof.code.ok_or_else(second_factor_required)?;
        let account = self.accept_code(&account.id, &code).await?;
        self.store.forgive(&account.guessed_as()).await?;
        Ok(account)
    }

    async fn check_password(&self, account: &Account, password: String) -> Result<()> {
        self.count_guess(&account.guessed_as()).await?;
        let fits = self.passwords.verify(password.into(), Some(account.record.password.clone())).await?;
        if fits { Ok(()) } else { Err(login_failed()) }
    }

    /// The step whose code this is, where none up to it was accepted before.
    fn step_of(&self, user: &UserId, record: &UserRecord, code: &str) -> Result<u64> {
        let totp = record.totp.as_ref().ok_or_else(login_failed)?;
        let seed = self.ring()?.open(place(user), &totp.sealed)?;
        let authenticator = self.authenticator(seed.expose_secret().clone(), &record.name)?;
        let now_s = seconds(self.clock.as_ref());
        // The newest that fits: a code may by chance be that of two steps.
        let steps = (now_s / STEP_S).saturating_sub(SKEW.into())..=now_s / STEP_S + u64::from(SKEW);
        let fits = |step: &u64| equal(authenticator.generate(step * STEP_S).to_string().as_bytes(), code.as_bytes());
        steps.rev().find(fits).filter(|step| *step > totp.last_step).ok_or_else(login_failed)
    }

    fn authenticator(&self, seed: Vec<u8>, account: &str) -> Result<totp_rs::Totp> {
        // A colon would end the name of the issuer in the URI.
        let built = totp_rs::Builder::new()
            .with_algorithm(totp_rs::Algorithm::SHA1)
            .with_secret(seed)
            .with_step_duration(STEP_S)
            .with_account_name(account.replace(':', "_"))
            .with_issuer(Some(self.rules.issuer.replace(':', "_")))
            .build();
        built.map_err(|e| Error::bug(format!("an authenticator cannot be made: {e}")))
    }

    fn new_codes(&self) -> (Vec<String>, Vec<String>) {
        let codes: Vec<String> = (0..CODES).map(|_| spelled(&self.mint.secret()[..CODE_BYTES])).collect();
        let kept = codes.iter().map(|code| tokens::digest(&plain(code))).collect();
        (codes, kept)
    }

    /// A new token for the session of the caller, and the end of all others.
    fn rotation(&self, caller: &Caller) -> Result<(String, EndSessions)> {
        let session: SessionId = caller.session.clone().ok_or_else(not_a_user)?;
        let token = tokens::session_text(&self.mint.secret());
        let sessions = EndSessions::Rotate { session, token: tokens::digest(&token) };
        Ok((token, sessions))
    }

    /// The session of the caller under its new token.
    async fn renewed(&self, caller: &Caller, token: String) -> Result<NewSession> {
        let found = self.store.use_session(&tokens::digest(&token), self.r#use()).await?;
        let (row, _) = found.ok_or_else(login_failed)?;
        tracing::info!(principal = %caller.principal, session = %row.id, "session rotated");
        Ok(NewSession { token, id: row.id, expires_at: row.expires_at })
    }

    /// Seals the secrets of every user with the primary key; returns how many were sealed with another. Doing it twice is
    /// doing it once. Where the ring lacks a key, none is touched.
    ///
    /// # Errors
    /// Those of the store; `secrets.key_missing`, `secrets.unreadable`.
    pub async fn reseal(&self, caller: &Caller) -> Result<u32> {
        caller.require_everywhere(crate::Scope::IdentityAdmin)?;
        self.check_ring().await?;
        let ring = self.ring()?;
        let mut resealed = 0;
        for (id, row) in self.store.users().await? {
            let mut account = Account::of(id, &row)?;
            while account.record.seal_key().is_some_and(|key| key != ring.primary().id) {
                if let Some(totp) = &mut account.record.totp {
                    let seed = ring.open(place(&account.id), &totp.sealed)?;
                    totp.sealed = ring.seal(place(&account.id), seed.expose_secret())?;
                }
                match self.save(&account, EndSessions::None).await? {
                    Replaced::Replaced(_) => {
                        resealed += 1;
                        break;
                    }
                    Replaced::NotFound => break,
                    Replaced::Conflict => account = self.account(&account.id).await?,
                }
            }
        }
        Ok(resealed)
    }

    /// The keys that something in the store is sealed with.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn seal_keys(&self, caller: &Caller) -> Result<Vec<String>> {
        caller.require_everywhere(crate::Scope::IdentityAdmin)?;
        self.store.seal_keys().await
    }
}

fn seconds(clock: &dyn Clock) -> u64 {
    let now: Timestamp = clock.now();
    u64::try_from(now.as_millis() / 1_000).unwrap_or(0)
}

/// Whether two codes are the same; takes the same time whatever they are.
fn equal(a: &[u8], b: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(a, b).into()
}

/// A recovery code for people: groups of four hexadecimal digits.
fn spelled(bytes: &[u8]) -> String {
    bytes.chunks(2).map(hex).collect::<Vec<_>>().join("-")
}

/// A recovery code as it is compared: how it was typed does not matter.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}
