//! Running other programs, with errors that say what was run and what to do.

use std::env;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::interrupt;
use crate::workspace;

/// The cargo that runs this tool, in the workspace's directory.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace::root());
    command
}

/// Runs a program to its end and fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("`{}` failed with {status}", describe(command));
    }
    Ok(())
}

/// Runs a program to its end, ending it early when this tool is interrupted.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    let mut child = start(command)?;
    wait(&mut child, command)
}

/// Starts a program.
pub(crate) fn start(command: &mut Command) -> Result<Child> {
    command.spawn().with_context(|| cannot_start(command))
}

/// Waits for its end, ending it early when this tool is interrupted.
pub(crate) fn wait(child: &mut Child, command: &Command) -> Result<ExitStatus> {
    let status = interrupt::wait(child)
        .with_context(|| format!("cannot wait for `{}`", describe(command)))?;
    if interrupt::requested() {
        bail!("interrupted while running `{}`", describe(command));
    }
    Ok(status)
}

/// Runs a program to its end and returns its standard output; its errors become part of ours.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed with {}:\n{}", describe(command), output.status, errors.trim_end());
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something that is not UTF-8", describe(command)))
}

/// Whether a program can be started and succeeds; for looking what the machine has.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    output(command).is_ok_and(|output| output.status.success())
}

fn output(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().with_context(|| cannot_start(command))
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`; is it installed?", command.get_program().display())
}

/// The command line as a person would type it: the program's name without its directory.
fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    let mut line = words.join(" ");
    if let Some((cut, _)) = line.char_indices().nth(200) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_named_with_its_output() {
        let error = capture(Command::new("sh").args(["-c", "echo broken >&2; exit 3"]))
            .expect_err("it must fail");
        let text = error.to_string();
        assert!(text.contains("sh -c") && text.contains("broken"), "{text}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error =
            capture(&mut Command::new("mlfetch-no-such-program")).expect_err("it must fail");
        assert!(error.to_string().contains("`mlfetch-no-such-program`"), "{error}");
    }
}
