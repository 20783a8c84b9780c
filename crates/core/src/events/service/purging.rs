//! Removing what is too old, also where nothing is published any more.

use super::EventService;
use crate::error::Result;
use crate::events::port::{PurgeLog, Purged};
use crate::events::standing::logs;
use mainstay_api::Namespace;
use mainstay_api::events::StreamName;

impl EventService {
    /// Removes what is older than its stream allows from the logs of a namespace; what that was, by stream.
    ///
    /// # Errors
    /// Those of the store; what was removed until then stays removed.
    pub async fn purge(&self, namespace: &Namespace) -> Result<Vec<(StreamName, Purged)>> {
        let now = self.clock.now();
        let mut purged = Vec::new();
        for (stream, options) in self.streams.iter() {
            let mut sum = Purged::default();
            for log in logs(namespace, stream, options) {
                let older_than = options.max_age.map(|age| now.before(age));
                let purge = PurgeLog { log, older_than, trimming: options.trimming, now };
                let Purged { events, unread } = self.events.purge(purge).await?;
                sum = Purged { events: sum.events + events, unread: sum.unread + unread };
            }
            purged.push((stream.clone(), sum));
        }
        Ok(purged)
    }
}
