//! Signs of life.

use super::instances;
use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::Topic;
use mainstay_core::api::presence::RegisterInstance;
use mainstay_core::presence::{Beat, BeatOutcome};
use rusqlite::Connection;

/// See [`mainstay_core::presence::PresenceStore::beat`].
pub(super) fn beat(connection: &Connection, beat: &Beat, wakes: &mut Wakes) -> Outcome<BeatOutcome> {
    let namespace = names::intern_namespace(connection, &beat.namespace)?;
    let topic = || Topic::Presence(beat.namespace.clone());
    let Some(known) = instances::find(connection, namespace, &beat.instance)? else {
        if instances::is_full(connection, namespace, beat.max_instances)? {
            return Ok(BeatOutcome::Full);
        }
        let details = RegisterInstance {
            current_work: beat.current_work.clone(),
            session_id: beat.session_id.clone(),
            ..RegisterInstance::default()
        };
        instances::put(connection, namespace, &beat.instance, &details, beat.now)?;
        wakes.topic(topic());
        return Ok(BeatOutcome::Beaten);
    };
    // A registration without a session is held by no run, so that none is superseded by it.
    if known.session_id.is_some() && !instances::holds(&known, beat.session_id.as_deref()) {
        return Ok(BeatOutcome::Superseded);
    }
    let key = (namespace, beat.instance.as_str());
    let sql = "UPDATE presence SET beat_ms = ?3 WHERE namespace = ?1 AND instance = ?2";
    connection.prepare_cached(sql)?.execute((key.0, key.1, beat.now.as_millis()))?;
    if beat.current_work.is_some() {
        let details = RegisterInstance { current_work: beat.current_work.clone(), ..known };
        let sql = "UPDATE presence SET details = ?3 WHERE namespace = ?1 AND instance = ?2";
        connection.prepare_cached(sql)?.execute((key.0, key.1, instances::to_json(&details)?))?;
        wakes.topic(topic());
    }
    Ok(BeatOutcome::Beaten)
}
