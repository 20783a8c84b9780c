//! Figures, and how they are printed.

use anyhow::Result;
use serde::Serialize;
use std::io::Write;

/// What a figure has to reach.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

/// One measured number. A ratio has the numbers it was made of before it.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what; `x` for a ratio.
    pub unit: &'static str,
    /// What it has to reach; none for a number that is only compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Whether it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met: Option<bool>,
}

impl Figure {
    /// A number to compare with.
    pub fn plain(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, target: None, met: None }
    }

    /// The same number, with a target.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.met = Some(match target {
            Target::AtLeast(least) => self.value >= least,
            Target::AtMost(most) => self.value <= most,
        });
        self.target = Some(target);
        self
    }
}

#[derive(Serialize)]
struct Measured {
    benchmark: &'static str,
    figures: Vec<Figure>,
}

/// Everything measured in a run, printed as it comes, or as one document at the end.
pub struct Report {
    json: bool,
    measured: Vec<Measured>,
}

impl Report {
    /// An empty report.
    pub fn new(json: bool) -> Self {
        Self { json, measured: Vec::new() }
    }

    /// Adds what a benchmark measured.
    pub fn add(&mut self, benchmark: &'static str, figures: Vec<Figure>) -> Result<()> {
        if !self.json {
            let mut out = std::io::stdout().lock();
            writeln!(out, "\n{benchmark}")?;
            for figure in &figures {
                writeln!(out, "{}", line(figure))?;
            }
        }
        self.measured.push(Measured { benchmark, figures });
        Ok(())
    }

    /// Prints the document, where that is asked for.
    pub fn finish(self) -> Result<()> {
        if self.json {
            let mut out = std::io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &self.measured)?;
            writeln!(out)?;
        }
        Ok(())
    }
}

fn line(figure: &Figure) -> String {
    let decimals = if figure.value >= 1_000.0 { 0 } else { 2 };
    let value = format!("{:.decimals$} {}", figure.value, figure.unit);
    let target = match figure.target {
        Some(Target::AtLeast(least)) => format!("target >= {least} {}", figure.unit),
        Some(Target::AtMost(most)) => format!("target <= {most} {}", figure.unit),
        None => String::new(),
    };
    let met = match figure.met {
        Some(true) => "met",
        Some(false) => "NOT MET",
        None => "",
    };
    format!("  {:<58} {value:>14}  {target:<24} {met}", figure.name).trim_end().to_owned()
}

/// Says on stderr why something is left out.
pub fn note(text: &str) {
    // Nobody reads it where stderr is gone.
    writeln!(std::io::stderr(), "{text}").ok();
}
