//! Streams of events: `[streams.<name>]` in `mainstay.toml`, and `MAINSTAY_STREAMS`.

use super::{Layers, Refusal, Setting, refusal};
use mainstay_api::events::StreamName;
use mainstay_core::events::{Overflow, RoomAccess, StreamOptions, Streams, Trimming};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A key of a stream, its default, and what it is for.
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// Its default, as one would write it; empty for none.
    pub default: &'static str,
    /// What it is for.
    pub doc: &'static str,
}

/// Every key of a stream, declared once; the reference page is generated from here.
pub const KEYS: &[Key] = &[
    Key {
        name: "max_len",
        default: "10000",
        doc: "About how many events each partition keeps: 100 to 10,000,000. 5000 for `ticket` and `notification`, 1000 for `remote`.",
    },
    Key { name: "max_age_s", default: "", doc: "How long an event is kept, in seconds; without an end when absent." },
    Key {
        name: "partitions",
        default: "1",
        doc: "How many logs the rooms are divided among: 1 to 64. A change moves rooms to other logs: clients are told of a gap.",
    },
    Key {
        name: "redis_key",
        default: "events:<name>",
        doc: "The key in Redis of the first partition in the namespace `default`.",
    },
    Key {
        name: "dedupe_s",
        default: "300",
        doc: "How long the id of an event is remembered, in seconds: 10 to 86,400.",
    },
    Key {
        name: "trimming",
        default: "count",
        doc: "What happens where a full stream holds what a consumer group has not read: `count` trims it, counted and logged; `refuse` refuses the publication.",
    },
    Key {
        name: "overflow",
        default: "close",
        doc: "What happens to a live connection that is too slow: `close` sends it away to come back from its position; `conflate` keeps the last event of each type in a room.",
    },
    Key {
        name: "access",
        default: "open",
        doc: "Who may subscribe to a room: `open` for whoever may read events, `members` for its members alone.",
    },
];

/// What is said of a stream: its name, and its keys.
#[derive(Debug, Clone)]
pub struct Said {
    name: StreamName,
    keys: toml::Table,
    /// Where it is said, for refusals.
    place: String,
}

/// The streams that a settings file speaks of.
///
/// # Errors
/// `settings.invalid`, naming the file, the stream and the key.
pub(super) fn parse(value: &toml::Value, file: &Path) -> Result<Vec<Said>, Refusal> {
    let broken = |detail: &str| refusal(format!("{}: streams{detail}", file.display()), "Correct the file.");
    let tables = value.as_table().ok_or_else(|| broken(" must be tables, each headed by [streams.<name>]"))?;
    let one = |(name, value): (&String, &toml::Value)| {
        let keys = value.as_table().ok_or_else(|| broken(&format!(".{name}: must be a table")))?;
        let place = format!("{}: streams.{name}", file.display());
        let name = StreamName::parse(name.as_str()).map_err(|rule| broken(&format!(".{name}: {rule}")))?;
        let said = Said { name, keys: keys.clone(), place };
        // What cannot be is refused where the file is read, also where nothing needs the streams.
        apply(&mut Streams::default(), &said)?;
        Ok(said)
    };
    tables.iter().map(one).collect()
}

/// The streams: those that always exist, changed and added to by the settings file, then by the environment.
///
/// # Errors
/// `settings.invalid`.
pub(super) fn read(layers: &Layers) -> Result<Arc<Streams>, Refusal> {
    let mut streams = Streams::default();
    let max_len = usual_length(layers)?;
    let names: Vec<StreamName> = streams.iter().map(|(name, _)| name.clone()).collect();
    let saids = layers.streams().iter().cloned().chain(of_variable(layers)?).collect::<Vec<_>>();
    for name in names.iter().chain(saids.iter().map(|said| &said.name)) {
        let Some(max_len) = max_len else { break };
        let options = StreamOptions { max_len, ..known(&streams, name) };
        streams
            .set(name.clone(), options)
            .map_err(|broken| refusal(broken.rule, "Choose another number of events."))?;
    }
    for said in &saids {
        apply(&mut streams, said)?;
    }
    Ok(Arc::new(streams))
}

/// How many events a stream keeps that says nothing of it, where that is set.
fn usual_length(layers: &Layers) -> Result<Option<u32>, Refusal> {
    let reader = super::read::Reader(layers);
    let Some(_) = layers.find(Setting::StreamMaxLen)? else { return Ok(None) };
    reader.number(Setting::StreamMaxLen, 100..=10_000_000).map(Some)
}

/// The streams that the environment speaks of.
fn of_variable(layers: &Layers) -> Result<Vec<Said>, Refusal> {
    let text = layers.find(Setting::Streams)?.map(|found| found.text).unwrap_or_default();
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(of_words).collect()
}

/// `<name> <key>=<value> …`
fn of_words(item: &str) -> Result<Said, Refusal> {
    let place = format!("MAINSTAY_STREAMS: {item:?}");
    let help = "Write <name> <key>=<value> …, and separate streams by commas.";
    let mut words = item.split_whitespace();
    let name = StreamName::parse(words.next().unwrap_or_default())
        .map_err(|rule| refusal(format!("{place}: {rule}"), help))?;
    let mut keys = toml::Table::new();
    for word in words {
        let (key, value) =
            word.split_once('=').ok_or_else(|| refusal(format!("{place}: {word:?} is no <key>=<value>"), help))?;
        let value = value.parse::<i64>().map_or_else(|_| toml::Value::from(value), toml::Value::from);
        keys.insert(key.to_owned(), value);
    }
    Ok(Said { name, keys, place })
}

fn apply(streams: &mut Streams, said: &Said) -> Result<(), Refusal> {
    let mut options = known(streams, &said.name);
    for (key, value) in &said.keys {
        if KEYS.iter().all(|known| known.name != key.as_str()) {
            return Err(unknown(key, &said.place));
        }
        change(&mut options, key, value).map_err(|rule| {
            refusal(
                format!("{}: {key} {rule}", said.place),
                "`mainstay reference settings` lists every key of a stream.",
            )
        })?;
    }
    streams
        .set(said.name.clone(), options)
        .map_err(|broken| refusal(format!("{}: {}", said.place, broken.rule), "Correct this stream."))
}

/// The options of a stream as they are, or as they are to begin with.
fn known(streams: &Streams, name: &StreamName) -> StreamOptions {
    streams.get(name).cloned().unwrap_or_else(|| StreamOptions::usual(name))
}

fn unknown(key: &str, place: &str) -> Refusal {
    let help = match super::file::closest(key, KEYS.iter().map(|known| known.name)) {
        Some(known) => format!("Did you mean `{known}`? `mainstay reference settings` lists every key."),
        None => "`mainstay reference settings` lists every key of a stream.".into(),
    };
    refusal(format!("{place}: there is no key `{key}`"), help)
}

/// Changes one option; the error is the rule that the value breaks.
fn change(options: &mut StreamOptions, key: &str, value: &toml::Value) -> Result<(), String> {
    let number = || value.as_integer().and_then(|n| u64::try_from(n).ok()).ok_or("must be a number from 0");
    let text = || value.as_str().ok_or("must be a text");
    match key {
        "max_len" => options.max_len = u32::try_from(number()?).map_err(|_| "is too large")?,
        "max_age_s" => options.max_age = Some(seconds(number()?)?),
        "partitions" => options.partitions = u16::try_from(number()?).map_err(|_| "is too large")?,
        "redis_key" => options.redis_key = text()?.to_owned(),
        "dedupe_s" => options.dedupe = seconds(number()?)?,
        "trimming" => {
            options.trimming = one_of(text()?, &[("count", Trimming::Count), ("refuse", Trimming::Refuse)])?;
        }
        "overflow" => {
            options.overflow = one_of(text()?, &[("close", Overflow::Close), ("conflate", Overflow::Conflate)])?;
        }
        _ => options.access = one_of(text()?, &[("open", RoomAccess::Open), ("members", RoomAccess::Members)])?,
    }
    Ok(())
}

/// Most seconds of anything: ten years.
const MAX_SECONDS: u64 = 315_360_000;

fn seconds(number: u64) -> Result<Duration, String> {
    if (1..=MAX_SECONDS).contains(&number) {
        Ok(Duration::from_secs(number))
    } else {
        Err(format!("must be 1 to {MAX_SECONDS}"))
    }
}

fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
    found.ok_or_else(|| format!("must be {}", names.join(" or ")))
}

#[cfg(test)]
mod tests {
    use crate::settings::{Settings, Surroundings};
    use mainstay_api::Problem;
    use mainstay_core::events::{Overflow, RoomAccess, StreamOptions, Trimming};
    use std::time::Duration;

    fn with(file: &str, variable: &str) -> Result<Settings, Box<Problem>> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mainstay.toml"), file).unwrap();
        Settings::resolve(Surroundings {
            environment: [("MAINSTAY_STREAMS".to_owned(), variable.to_owned())].into(),
            data_dir: Some("/data".into()),
            config_dir: Some(dir.path().into()),
            ..Surroundings::default()
        })
    }

    fn stream(settings: &Settings, name: &str) -> StreamOptions {
        settings.streams.get(&name.parse().unwrap()).unwrap().clone()
    }

    #[test]
    fn a_table_changes_a_stream_that_exists_and_adds_one_that_does_not() {
        let settings = with(
            r#"
            [streams.chat]
            max_len = 20000
            max_age_s = 3600
            partitions = 4
            dedupe_s = 600
            trimming = "refuse"
            overflow = "conflate"
            access = "members"
            [streams.orders]
            redis_key = "shop:orders"
            "#,
            "",
        )
        .unwrap();
        let chat = stream(&settings, "chat");
        assert_eq!((chat.max_len, chat.partitions, chat.max_age), (20_000, 4, Some(Duration::from_secs(3_600))));
        assert_eq!(
            (chat.trimming, chat.overflow, chat.access),
            (Trimming::Refuse, Overflow::Conflate, RoomAccess::Members)
        );
        assert_eq!((chat.dedupe, chat.redis_key.as_str()), (Duration::from_secs(600), "events:chat"));
        let orders = stream(&settings, "orders");
        assert_eq!((orders.max_len, orders.redis_key.as_str()), (10_000, "shop:orders"));
        assert_eq!(settings.streams.iter().count(), 8);
        assert_eq!(stream(&settings, "remote").max_len, 1_000);
    }

    #[test]
    fn a_usual_length_is_for_streams_that_say_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = "[streams.chat]\nmax_len = 20000\n[streams.orders]\npartitions = 2\n";
        std::fs::write(dir.path().join("mainstay.toml"), file).unwrap();
        let of = |variable: &str, value: &str| {
            Settings::resolve(Surroundings {
                environment: [(variable.to_owned(), value.to_owned())].into(),
                data_dir: Some("/data".into()),
                config_dir: Some(dir.path().into()),
                ..Surroundings::default()
            })
        };
        for variable in ["MAINSTAY_STREAM_MAX_LEN", "EVENT_TRANSPORT_STREAM_MAX_LEN"] {
            let settings = of(variable, "7000").unwrap();
            let lengths = ["chat", "orders", "remote", "ticket"].map(|name| stream(&settings, name).max_len);
            assert_eq!(lengths, [20_000, 7_000, 7_000, 7_000]);
        }
        let refused = of("EVENT_TRANSPORT_STREAM_MAX_LEN", "99").unwrap_err();
        assert!(refused.detail.contains("from 100 to 10000000"), "{}", refused.detail);
    }

    #[test]
    fn the_environment_says_the_same_in_words_and_comes_last() {
        let file = "[streams.chat]\nmax_len = 20000\npartitions = 2\n";
        let settings = with(file, "orders partitions=8 trimming=refuse, chat max_len=500").unwrap();
        assert_eq!(
            (stream(&settings, "orders").partitions, stream(&settings, "orders").trimming),
            (8, Trimming::Refuse)
        );
        assert_eq!((stream(&settings, "chat").max_len, stream(&settings, "chat").partitions), (500, 2));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        for (file, said) in [
            ("streams = 1", "streams must be tables"),
            ("[streams.Chat]", "streams.Chat"),
            ("[streams.chat]\nmaxlen = 1", "there is no key `maxlen`"),
            ("[streams.chat]\nmax_len = 1", "streams.chat"),
            ("[streams.chat]\nmax_len = \"x\"", "max_len must be a number"),
            ("[streams.chat]\ntrimming = \"never\"", "must be count or refuse"),
            ("[streams.own]\nredis_key = \"events:chat\"", "streams.own"),
            ("[streams.ws]", "streams.ws"),
        ] {
            let problem = with(file, "").unwrap_err();
            assert!(problem.detail.contains(said), "{file}: {}", problem.detail);
        }
        for variable in ["Chat", "chat max_len", "chat max_len=1", "chat colour=1"] {
            let problem = with("", variable).unwrap_err();
            assert!(problem.detail.contains("MAINSTAY_STREAMS"), "{variable}: {}", problem.detail);
        }
        assert!(with("[streams.chat]\nmaxlen = 1", "").unwrap_err().help.contains("`max_len`"));
    }
}
