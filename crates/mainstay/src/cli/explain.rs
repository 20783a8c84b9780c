//! `mainstay explain`.

use crate::failure::{Failure, Result};
use crate::printer::Printer;
use clap::Args;
use mainstay_api::Code;
use serde_json::{Value, json};

/// Explains an error code, or lists all of them.
#[derive(Debug, Args)]
pub struct Explain {
    /// The code, such as mail.not_found.
    code: Option<String>,
}

impl Explain {
    /// Runs the command.
    pub fn run(self, printer: &Printer) -> Result {
        let Some(text) = self.code else {
            let all: Vec<Value> = Code::ALL.iter().map(|code| document(*code)).collect();
            let row = |code: &Code| vec![code.to_string(), code.entry().title.to_owned()];
            return printer.data(&all, || printer.rows(&["CODE", "MEANING"], Code::ALL.iter().map(row).collect()));
        };
        let code = Code::find(&text).ok_or_else(|| unknown(&text))?;
        printer.data(&document(code), || code.entry().page.to_owned())
    }
}

fn document(code: Code) -> Value {
    let entry = code.entry();
    json!({
        "code": entry.code, "title": entry.title, "http": entry.http, "exit": entry.exit,
        "retryable": entry.retryable, "page": entry.page,
    })
}

fn unknown(text: &str) -> Failure {
    let likeness = |code: &&Code| strsim::jaro_winkler(code.as_str(), text);
    let closest = Code::ALL.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let help = match closest {
        Some(code) => format!("Did you mean {code}? `mainstay explain` lists every code."),
        None => "`mainstay explain` lists every code.".into(),
    };
    Failure::new(Code::InvalidRequest, format!("there is no error code {text:?}"), help)
}
