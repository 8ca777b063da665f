//! What is shown and written: the machine, the command, and a table for each work.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::machine;
use super::options::Options;
use crate::report;

/// A page of Markdown that grows with each measurement, so that what is interrupted is not lost.
pub(super) struct Page {
    file: Option<PathBuf>,
    text: String,
}

impl Page {
    /// Begins with what it is measured on and with.
    pub(super) fn begin(options: &Options, versions: &[String]) -> Result<Self> {
        let mut page = Self { file: options.write.clone(), text: String::new() };
        page.add(&format!(
            "{}\nVersions: mlfetch at {}; {}.\nCommand: `{}`.",
            machine::description(options),
            machine::commit(),
            versions.join("; "),
            machine::command_line(),
        ))?;
        Ok(page)
    }

    /// Adds tables under a heading.
    pub(super) fn section(&mut self, title: &str, content: &str) -> Result<()> {
        self.add(&format!("### {title}\n\n{content}"))
    }

    fn add(&mut self, part: &str) -> Result<()> {
        report::output(&format!("{part}\n"));
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.extend([part, "\n"]);
        let Some(file) = &self.file else { return Ok(()) };
        fs::write(file, &self.text).with_context(|| format!("cannot write `{}`", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_in_the_file_before_the_next_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("page.md");
        let mut page = Page { file: Some(file.clone()), text: String::new() };
        page.section("One", "| a |").expect("written");
        page.section("Two", "| b |").expect("written");
        let text = fs::read_to_string(&file).expect("it is there");
        assert_eq!(text, "### One\n\n| a |\n\n### Two\n\n| b |\n");
    }
}
