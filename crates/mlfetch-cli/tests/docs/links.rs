//! Links between documents, and files that documents name.

use crate::pages::{Page, code_spans, root};

/// Folders whose files are named from the root on.
const FOLDERS: [&str; 5] = ["crates/", "docs/", "examples/", "tests/", "xtask/"];

/// Links that lead nowhere: a file that is not there, or a heading that its page does not have.
pub(crate) fn problems(page: &Page) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in page.prose() {
        for target in targets(line) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            if target.contains("://") || leads_somewhere(page, file, heading) {
                continue;
            }
            problems.push(format!("{}: `{target}` leads nowhere", page.place(number)));
        }
    }
    problems
}

/// The `target` of each `[text](target)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

fn leads_somewhere(page: &Page, file: &str, heading: &str) -> bool {
    let directory = page.path.parent().unwrap_or(&page.path);
    let path = if file.is_empty() { page.path.clone() } else { directory.join(file) };
    let path = root().join(path);
    if heading.is_empty() {
        return path.exists();
    }
    std::fs::read_to_string(path).is_ok_and(|text| {
        let headings = text.lines().filter(|line| line.starts_with('#'));
        headings.map(anchor).any(|anchor| anchor == heading)
    })
}

/// The anchor that hosts of repositories make of a heading.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Files of the repository that are named and not there.
pub(crate) fn missing_files(page: &Page) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in page.prose() {
        for named in code_spans(line).filter_map(named_file) {
            if !root().join(&named).exists() {
                problems.push(format!("{}: there is no `{named}`", page.place(number)));
            }
        }
    }
    problems
}

/// A path in the repository, if the span is one and no pattern for one.
fn named_file(span: &str) -> Option<String> {
    if span.contains([' ', '*', '…', '{', ',']) || span.contains("NAME") {
        return None;
    }
    let below_crates = span.starts_with("mlfetch-") && span.contains("/src/")
        || span.starts_with("mlfetch-") && span.contains("/tests/");
    if below_crates {
        return Some(format!("crates/{span}"));
    }
    FOLDERS.iter().any(|folder| span.starts_with(folder)).then(|| span.to_owned())
}

#[test]
fn an_anchor_is_a_heading_without_signs() {
    assert_eq!(anchor("## Two names, for `one` place?"), "two-names-for-one-place");
}
