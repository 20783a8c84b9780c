//! What was used on a day of a namespace.

use super::rows::number;
use crate::answer::Answer;
use crate::connection::{Connection, Repeat, read};
use crate::keys::{Keys, encode};
use crate::scripts;
use mainstay_core::providers::keys::{
    ListUsage, SETTLE_WITHIN_MS, Settle, Spent, UsagePlace, UsageRow, day_of, start_of_day,
};
use mainstay_core::{Error, Result};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// What models and providers are told as where a day has as many rows as it may.
const OTHERS: &str = "*";
/// Days that this process remembers to have noted for maintenance.
const MAX_NOTED: usize = 1_000;

/// The usage of all namespaces.
pub(super) struct Usage {
    connection: Arc<Connection>,
    keys: Keys,
    noted: Mutex<BTreeSet<String>>,
}

/// What usage is to be told of a request, as one text: it stands beside the key until it is counted. The parts that people
/// choose come last, the one that may hold anything at the end.
pub(super) fn told(settle: &Settle) -> String {
    let spent = &settle.spent;
    let (failed, estimated) = (u8::from(settle.failed), u8::from(!spent.reported));
    let (input, cached, output) = (spent.input_tokens, spent.cached_tokens, spent.output_tokens);
    let numbers = format!("{failed} {input} {cached} {output} {} {estimated}", spent.cost);
    let day = day_of(settle.admitted_at).to_string();
    let (namespace, rows) = (encode(settle.namespace.as_str()), settle.max_rows.to_string());
    let names = [settle.label.as_str(), settle.pool.as_str(), settle.provider.as_str(), &settle.model];
    [&day, &namespace, &rows, &numbers].map(String::as_str).into_iter().chain(names).collect::<Vec<_>>().join("\0")
}

impl Usage {
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys, noted: Mutex::default() }
    }

    /// Counts a request, once.
    pub async fn post(&self, request: &str, told: &str) -> Result<bool> {
        let parts: Vec<&str> = told.splitn(8, '\0').collect();
        let [day, namespace, most, numbers, label, pool, provider, model] = parts[..] else {
            return Err(Error::inconsistent("what usage is to be told of a request has other parts"));
        };
        self.note(&format!("{namespace}:{day}")).await?;
        let row = [label, pool, provider, model].join("\0");
        let others = [label, pool, OTHERS, OTHERS].join("\0");
        let until = start_of_day(number::<u32>(day)? + 1).as_millis() + SETTLE_WITHIN_MS;
        let until = until.to_string();
        let args = [request, &row, &others, numbers, most, &until].map(str::as_bytes);
        let script = &scripts::KEYS_POST;
        let key = self.keys.gateway_usage(namespace, day, "meta");
        Ok(read::<u8>(self.connection.script(script, &key, &args, Repeat::Safe).await?, script.name)? == 1)
    }

    /// Days are aggregates of their own, so the set of all is another step, before the first row of one.
    async fn note(&self, day: &str) -> Result<()> {
        if self.lock().contains(day) {
            return Ok(());
        }
        let mut command = redis::cmd("SADD");
        command.arg(self.keys.gateway_usage_days()).arg(day);
        self.connection.command("note a day of usage", &command, Repeat::Safe).await?;
        let mut noted = self.lock();
        if noted.len() >= MAX_NOTED {
            noted.clear();
        }
        noted.insert(day.to_owned());
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows behind one, day by day.
    pub async fn list(&self, list: &ListUsage) -> Result<Vec<UsageRow>> {
        let mut rows = Vec::new();
        let first = list.after.as_ref().map_or(list.from_day, |after| after.day.max(list.from_day));
        for day in first..=list.to_day {
            let left = list.limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            if left == 0 {
                break;
            }
            self.list_day(list, day, left, &mut rows).await?;
        }
        Ok(rows)
    }

    async fn list_day(&self, list: &ListUsage, day: u32, limit: u32, rows: &mut Vec<UsageRow>) -> Result<()> {
        let script = &scripts::KEYS_USAGE;
        let behind = list.after.as_ref().filter(|after| after.day == day);
        let after = behind.map(|at| [&*at.label, &*at.pool, &*at.provider, &*at.model].join("\0")).unwrap_or_default();
        let label = list.label.as_ref().map(|label| format!("{label}\0")).unwrap_or_default();
        let limit = limit.to_string();
        let args = [&after, &label, &limit].map(|arg| arg.as_bytes());
        let key = self.keys.gateway_usage(&encode(list.namespace.as_str()), &day.to_string(), "meta");
        let value = self.connection.script(script, &key, &args, Repeat::Safe).await?;
        let mut answer = Answer::of(value, script.name)?;
        while !answer.is_empty() {
            rows.push(row(&mut answer, day)?);
        }
        Ok(())
    }

    /// Forgets days before one.
    pub async fn purge(&self, before_day: u32) -> Result<()> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.gateway_usage_days());
        let listed = self.connection.command("list the days of usage", &command, Repeat::Safe).await?;
        for noted in read::<Vec<String>>(listed, "SMEMBERS")? {
            let Some((namespace, day)) = noted.split_once(':') else { continue };
            if number::<u32>(day)? >= before_day {
                continue;
            }
            let mut command = redis::cmd("DEL");
            for name in ["rows", "counts", "seen"] {
                command.arg(self.keys.gateway_usage(namespace, day, name));
            }
            self.connection.command("forget a day of usage", &command, Repeat::Safe).await?;
            let mut command = redis::cmd("SREM");
            command.arg(self.keys.gateway_usage_days()).arg(&noted);
            self.connection.command("forget a day of usage", &command, Repeat::Safe).await?;
            self.lock().remove(&noted);
        }
        Ok(())
    }
}

fn row(answer: &mut Answer, day: u32) -> Result<UsageRow> {
    let names: String = answer.next()?;
    let parts: Vec<&str> = names.splitn(4, '\0').collect();
    let [label, pool, provider, model] = parts[..] else {
        return Err(Error::inconsistent("a stored row of usage has other parts"));
    };
    let place = UsagePlace {
        day,
        label: label.to_owned(),
        pool: pool.to_owned(),
        provider: provider.to_owned(),
        model: model.to_owned(),
    };
    let mut next = || number(&answer.next::<String>()?);
    let (requests, failed) = (next()?, next()?);
    let (input_tokens, cached_tokens, output_tokens, cost) = (next()?, next()?, next()?, next()?);
    let reported = next()? == 0;
    Ok(UsageRow {
        place,
        requests,
        failed,
        spent: Spent { input_tokens, cached_tokens, output_tokens, cost, reported },
    })
}
