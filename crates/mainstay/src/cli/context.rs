//! What a command works with.

use crate::failure::Result;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::wiring::{self, Connection};
use mainstay_api::{InstanceId, Timestamp};
use mainstay_client::Client;
use mainstay_core::{Clock, SystemClock};
use tokio::sync::OnceCell;

/// Settings, output, and the connection once it is needed.
pub struct Context<'a> {
    /// The settings.
    pub settings: Settings,
    /// The output.
    pub printer: &'a Printer,
    connection: OnceCell<Connection>,
}

impl<'a> Context<'a> {
    /// A context that is not connected yet.
    pub fn new(settings: Settings, printer: &'a Printer) -> Self {
        Self { settings, printer, connection: OnceCell::new() }
    }

    /// Makes the key ring where there is none yet. To be called before the first client: without a server, what is secret is
    /// sealed in this process, with the ring of this machine, and a ring of this process alone could never open it again.
    ///
    /// # Errors
    /// Those of [`wiring::ring`].
    pub async fn ready_to_seal(&self) -> Result {
        if self.settings.url.is_none() {
            wiring::ring(&self.settings).await?;
        }
        Ok(())
    }

    /// A client that speaks for the instance of the settings, where they name one.
    ///
    /// # Errors
    /// Those of [`Connection::open`].
    pub async fn client(&self) -> Result<&Client> {
        self.connect(self.settings.instance.clone()).await
    }

    /// A client that speaks for the instance of the settings, else for the user of the operating system.
    ///
    /// # Errors
    /// Those of [`Connection::open`].
    pub async fn client_or_user(&self) -> Result<&Client> {
        // Whoever comes with a credential of the own speaks for the instance that it is for.
        let user = if wiring::given_credential(&self.settings)?.is_none() { self.settings.user.clone() } else { None };
        let instance = self.settings.instance.clone().or(user);
        self.connect(instance).await
    }

    /// A client that speaks for this instance. The first client of a command decides for whom it speaks.
    ///
    /// # Errors
    /// Those of [`Connection::open`].
    pub async fn client_as(&self, instance: InstanceId) -> Result<&Client> {
        self.connect(Some(instance)).await
    }

    /// A client that speaks for nobody: for calls about accounts and keys.
    ///
    /// # Errors
    /// Those of [`Connection::open`].
    pub async fn client_plain(&self) -> Result<&Client> {
        self.connect(None).await
    }

    async fn connect(&self, instance: Option<InstanceId>) -> Result<&Client> {
        let connection = self.connection.get_or_try_init(|| Connection::open(&self.settings, instance)).await?;
        Ok(&connection.client)
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// Ends what was opened.
    pub async fn close(&self) {
        if let Some(connection) = self.connection.get() {
            connection.close().await;
        }
    }
}
