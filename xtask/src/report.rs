//! The one place that prints: results on standard output, everything else on standard error.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to its user; all other modules go through this one"
)]

/// Prints a result, which a script may read.
pub(crate) fn output(text: &str) {
    println!("{text}");
}

/// Tells the person at the terminal what is going on.
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
