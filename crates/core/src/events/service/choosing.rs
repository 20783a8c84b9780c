//! How publishers choose their transport.

use super::EventService;
use crate::error::{Error, Result};
use crate::events::transport::{SetTransport, TransportOutcome};
use crate::{Caller, Scope};
use mainstay_api::events::{ChangeTransport, TransportChoice};
use mainstay_api::{Code, RawJson};

impl EventService {
    /// How the publishers of the caller's namespace send events.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn transport(&self, caller: &Caller) -> Result<TransportChoice> {
        caller.require(Scope::EventsWrite)?;
        let Some(record) = self.transport.transport(&caller.namespace).await? else {
            return Ok(TransportChoice { settings: None, version: 0, updated_at: None, updated_by: None });
        };
        let settings = record
            .settings
            .read()
            .map_err(|cause| Error::inconsistent(format!("stored settings of a transport cannot be read: {cause}")))?;
        Ok(TransportChoice {
            settings: Some(settings),
            version: record.version,
            updated_at: Some(record.updated_at),
            updated_by: Some(record.updated_by),
        })
    }

    /// Changes that. Publishers follow within seconds, without a restart.
    ///
    /// # Errors
    /// `events.transport_conflict` where another version was expected, broken bounds.
    pub async fn set_transport(&self, caller: &Caller, change: ChangeTransport) -> Result<TransportChoice> {
        caller.require(Scope::EventsAdmin)?;
        change.settings.check().map_err(Error::invalid)?;
        let settings = RawJson::of(&change.settings)
            .map_err(|cause| Error::bug(format!("settings of a transport are not JSON: {cause}")))?;
        let (now, by) = (self.clock.now(), caller.principal.to_string());
        let expected = change.expected_version;
        let set = SetTransport { namespace: caller.namespace.clone(), settings, expected, by: by.clone(), now };
        match self.transport.set_transport(set).await? {
            TransportOutcome::Stored(version) => {
                tracing::info!(version, settings = ?change.settings, "the transport of publishers was changed");
                let settings = Some(change.settings);
                Ok(TransportChoice { settings, version, updated_at: Some(now), updated_by: Some(by) })
            }
            TransportOutcome::Conflict { current } => Err(conflict(current)),
        }
    }
}

fn conflict(current: u64) -> Error {
    let mut error = Error::new(
        Code::EventTransportConflict,
        format!("the settings have version {current} by now"),
        "Look at them again (`mainstay events transport show`), and repeat the change with that version.",
    );
    error.problem.current_version = Some(current);
    error
}
