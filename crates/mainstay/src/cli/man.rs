//! `mainstay man`.

use super::Cli;
use crate::failure::{Failure, Result};
use crate::printer::Printer;
use clap::{Args, CommandFactory};
use std::path::PathBuf;

/// Prints the manual page, or writes all of them to a folder.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay man | man -l -")]
pub struct Man {
    /// Write the page of every command to this folder.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

impl Man {
    /// Runs the command.
    pub fn run(self, printer: &Printer) -> Result {
        let Some(dir) = self.dir else {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|cause| Failure::io("the page cannot be written", &cause))?;
            return printer.text(&String::from_utf8_lossy(&page));
        };
        let cannot = |cause| Failure::io(format!("{} cannot be written", dir.display()), &cause);
        std::fs::create_dir_all(&dir).map_err(cannot)?;
        clap_mangen::generate_to(Cli::command(), &dir).map_err(cannot)
    }
}
