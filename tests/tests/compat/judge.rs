//! Whether two programs did what a row says.

use std::collections::BTreeMap;
use std::path::Path;

use mlfetch_tests::{Node, Tree};

use crate::case::Did;
use crate::case_box::common_names;
use crate::row::{Expected, Outcome, Row};
use crate::store::OpenStore;
use crate::words::fill;

/// Compares what was done with what must be.
pub(crate) struct Judge<'a> {
    pub(crate) row: &'a Row,
    pub(crate) store: &'a OpenStore,
    pub(crate) trees: &'a Tree,
}

impl Judge<'_> {
    /// All that is not as the row says.
    pub(crate) fn problems(&self, mlflow: &Did, ours: &Did) -> Vec<String> {
        match self.row.expected {
            Expected::Same => Self::same(mlflow, ours),
            Expected::BothFail(says) => {
                let mut problems = self.outcome("mlflow", mlflow, Outcome::Fails(""), false);
                problems.extend(self.outcome("mlfetch", ours, Outcome::Fails(says), true));
                problems
            }
            Expected::Usage => {
                let code = |name, did: &Did| {
                    let wrong = did.ran.code != 2 || !did.ran.stdout.is_empty();
                    wrong.then(|| format!("{name} must exit with 2 and print nothing"))
                };
                let codes = [code("mlflow", mlflow), code("mlfetch", ours)];
                codes.into_iter().flatten().chain(unchanged(ours)).collect()
            }
            Expected::Differs { mlflow: theirs, ours: own, .. } => {
                let mut problems = self.outcome("mlflow", mlflow, theirs, false);
                problems.extend(self.outcome("mlfetch", ours, own, true));
                problems
            }
        }
    }

    fn same(mlflow: &Did, ours: &Did) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, did) in [("mlflow", mlflow), ("mlfetch", ours)] {
            if did.ran.code != 0 {
                problems.push(format!("{name} must succeed"));
            }
        }
        if mlflow.ran.stdout != ours.ran.stdout {
            problems.push("not the same on standard output".to_owned());
        }
        problems.extend(mlflow.after.differences(&ours.after));
        problems
    }

    /// `strict` for ours: nothing may be there that was not named.
    fn outcome(&self, name: &str, did: &Did, outcome: Outcome, strict: bool) -> Vec<String> {
        let (succeeds, says) = match outcome {
            Outcome::Gives(..) | Outcome::Lists(_) => (true, ""),
            Outcome::Fails(says)
            | Outcome::FailsWith(says, _)
            | Outcome::FailsAmid(says, _)
            | Outcome::FailsCreating(says, _) => (false, says),
        };
        let mut problems = Vec::new();
        let code_is_right = if succeeds { did.ran.code == 0 } else { fails(did.ran.code) };
        if !code_is_right {
            let must = if succeeds { "succeed" } else { "fail, and not with 2" };
            problems.push(format!("{name} must {must}"));
        }
        if !succeeds && !did.ran.stdout.is_empty() {
            problems.push(format!("{name} printed something though it failed"));
        }
        let says = fill(says, &self.names());
        if !did.ran.stderr.contains(&says) {
            problems.push(format!("{name} does not say {says:?}"));
        }
        match outcome {
            Outcome::Gives(printed, entries) => {
                let printed = format!("\n{}\n", fill(printed, &self.names()));
                if did.ran.stdout != printed {
                    problems.push(format!("{name} must print {printed:?}"));
                }
                problems.extend(self.tree(name, did, entries));
            }
            Outcome::FailsWith(_, entries) => problems.extend(self.tree(name, did, entries)),
            Outcome::FailsAmid(_, entries) => {
                let found = self.tree(name, did, entries);
                problems.extend(found.into_iter().filter(|line| !line.contains(": missing: ")));
            }
            Outcome::FailsCreating(_, path) if did.after.get(path).is_none() => {
                problems.push(format!("{name} must create {path}"));
            }
            Outcome::Lists(names) => problems.extend(lists(name, did, names)),
            Outcome::Fails(_) if strict => problems.extend(unchanged(did)),
            Outcome::Fails(_) | Outcome::FailsCreating(..) => {}
        }
        problems
    }

    fn names(&self) -> BTreeMap<String, String> {
        let mut names = self.store.facts.clone();
        names.extend(common_names());
        names
    }

    /// Differences between the box afterwards and the box before with these entries.
    fn tree(&self, name: &str, did: &Did, entries: &[&str]) -> Vec<String> {
        let mut expected = did.before.clone();
        let base = if self.row.line.contains("{out}") { "out" } else { "tmp/new" };
        for entry in entries {
            self.put(&mut expected, base, entry);
        }
        let found = expected.differences(&did.after);
        found.into_iter().map(|line| format!("{name}: {line}")).collect()
    }

    fn put(&self, tree: &mut Tree, base: &str, entry: &str) {
        let place = |name: &str| {
            let name = name.trim_end_matches('/');
            let path = match name.strip_prefix("@box/") {
                Some(name) => name.into(),
                None if name.starts_with("@watched") => name.into(),
                None => Path::new(base).join(name),
            };
            // `.` is the destination itself.
            path.components().as_path().to_owned()
        };
        if let Some((name, text)) = entry.split_once(" : ") {
            let text = fill(text, &self.names()).into_bytes();
            tree.put(place(name), Node::file(text));
        } else if let Some((name, target)) = entry.split_once(" -> ") {
            tree.put(place(name), Node::Link(fill(target, &self.names()).into()));
        } else if let Some((name, source)) = entry.split_once(" = ") {
            let node = self.trees.get(source).unwrap_or_else(|| panic!("no tree has {source}"));
            tree.put(place(name), node.clone());
            tree.put_all(place(name), &self.trees.below(source));
        } else {
            tree.put(place(entry), Node::Directory);
        }
    }
}

/// Failing, by the contract of `artifacts`: 2 is for usage alone.
fn fails(code: i32) -> bool {
    code != 2 && (1..126).contains(&code)
}

fn unchanged(did: &Did) -> Vec<String> {
    did.before.differences(&did.after)
}

fn lists(name: &str, did: &Did, names: &[&str]) -> Vec<String> {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(&did.ran.stdout);
    let Ok(serde_json::Value::Array(rows)) = parsed else {
        return vec![format!("{name} printed no JSON list")];
    };
    let found: Vec<&str> = rows.iter().filter_map(|row| row["path"].as_str()).collect();
    if found == names {
        Vec::new()
    } else {
        vec![format!("{name} listed {found:?}, not {names:?}")]
    }
}
