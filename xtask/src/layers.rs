//! `cargo xtask layers`: the drawing in ARCHITECTURE.md and the real dependencies are the same.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, Result, bail};

use crate::metadata::{self, Metadata};
use crate::{report, workspace};

const DOCUMENT: &str = "ARCHITECTURE.md";

/// The crate that must stay free of the network, and what would end that.
const SEAM: &str = "mlfetch-store";
const HTTP_PACKAGES: [&str; 6] = ["h2", "http", "hyper", "reqwest", "rustls", "ureq"];

/// `below <- above`: the crate on the right depends on the one on the left.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Arrow {
    below: String,
    above: String,
}

impl fmt::Display for Arrow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} <- {}", self.below, self.above)
    }
}

/// Compares the arrows, and looks for HTTP below the seam.
pub(crate) fn run() -> Result<()> {
    let path = workspace::root().join(DOCUMENT);
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("cannot read {DOCUMENT}: it must hold the arrows in a block marked ```layers")
    })?;
    let metadata = Metadata::read()?;
    let mut problems = differences(&declared(&text)?, &existing(&metadata));
    problems.extend(http_below_the_seam(&metadata)?);
    if !problems.is_empty() {
        bail!("the layers do not hold:\n  {}", problems.join("\n  "));
    }
    report::say("layers: every dependency arrow is the one that is drawn");
    Ok(())
}

fn existing(metadata: &Metadata) -> BTreeSet<Arrow> {
    let crates: BTreeSet<&str> = metadata.crates().map(|package| package.name.as_str()).collect();
    let mut arrows = BTreeSet::new();
    for package in metadata.crates() {
        for dependency in &package.dependencies {
            if dependency.kind.is_none() && crates.contains(dependency.name.as_str()) {
                let (below, above) = (dependency.name.clone(), package.name.clone());
                arrows.insert(Arrow { below, above });
            }
        }
    }
    arrows
}

fn declared(document: &str) -> Result<BTreeSet<Arrow>> {
    let mut lines = document.lines().skip_while(|line| line.trim() != "```layers").peekable();
    if lines.next().is_none() {
        bail!("{DOCUMENT} has no block marked ```layers; add one with a line per arrow");
    }
    lines
        .take_while(|line| !line.trim_start().starts_with("```"))
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .map(parse_arrow)
        .collect()
}

fn parse_arrow(line: &str) -> Result<Arrow> {
    let (below, above) = line.split_once("<-").with_context(|| {
        format!("{DOCUMENT}: `{line}` is not an arrow; write `mlfetch-store <- mlfetch-local`")
    })?;
    Ok(Arrow { below: below.trim().to_owned(), above: above.trim().to_owned() })
}

fn differences(declared: &BTreeSet<Arrow>, existing: &BTreeSet<Arrow>) -> Vec<String> {
    let undeclared = existing.difference(declared).map(|arrow| {
        format!("`{arrow}` exists but is not drawn: remove the dependency, or draw it and say why")
    });
    let gone = declared
        .difference(existing)
        .map(|arrow| format!("`{arrow}` is drawn but does not exist: remove the line"));
    undeclared.chain(gone).collect()
}

fn http_below_the_seam(metadata: &Metadata) -> Result<Vec<String>> {
    if !metadata.crates().any(|package| package.name == SEAM) {
        return Ok(Vec::new());
    }
    let names = metadata::tree(SEAM, &["--all-features"])?;
    let found = names.iter().filter(|name| HTTP_PACKAGES.contains(&name.as_str()));
    Ok(found.map(|name| format!("`{SEAM}` depends on `{name}`: the seam knows no HTTP")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWING: &str = "# Layers\n\n```text\na <- z\n```\n\n```layers\n\
        store <- local   # a backend\n\nstore <- core\n```\n\nstore <- ignored\n";

    fn arrows(lines: &[&str]) -> BTreeSet<Arrow> {
        lines.iter().map(|line| parse_arrow(line).expect("an arrow of the test")).collect()
    }

    #[test]
    fn only_the_marked_block_is_read() {
        let found = declared(DRAWING).expect("the drawing is well formed");
        assert_eq!(found, arrows(&["store <- core", "store <- local"]));
    }

    #[test]
    fn a_document_without_the_block_is_an_error() {
        assert!(
            declared("# nothing")
                .expect_err("it must be refused")
                .to_string()
                .contains("```layers")
        );
    }

    #[test]
    fn a_line_that_is_no_arrow_is_quoted() {
        let error = declared("```layers\nstore -> core\n```").expect_err("it must be refused");
        assert!(error.to_string().contains("`store -> core`"), "{error}");
    }

    #[test]
    fn both_kinds_of_difference_are_listed() {
        let problems = differences(&arrows(&["a <- b", "a <- c"]), &arrows(&["a <- b", "b <- c"]));
        assert_eq!(problems.len(), 2);
        assert!(problems[0].starts_with("`b <- c` exists"), "{problems:?}");
        assert!(problems[1].starts_with("`a <- c` is drawn"), "{problems:?}");
    }
}
