//! Blocks marked `console`: what is typed is run, and what comes out is compared.
//!
//! The blocks of a page run one after the other in a directory of its own, which holds a copy of the
//! quick-start store where the documents say that it is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::pages::{Page, root};

/// The path that the documents show for that directory.
const SHOWN: &str = "/home/you/mlfetch";

/// Stands for any text in a line, or alone for any lines.
const ANYTHING: &str = "...";

/// A command and what it should print.
struct Example<'a> {
    line: usize,
    command: &'a str,
    expected: Vec<&'a str>,
}

/// The examples of a page that print something else.
pub(crate) fn problems(page: &Page) -> Vec<String> {
    let examples = examples(page);
    if examples.is_empty() {
        return Vec::new();
    }
    let desk = Desk::new();
    let mut problems = Vec::new();
    for example in examples {
        let printed = desk.run(example.command);
        if !matches(&example.expected, &printed.lines().collect::<Vec<_>>()) {
            let (place, expected) = (page.place(example.line), example.expected.join("\n"));
            problems
                .push(format!("{place}\n$ {}\n{printed}-- not --\n{expected}", example.command));
        }
    }
    problems
}

fn examples(page: &Page) -> Vec<Example<'_>> {
    let mut examples: Vec<Example<'_>> = Vec::new();
    for block in page.blocks().into_iter().filter(|block| block.kind == "console") {
        let mut begun = false;
        for (number, line) in block.lines.into_iter().enumerate() {
            if let Some(command) = line.strip_prefix("$ ") {
                begun = true;
                let line = block.line + number;
                examples.push(Example { line, command, expected: Vec::new() });
            } else {
                assert!(begun, "{}: a block begins with `$ `", page.place(block.line));
                examples.last_mut().expect("one was begun").expected.push(line);
            }
        }
    }
    examples
}

/// The directory in which the examples of a page are typed.
struct Desk {
    directory: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let desk = Self { directory };
        for name in ["work/examples", "home", "tmp"] {
            std::fs::create_dir_all(desk.path(name)).expect("a directory");
        }
        let store = root().join("examples/quickstart");
        let mut copy = Command::new("cp");
        copy.arg("-R").arg(store).arg(desk.path("work/examples"));
        assert!(copy.status().expect("`cp` starts").success(), "the store is copied");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().expect("it is there").join(name)
    }

    /// What a command prints, on both outputs.
    fn run(&self, command: &str) -> String {
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(self.path("work"))
            .env_clear()
            .env("PATH", search_path())
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("LC_ALL", "C.UTF-8")
            .env("MLFLOW_TRACKING_URI", "sqlite:///examples/quickstart/mlflow.db")
            .env("MLFETCH_REWRITE", "file:///mlfetch-quickstart=examples/quickstart")
            .stdin(Stdio::null())
            .output()
            .expect("`sh` starts");
        let printed = String::from_utf8(output.stdout).expect("examples print text");
        printed.replace(&self.path("work").display().to_string(), SHOWN)
    }
}

/// The program under test, then what the system has.
fn search_path() -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_mlfetch"));
    let mut path = program.parent().expect("a program has a directory").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

fn matches(expected: &[&str], printed: &[&str]) -> bool {
    match (expected, printed) {
        ([], printed) => printed.is_empty(),
        ([first, rest @ ..], printed) if *first == ANYTHING => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        ([first, expected @ ..], [line, printed @ ..]) => {
            line_matches(first, line) && matches(expected, printed)
        }
        (_, []) => false,
    }
}

fn line_matches(expected: &str, line: &str) -> bool {
    let Some((before, after)) = expected.split_once(ANYTHING) else { return expected == line };
    let Some(rest) = line.strip_prefix(before) else { return false };
    let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.into_iter().any(|start| line_matches(after, &rest[start..]))
}

#[test]
fn dots_stand_for_any_text_and_any_lines() {
    assert!(matches(&["a...c", "...", "z"], &["abc", "1", "2", "z"]));
    assert!(matches(&["...", "z"], &["z"]));
    assert!(matches(&["...b..."], &["abc"]));
    assert!(!matches(&["a...c"], &["abd"]));
    assert!(!matches(&["a"], &["a", "b"]));
    assert!(!matches(&["a", "..."], &[]));
}
