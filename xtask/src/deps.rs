//! `cargo xtask deps`: what each library crate costs somebody who embeds it, in packages.

use anyhow::{Result, bail};

use crate::metadata::{self, Metadata};
use crate::report;
use crate::table::Table;

/// Above these numbers somebody has to say in a review why the packages are worth it.
const BUDGETS: [(&str, usize); 7] = [
    ("mlfetch-store", 16),
    ("mlfetch-local", 40),
    ("mlfetch-http", 115),
    // AWS's chain of credentials and S3's endpoint rules.
    ("mlfetch-s3", 155),
    // Google's credentials of every kind, over the same HTTP client.
    ("mlfetch-gcs", 145),
    ("mlfetch-webhdfs", 115),
    // Entra ID's credentials of every kind, over the same HTTP client.
    ("mlfetch-azure", 140),
];

/// Counts packages with default features; programs and test helpers embed nothing.
pub(crate) fn run() -> Result<()> {
    let mut table = Table::new(["crate", "packages", "budget"]);
    let mut exceeded = Vec::new();
    for name in libraries(&Metadata::read()?) {
        let count = metadata::tree(&name, &[])?.len();
        let budget = budget(&name);
        if budget.is_some_and(|budget| count > budget) {
            exceeded.push(name.clone());
        }
        let budget = budget.map_or_else(|| "-".to_owned(), |budget| budget.to_string());
        table.row(&[name, count.to_string(), budget]);
    }
    report::output(&table.markdown());
    if !exceeded.is_empty() {
        bail!(
            "over budget: {}; `cargo tree --edges=normal` shows who brings what. Drop a dependency \
             or a feature of it, or raise the budget in xtask/src/deps.rs with a reason",
            exceeded.join(", ")
        );
    }
    Ok(())
}

fn libraries(metadata: &Metadata) -> Vec<String> {
    let published = metadata.crates().filter(|package| package.publish != Some(Vec::new()));
    let mut names: Vec<String> = published.map(|package| package.name.clone()).collect();
    names.sort_unstable();
    names
}

fn budget(name: &str) -> Option<usize> {
    BUDGETS.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, budget)| *budget)
}
