//! What it was measured on and with: figures without that say nothing.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use super::options::Options;
use crate::command;
use crate::workspace;

/// Lines for above the tables.
pub(super) fn description(options: &Options) -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| gibibytes(&text));
    let memory = memory.map_or_else(|| "unknown".to_owned(), |size| format!("{size} GiB"));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.trim();
    format!(
        "Machine: {cores} cores of {processor}, {memory} of memory, Linux {kernel}; client and \
         server share the cores. Files go to {}.",
        options.destination()
    )
}

/// Who made the processor: those of one have much the same instructions.
pub(super) fn vendor() -> String {
    field("/proc/cpuinfo", "vendor_id").unwrap_or_else(|| "unknown".to_owned())
}

/// As it was typed.
pub(super) fn command_line() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    format!("cargo xtask {}", words.join(" "))
}

/// The commit that was measured.
pub(super) fn commit() -> String {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty"]).current_dir(workspace::root());
    command::capture(&mut git).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// What a program says of its version, by its own environment.
pub(super) fn version(of: &Command) -> Option<String> {
    let name = Path::new(of.get_program()).file_name()?.to_string_lossy().into_owned();
    ["--version", "version"].into_iter().find_map(|argument| {
        let mut ask = Command::new(of.get_program());
        let set = of.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let text = command::capture(ask.arg(argument).envs(set)).ok()?;
        let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
        Some(shortened(&name, line))
    })
}

/// The name, and the first word that has a digit.
fn shortened(name: &str, line: &str) -> String {
    let has_digit = |word: &&str| word.contains(|letter: char| letter.is_ascii_digit());
    let words = line.split_whitespace().map(|word| word.trim_end_matches(','));
    let version = words.filter(|word| *word != name).find(has_digit).unwrap_or(line);
    let version = version.rsplit('/').next().unwrap_or(version);
    format!("{name} {version}")
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// From the kernel's kibibytes, to the nearest.
fn gibibytes(text: &str) -> Option<u64> {
    let kibibytes: u64 = text.strip_suffix("kB")?.trim().parse().ok()?;
    Some((kibibytes + (1 << 19)) >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_short() {
        for (name, line, expected) in [
            ("curl", "curl 8.5.0 (x86_64-pc-linux-gnu) libcurl/8.5.0", "curl 8.5.0"),
            ("mlflow", "mlflow, version 3.17.2", "mlflow 3.17.2"),
            ("aws", "aws-cli/1.46.3 Python/3.12 Linux/6", "aws 1.46.3"),
            ("cp", "cp (GNU coreutils) 9.1", "cp 9.1"),
            ("s5cmd", "v2.3.0-991c9fb", "s5cmd v2.3.0-991c9fb"),
        ] {
            assert_eq!(shortened(name, line), expected);
        }
    }

    #[test]
    fn memory_is_rounded_to_what_it_is_sold_as() {
        assert_eq!(gibibytes("24564124 kB"), Some(23));
        assert_eq!(gibibytes("25165824 kB"), Some(24));
        assert_eq!(gibibytes("lots"), None);
    }

    #[test]
    fn a_program_says_its_version() {
        assert!(version(&Command::new("curl")).is_some_and(|text| text.starts_with("curl ")));
        assert_eq!(version(&Command::new("mlfetch-no-such-program")), None);
    }
}
