//! The arguments of the scripts, read as the originals read them.

use mainstay_api::InstanceId;

/// What a script was asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked<T> {
    /// Its help.
    Help,
    /// Something that it does.
    Run(T),
}

/// The arguments of publish-message.sh.
#[derive(Debug, PartialEq, Eq)]
pub struct Publish {
    pub kind: String,
    pub subject: String,
    pub description: String,
    pub to: Option<String>,
    pub requires_ack: bool,
}

/// The arguments of check-messages.sh.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Check {
    pub all: bool,
    pub pending: bool,
    pub from: Option<String>,
    pub kind: Option<String>,
    pub family: Option<Family>,
    pub window: Option<Window>,
}

/// A family of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Reviews,
    Contracts,
}

/// A window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Day,
    Week,
}

/// The arguments of ack-message.sh.
#[derive(Debug, PartialEq, Eq)]
pub struct Ack {
    pub id: String,
    pub comment: Option<String>,
}

/// Reads the arguments of publish-message.sh.
pub fn publish(arguments: &[String]) -> Result<Asked<Publish>, String> {
    let (mut words, mut to, mut requires_ack) = (Vec::new(), None, true);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-h" | "--help" => return Ok(Asked::Help),
            "--to" => to = Some(value(&mut rest, "--to")?),
            "--no-ack" => requires_ack = false,
            word => words.push(word.to_owned()),
        }
    }
    let count = words.len();
    let mut words = words.into_iter();
    match (words.next(), words.next(), words.next()) {
        (Some(kind), Some(subject), Some(description)) if count == 3 => {
            Ok(Asked::Run(Publish { kind, subject, description, to, requires_ack }))
        }
        _ if count > 3 => Err("Error: Too many arguments".into()),
        _ => Err("Error: Missing required arguments".into()),
    }
}

/// Reads the arguments of check-messages.sh.
pub fn check(arguments: &[String]) -> Result<Asked<Check>, String> {
    let mut check = Check::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-h" | "--help" => return Ok(Asked::Help),
            "--all" => check.all = true,
            "--pending" => check.pending = true,
            "--from" => check.from = Some(value(&mut rest, "--from")?),
            "--type" => check.kind = Some(value(&mut rest, "--type")?),
            "--reviews" => check.family = Some(Family::Reviews),
            "--contracts" => check.family = Some(Family::Contracts),
            "--recent" => check.window = Some(Window::Day),
            "--week" => check.window = Some(Window::Week),
            other => return Err(format!("Unknown option: {other}")),
        }
    }
    Ok(Asked::Run(check))
}

/// Reads the arguments of ack-message.sh.
pub fn ack(arguments: &[String]) -> Result<Asked<Ack>, String> {
    let (mut id, mut comment) = (None, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-h" | "--help" => return Ok(Asked::Help),
            "--comment" => comment = Some(value(&mut rest, "--comment")?),
            word if id.is_none() => id = Some(word.to_owned()),
            word => return Err(format!("Error: Unexpected argument '{word}'")),
        }
    }
    match id.filter(|id| !id.is_empty()) {
        Some(id) => Ok(Asked::Run(Ack { id, comment })),
        None => Err("Error: Message ID required".into()),
    }
}

/// Whom a message goes to when nobody says.
pub fn default_target(kind: &str, me: &str) -> &'static str {
    match (kind, me) {
        ("READY_FOR_REVIEW" | "CONTRACT_CHANGE_PROPOSED" | "META_CHANGE_REQUEST", _) => "orchestrator",
        (_, "frontend") => "backend",
        (_, "backend") => "frontend",
        _ => InstanceId::ALL,
    }
}

fn value<'a>(rest: &mut impl Iterator<Item = &'a String>, option: &str) -> Result<String, String> {
    rest.next().cloned().ok_or_else(|| format!("Error: {option} needs a value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn publish_takes_three_words_and_two_options_in_any_order() {
        let asked = publish(&words("--no-ack GENERAL s --to frontend d")).unwrap();
        let Asked::Run(publish_) = asked else { panic!("help was not asked for") };
        assert_eq!((publish_.to.as_deref(), publish_.requires_ack), (Some("frontend"), false));
        assert_eq!(publish(&words("GENERAL s")).unwrap_err(), "Error: Missing required arguments");
        assert_eq!(publish(&words("GENERAL s d e")).unwrap_err(), "Error: Too many arguments");
        assert_eq!(publish(&words("a --help")).unwrap(), Asked::Help);
    }

    #[test]
    fn the_usual_targets_are_those_of_the_original() {
        assert_eq!(default_target("READY_FOR_REVIEW", "backend"), "orchestrator");
        assert_eq!(default_target("GENERAL", "backend"), "frontend");
        assert_eq!(default_target("GENERAL", "frontend"), "backend");
        assert_eq!(default_target("GENERAL", "pm"), "all");
    }

    #[test]
    fn mistakes_are_told_in_the_words_of_the_original() {
        assert_eq!(check(&words("--nope")).unwrap_err(), "Unknown option: --nope");
        assert_eq!(ack(&[]).unwrap_err(), "Error: Message ID required");
        assert_eq!(ack(&words("a b")).unwrap_err(), "Error: Unexpected argument 'b'");
    }
}
