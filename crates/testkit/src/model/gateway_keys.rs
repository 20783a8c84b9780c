//! Gateway keys and usage on the model.

use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::providers::{GatewayKeyId, LeaseId};
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::providers::keys::{
    Admission, Admit, ChangeKey, CreateKey, Full, KeyOutcome, KeyRecord, KeyStore, Limit, ListUsage, MINUTE_MS,
    Refusal, Reservation, SETTLE_WITHIN_MS, Settle, Spent, Standing, UsagePlace, UsageRow, day_of,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys and usage, behind one lock.
#[derive(Default)]
pub(super) struct ModelKeys {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By digest.
    keys: BTreeMap<String, Held>,
    namespaces: BTreeSet<Namespace>,
    usage: BTreeMap<(Namespace, UsagePlace), UsageRow>,
    /// Requests that usage counts, by when they were let in.
    settled: BTreeMap<(Namespace, LeaseId), Timestamp>,
}

struct Held {
    record: KeyRecord,
    requests: BTreeMap<LeaseId, Request>,
}

struct Request {
    reservation: Reservation,
    /// What it counts in the minute.
    tokens: u64,
    open: bool,
}

impl Held {
    fn told(&self, now: Timestamp) -> KeyRecord {
        let mut record = self.record.clone();
        record.tally.in_flight = u32::try_from(self.standing(now).in_flight).unwrap_or(u32::MAX);
        record
    }

    fn minute(&self, now: Timestamp) -> Vec<(Timestamp, u64)> {
        let recent = |request: &&Request| within(request.reservation.admitted_at, MINUTE_MS, now);
        let mut minute: Vec<_> = self.requests.values().filter(recent).collect();
        minute.sort_by_key(|request| request.reservation.admitted_at);
        minute.iter().map(|request| (request.reservation.admitted_at, request.tokens)).collect()
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let minute = self.minute(now);
        let in_flight = self.requests.values().filter(|request| request.open && request.reservation.until > now);
        Standing {
            requests: minute.len() as u64,
            tokens: minute.iter().map(|(_, tokens)| tokens).sum(),
            in_flight: in_flight.count() as u64,
        }
    }

    /// When there is room in the minute again.
    fn room_at(&self, limit: Limit, admit: &Admit) -> Timestamp {
        let minute = self.minute(admit.now);
        let limits = &self.record.limits;
        let most = limits.tokens_per_minute.unwrap_or(u64::MAX);
        let mut tokens: u64 = minute.iter().map(|(_, tokens)| tokens).sum();
        let mut left = minute.len() as u64;
        for (at, gone) in minute {
            (tokens, left) = (tokens - gone, left - 1);
            let fits = match limit {
                Limit::RequestsPerMinute => left < u64::from(limits.requests_per_minute.unwrap_or(u32::MAX)),
                _ => tokens + admit.reserve.tokens.min(most) <= most,
            };
            if fits {
                return Timestamp::from_millis(at.as_millis() + MINUTE_MS);
            }
        }
        Timestamp::from_millis(admit.now.as_millis() + MINUTE_MS)
    }
}

fn within(at: Timestamp, span_ms: i64, now: Timestamp) -> bool {
    at.as_millis() > now.as_millis() - span_ms
}

impl State {
    fn find(&self, namespace: &Namespace, id: &GatewayKeyId) -> Option<&Held> {
        self.keys.values().find(|held| held.record.namespace == *namespace && held.record.id == *id)
    }

    /// The row that a request is counted in, the common one where there is no room for another.
    fn place(&self, settle: &Settle) -> UsagePlace {
        let day = day_of(settle.admitted_at);
        let mut place = UsagePlace {
            day,
            label: settle.label.clone(),
            pool: settle.pool.to_string(),
            provider: settle.provider.to_string(),
            model: settle.model.clone(),
        };
        let of_day = |(namespace, place): &&(Namespace, UsagePlace)| *namespace == settle.namespace && place.day == day;
        let full = self.usage.keys().filter(of_day).count() as u64 >= u64::from(settle.max_rows);
        if full && !self.usage.contains_key(&(settle.namespace.clone(), place.clone())) {
            (place.provider, place.model) = ("*".into(), "*".into());
        }
        place
    }

    /// Counts a request in the usage of its day, once.
    fn post(&mut self, settle: &Settle) -> bool {
        let request = (settle.namespace.clone(), settle.request.clone());
        if self.settled.contains_key(&request) {
            return false;
        }
        self.settled.insert(request, settle.admitted_at);
        let place = self.place(settle);
        let spent = Spent { reported: true, ..Spent::default() };
        let empty = UsageRow { place: place.clone(), requests: 0, failed: 0, spent };
        let row = self.usage.entry((settle.namespace.clone(), place)).or_insert(empty);
        row.requests += 1;
        row.failed += u64::from(settle.failed);
        row.spent.add(&settle.spent);
        true
    }
}

impl ModelKeys {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyStore for ModelKeys {
    async fn create_key(&self, create: CreateKey) -> Result<KeyOutcome> {
        let mut state = self.lock();
        let record = create.record;
        if let Some(held) = state.keys.get(&record.digest) {
            let known = &held.record;
            let same =
                known.id == record.id && known.namespace == record.namespace && known.created_at == record.created_at;
            return Ok(if same { KeyOutcome::Stored(known.version) } else { KeyOutcome::Exists });
        }
        if state.find(&record.namespace, &record.id).is_some() {
            return Ok(KeyOutcome::Exists);
        }
        let count = state.keys.values().filter(|held| held.record.namespace == record.namespace).count();
        if count as u64 >= u64::from(create.max_keys) {
            return Ok(KeyOutcome::Full);
        }
        state.namespaces.insert(record.namespace.clone());
        let version = record.version;
        state.keys.insert(record.digest.clone(), Held { record, requests: BTreeMap::new() });
        Ok(KeyOutcome::Stored(version))
    }

    async fn change_key(&self, change: ChangeKey) -> Result<KeyOutcome> {
        let mut state = self.lock();
        let wanted = change.record;
        let Some(held) = state.keys.get_mut(&wanted.digest).filter(|held| held.record.id == wanted.id) else {
            return Ok(KeyOutcome::NotFound);
        };
        let known = &mut held.record;
        if known.version != wanted.version {
            return Ok(KeyOutcome::Conflict(known.version));
        }
        let (tally, version) = (known.tally.clone(), known.version + 1);
        *known = KeyRecord { tally, version, created_at: known.created_at, ..wanted };
        Ok(KeyOutcome::Stored(version))
    }

    async fn remove_key(&self, namespace: &Namespace, id: &GatewayKeyId) -> Result<bool> {
        let mut state = self.lock();
        let Some(digest) = state.find(namespace, id).map(|held| held.record.digest.clone()) else { return Ok(false) };
        Ok(state.keys.remove(&digest).is_some())
    }

    async fn key(&self, namespace: &Namespace, id: &GatewayKeyId, now: Timestamp) -> Result<Option<KeyRecord>> {
        Ok(self.lock().find(namespace, id).map(|held| held.told(now)))
    }

    async fn key_of(&self, digest: &str, now: Timestamp) -> Result<Option<KeyRecord>> {
        Ok(self.lock().keys.get(digest).map(|held| held.told(now)))
    }

    async fn keys(
        &self,
        namespace: &Namespace,
        after: Option<&GatewayKeyId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<KeyRecord>> {
        let state = self.lock();
        let mut keys: Vec<KeyRecord> = state.keys.values().map(|held| held.told(now)).collect();
        keys.retain(|key| key.namespace == *namespace && after.is_none_or(|after| key.id > *after));
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        keys.truncate(limit as usize);
        Ok(keys)
    }

    async fn seal_keys(&self) -> Result<Vec<String>> {
        let state = self.lock();
        let used: BTreeSet<String> = state.keys.values().filter_map(|held| held.record.seal_key.clone()).collect();
        Ok(used.into_iter().collect())
    }

    async fn key_namespaces(&self) -> Result<Vec<Namespace>> {
        Ok(self.lock().namespaces.iter().cloned().collect())
    }

    async fn admit(&self, admit: Admit) -> Result<Admission> {
        let mut state = self.lock();
        let Some(held) = state.keys.get_mut(&admit.digest) else { return Ok(Admission::Unknown) };
        let known = held.requests.get(&admit.request);
        if known.is_some_and(|it| it.open || within(it.reservation.admitted_at, MINUTE_MS, admit.now)) {
            return Ok(Admission::Admitted(Box::new(held.told(admit.now))));
        }
        let standing = held.standing(admit.now);
        let mut record = held.record.clone();
        match record.charge(standing, &admit) {
            Ok(reservation) => {
                held.record = record.clone();
                let tokens = admit.reserve.tokens;
                held.requests.insert(admit.request, Request { reservation, tokens, open: true });
                Ok(Admission::Admitted(Box::new(record)))
            }
            Err(Full::Said(refusal)) => Ok(Admission::Refused(refusal)),
            Err(Full::Minute(limit)) => {
                let retry_at = held.room_at(limit, &admit);
                Ok(Admission::Refused(Refusal::Limited { limit, retry_at }))
            }
        }
    }

    async fn withdraw(&self, digest: &str, request: &LeaseId) -> Result<bool> {
        let mut state = self.lock();
        let Some(held) = state.keys.get_mut(digest) else { return Ok(false) };
        if held.requests.get(request).is_none_or(|request| !request.open) {
            return Ok(false);
        }
        let Some(request) = held.requests.remove(request) else { return Ok(false) };
        held.record.tally.withdraw(&request.reservation);
        Ok(true)
    }

    async fn settle(&self, settle: Settle) -> Result<bool> {
        let mut state = self.lock();
        if !within(settle.admitted_at, SETTLE_WITHIN_MS, settle.now) {
            return Ok(false);
        }
        if let Some(held) = settle.digest.as_ref().and_then(|digest| state.keys.get_mut(digest))
            && let Some(request) = held.requests.get_mut(&settle.request).filter(|request| request.open)
        {
            request.open = false;
            request.tokens = settle.spent.tokens();
            held.record.tally.settle(&request.reservation, &settle.spent);
        }
        Ok(state.post(&settle))
    }

    async fn usage(&self, list: ListUsage) -> Result<Vec<UsageRow>> {
        let state = self.lock();
        let rows = state.usage.iter().filter(|((namespace, place), _)| {
            *namespace == list.namespace
                && (list.from_day..=list.to_day).contains(&place.day)
                && list.label.as_ref().is_none_or(|label| place.label == *label)
                && list.after.as_ref().is_none_or(|after| place > after)
        });
        Ok(rows.map(|(_, row)| row.clone()).take(list.limit as usize).collect())
    }

    async fn purge(&self, now: Timestamp, before_day: u32) -> Result<bool> {
        let mut state = self.lock();
        for held in state.keys.values_mut() {
            held.requests.retain(|_, it| {
                let reservation = &it.reservation;
                within(reservation.admitted_at, MINUTE_MS, now)
                    || (it.open && within(reservation.admitted_at, SETTLE_WITHIN_MS, now))
            });
        }
        state.settled.retain(|_, at| within(*at, SETTLE_WITHIN_MS, now));
        state.usage.retain(|(_, place), _| place.day >= before_day);
        Ok(false)
    }
}
