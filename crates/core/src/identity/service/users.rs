//! Users.

use super::{IdentityService, name_key};
use crate::error::{Error, Result};
use crate::identity::password;
use crate::identity::port::{EndSessions, InsertUser, Inserted};
use crate::identity::record::{UserRecord, granted, write};
use crate::identity::refusals::{full, not_found, taken};
use crate::{Caller, Scope};
use mainstay_api::UserId;
use mainstay_api::identity::{
    AddUser, ChangeUser, MAX_DISPLAY_NAME_BYTES, MAX_NAMESPACES, MAX_USER_NAME_BYTES, RoleGrant, SetPassword, User,
    Users,
};

impl IdentityService {
    /// Adds a user.
    ///
    /// # Errors
    /// `identity.exists`, `identity.full`, or an invalid request.
    pub async fn add_user(&self, caller: &Caller, add: AddUser) -> Result<User> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        let name = check_name(&add.name)?;
        check_display_name(add.display_name.as_deref())?;
        check_grants(caller, &add.grants)?;
        password::check(&add.password, &name)?;
        let now = self.clock.now();
        let record = UserRecord {
            name: name.clone(),
            display_name: add.display_name,
            grants: add.grants,
            disabled: false,
            password: self.passwords.hash(add.password.into()).await?,
            created_at: now,
            password_changed_at: now,
            totp: None,
            recovery: Vec::new(),
        };
        let id = self.mint.user_id();
        let insert = InsertUser {
            id: id.clone(),
            name_key: name_key(&name),
            document: write(&record)?,
            max_users: self.rules.max_users,
        };
        match self.store.insert_user(insert).await? {
            Inserted::Inserted => Ok(record.told(id)),
            Inserted::Taken => Err(taken()),
            Inserted::Full => Err(full("user", self.rules.max_users)),
        }
    }

    /// One user.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn read_user(&self, caller: &Caller, id: &UserId) -> Result<User> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        let account = self.account(id).await?;
        Ok(account.record.told(account.id))
    }

    /// Every user, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn users(&self, caller: &Caller) -> Result<Users> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        let rows = self.store.users().await?;
        let told = |(id, row)| Ok(UserRecord::of(&row)?.told(id));
        let mut users = rows.into_iter().map(told).collect::<Result<Vec<_>>>()?;
        users.sort_by_key(|user| name_key(&user.name));
        Ok(Users { users })
    }

    /// Changes what a user is called, may do, or whether it is kept out. Where what it may do changes, its sessions end in
    /// the same step.
    ///
    /// # Errors
    /// `identity.not_found`, or an invalid request.
    pub async fn change_user(&self, caller: &Caller, id: &UserId, wanted: ChangeUser) -> Result<User> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        check_display_name(wanted.display_name.as_deref())?;
        if let Some(grants) = &wanted.grants {
            check_grants(caller, grants)?;
        }
        caller.holds_all(&self.account(id).await?.record.grants()?)?;
        let ends = wanted.grants.is_some() || wanted.disabled == Some(true);
        let sessions = if ends { EndSessions::All } else { EndSessions::None };
        let change = |record: &mut UserRecord| {
            if let Some(name) = &wanted.display_name {
                record.display_name = Some(name.clone()).filter(|name| !name.is_empty());
            }
            if let Some(grants) = &wanted.grants {
                record.grants.clone_from(grants);
            }
            if let Some(disabled) = wanted.disabled {
                record.disabled = disabled;
            }
            Ok(())
        };
        let ((), account) = self.change(id, &sessions, change).await?;
        tracing::info!(user = %id, by = %caller.principal, "user changed");
        Ok(account.record.told(account.id))
    }

    /// Gives a user a new password; its sessions end in the same step.
    ///
    /// # Errors
    /// `identity.not_found`, or an invalid request.
    pub async fn reset_password(&self, caller: &Caller, id: &UserId, set: SetPassword) -> Result<User> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        let account = self.account(id).await?;
        caller.holds_all(&account.record.grants()?)?;
        password::check(&set.password, &account.record.name)?;
        let hash = self.passwords.hash(set.password.into()).await?;
        let now = self.clock.now();
        let change = |record: &mut UserRecord| {
            record.password.clone_from(&hash);
            record.password_changed_at = now;
            Ok(())
        };
        let ((), account) = self.change(id, &EndSessions::All, change).await?;
        self.store.forgive(&account.guessed_as()).await?;
        Ok(account.record.told(account.id))
    }

    /// Takes the second factor of a user away; its sessions end in the same step.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn reset_second_factor(&self, caller: &Caller, id: &UserId) -> Result<User> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        caller.holds_all(&self.account(id).await?.record.grants()?)?;
        let change = |record: &mut UserRecord| {
            record.totp = None;
            record.recovery.clear();
            Ok(())
        };
        let ((), account) = self.change(id, &EndSessions::All, change).await?;
        Ok(account.record.told(account.id))
    }

    /// Removes a user with every session.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn remove_user(&self, caller: &Caller, id: &UserId) -> Result<()> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        caller.holds_all(&self.account(id).await?.record.grants()?)?;
        if self.store.remove_user(id).await? { Ok(()) } else { Err(not_found("user")) }
    }
}

fn check_name(name: &str) -> Result<String> {
    let name = name.trim();
    let plain = name.chars().all(|character| !character.is_control() && !character.is_whitespace());
    if name.is_empty() || name.len() > MAX_USER_NAME_BYTES || !plain {
        return Err(Error::invalid(format!(
            "name: 1 to {MAX_USER_NAME_BYTES} bytes without spaces and control characters are needed"
        )));
    }
    Ok(name.to_owned())
}

fn check_display_name(name: Option<&str>) -> Result<()> {
    let length = name.map_or(0, str::len);
    if length > MAX_DISPLAY_NAME_BYTES {
        return Err(Error::invalid(format!(
            "display_name: {length} bytes; at most {MAX_DISPLAY_NAME_BYTES} are taken"
        )));
    }
    Ok(())
}

/// Refuses grants that are none, or that give what the caller does not have.
fn check_grants(caller: &Caller, grants: &[RoleGrant]) -> Result<()> {
    if grants.len() > MAX_NAMESPACES {
        return Err(Error::invalid(format!("grants: at most {MAX_NAMESPACES} can be given")));
    }
    caller.holds_all(&granted(grants)?)
}
