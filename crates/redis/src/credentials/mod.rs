//! User and password of Redis where they change while connections live: a file that is replaced, a program that is
//! run, a token of an identity service.

mod command;
mod entra;
mod file;
mod live;
mod text;

pub use command::CommandSource;
pub use entra::{EntraGrant, EntraSource, MANAGED_IDENTITY_ENDPOINT};
pub use file::FileSource;

pub(crate) use live::{ABSENT, LiveCredentials, Provider};

use async_trait::async_trait;
use mainstay_core::Result;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// The user that Redis means where none is named.
const DEFAULT_USER: &str = "default";

/// What Redis is shown.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The ACL user; that of the options where absent.
    pub username: Option<String>,
    /// The password or token.
    pub password: SecretString,
    /// How long they are valid, counted from when they were fetched; without end where absent.
    pub lifetime: Option<Duration>,
}

/// Where credentials come from.
#[async_trait]
pub trait CredentialSource: Send + Sync + 'static {
    /// The credentials of now. May be called at any time, and must be safe to give up.
    ///
    /// # Errors
    /// Of any kind; what served before goes on serving until it expires, and the source is asked again.
    async fn fetch(&self) -> Result<Credentials>;

    /// How often to ask again where the credentials do not say how long they are valid; never where absent.
    fn look_every(&self) -> Option<Duration> {
        None
    }
}

/// A user and a password, as a connection logs in with them.
#[derive(Clone)]
pub(crate) struct Login {
    /// The ACL user.
    pub username: Option<String>,
    /// The password.
    pub password: SecretString,
}

impl Login {
    fn is(&self, other: &Self) -> bool {
        self.username == other.username && self.password.expose_secret() == other.password.expose_secret()
    }

    fn to_basic(&self) -> redis::BasicAuth {
        let username = self.username.as_deref().unwrap_or(DEFAULT_USER);
        redis::BasicAuth::new(username.to_owned(), self.password.expose_secret().to_owned())
    }
}
