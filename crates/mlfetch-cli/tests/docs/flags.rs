//! Flags in shell examples and in the text: each is one of the program's.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::pages::{Block, Page, code_spans};

/// Flags of other programs that the text speaks of: MLflow's server, cargo, `cargo xtask`,
/// `sha256sum`.
const OTHERS: [&str; 26] = [
    "--backend",
    "--by",
    "--full",
    "--kind",
    "--rate",
    "--app-name",
    "--cfg",
    "--rounds",
    "--seconds",
    "--seeds",
    "--slow-rounds",
    "--times",
    "--tls",
    "--to",
    "--write",
    "--artifacts-destination",
    "--artifacts-only",
    "--no-serve-artifacts",
    "--serve-artifacts",
    "--check",
    "--tag",
    "--path",
    "--compose",
    "--runs",
    "--tool",
    "--work",
];

/// Ends what belongs to one command in a shell.
const ENDS: [&str; 8] = ["|", "||", "&&", ";", "&", "#", ">", "2>"];

/// The flags that the program does not have.
pub(crate) fn problems(pages: &[Page]) -> Vec<String> {
    let mut program = Program::default();
    let mut problems = Vec::new();
    for page in pages {
        for block in page.blocks() {
            problems.extend(in_block(&mut program, page, &block));
        }
        for (number, line) in page.prose() {
            for flag in code_spans(line).flat_map(flags_of) {
                if !program.has_anywhere(&flag) && !OTHERS.contains(&flag.as_str()) {
                    problems.push(format!("{}: there is no `{flag}`", page.place(number)));
                }
            }
        }
    }
    problems
}

fn in_block(program: &mut Program, page: &Page, block: &Block<'_>) -> Vec<String> {
    if !["sh", "console"].contains(&block.kind) {
        return Vec::new();
    }
    let text = block.lines.join("\n").replace("\\\n", " ");
    let mut problems = Vec::new();
    for line in text.lines() {
        let Some(words) = typed_to_mlfetch(line) else { continue };
        let command = subcommand(&words);
        for flag in words.iter().filter(|word| word.starts_with('-')) {
            let flag = flag.split('=').next().unwrap_or(flag);
            if !program.has(&command, flag) {
                let place = page.place(block.line);
                problems.push(format!("{place}: `mlfetch {command}` has no `{flag}`"));
            }
        }
    }
    problems
}

/// The words behind `mlfetch`, or behind `--` of `cargo run`.
fn typed_to_mlfetch(line: &str) -> Option<Vec<String>> {
    let line = line.replace("$(", " ").replace(')', " ").replace(';', " ; ");
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.contains(&"xtask") {
        return None;
    }
    let runs = words.windows(2).any(|pair| pair == ["cargo", "run"]);
    let begins = if runs { "--" } else { "mlfetch" };
    let start = words.iter().position(|word| *word == begins)? + 1;
    let own = words[start..].iter().take_while(|word| !ENDS.contains(word));
    Some(own.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect())
}

fn subcommand(words: &[String]) -> String {
    let mut names = words.iter().take_while(|word| !word.starts_with('-'));
    match (names.next().map(String::as_str), names.next()) {
        (Some(first @ ("artifacts" | "audit")), Some(second)) => format!("{first} {second}"),
        (first, _) => first.unwrap_or_default().to_owned(),
    }
}

/// The long flags at the beginning of a span of code and after blanks in it.
fn flags_of(span: &str) -> Vec<String> {
    let long = span.split([' ', '=', '/', '|', '[']).filter(|word| {
        word.strip_prefix("--")
            .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    });
    long.map(|word| word.trim_end_matches(['\\', ',', '`']).to_owned()).collect()
}

/// The program's own word on its flags.
#[derive(Default)]
struct Program {
    flags: BTreeMap<String, BTreeSet<String>>,
}

impl Program {
    fn has(&mut self, command: &str, flag: &str) -> bool {
        if !self.flags.contains_key(command) {
            self.flags.insert(command.to_owned(), flags_in_help(command));
        }
        self.flags[command].contains(flag)
    }

    fn has_anywhere(&mut self, flag: &str) -> bool {
        let commands = [
            "get",
            "artifacts download",
            "artifacts list",
            "ls",
            "cat",
            "verify",
            "audit verify",
            "resolve",
            "man",
            "",
        ];
        commands.into_iter().any(|command| self.has(command, flag))
    }
}

fn flags_in_help(command: &str) -> BTreeSet<String> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_mlfetch"));
    let output = program.args(command.split_whitespace()).arg("--help").output();
    let output = output.expect("the program starts");
    assert!(output.status.success(), "`mlfetch {command}` is no command");
    let help = String::from_utf8(output.stdout).expect("help is text");
    let words = help.split([' ', ',', '\n', '[', '=']);
    words.filter(|word| word.starts_with('-')).map(str::to_owned).collect()
}
