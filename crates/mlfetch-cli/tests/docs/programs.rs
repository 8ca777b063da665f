//! Programs on the page for embedders are those of the crates' own documents, which are compiled.

use crate::pages::{Page, root};

const PAGE: &str = "docs/embedding.md";

/// Programs that no crate's README has, or whose README is not compiled.
pub(crate) fn problems() -> Vec<String> {
    let page = Page::at(PAGE);
    let blocks = page.blocks();
    let programs = blocks.iter().filter(|block| block.kind.starts_with("rust"));
    let compiled: Vec<String> = ["mlfetch", "mlfetch-mlflow"].map(compiled_readme).into();
    let missing = programs.filter(|block| {
        let program = block.lines.join("\n");
        !compiled.iter().any(|readme| readme.contains(&program))
    });
    missing.map(|block| format!("{}: no README has this program", page.place(block.line))).collect()
}

/// The README of a crate; empty if its documentation tests do not take it in.
fn compiled_readme(name: &str) -> String {
    let folder = root().join("crates").join(name);
    let code = std::fs::read_to_string(folder.join("src/lib.rs")).expect("a library has a root");
    if !code.contains("include_str!(\"../README.md\")") {
        return String::new();
    }
    std::fs::read_to_string(folder.join("README.md")).expect("a crate has a README")
}
