//! A program whose every line is searched for secrets before it is shown.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::services::Variables;

/// What the servers were started with, and what nobody may see: variables whose names say so, and
/// passwords in URLs.
pub(crate) fn secrets(variables: &Variables) -> Vec<String> {
    let mut secrets = Vec::new();
    for (name, value) in variables {
        let is_secret = ["_PASSWORD", "_SECRET_KEY", "AZURITE_KEY", "AZURITE_TLS_KEY"];
        if is_secret.iter().any(|end| name.ends_with(end)) {
            secrets.push(value.clone());
        }
        let login = value.split_once("://").and_then(|(_, after)| after.split_once('@'));
        let password = login.and_then(|(login, _)| login.split_once(':'));
        secrets.extend(password.map(|(_, password)| password.to_owned()));
    }
    secrets.retain(|secret| secret.len() >= 8);
    secrets
}

/// Runs a program to its end. What it prints is passed on, without the secrets; where there are none,
/// it prints by itself.
///
/// # Errors
/// If it printed one.
pub(crate) fn status(command: &mut Command, secrets: &[String]) -> Result<ExitStatus> {
    if secrets.is_empty() {
        return command::status(command);
    }
    let mut child = command::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let output = child.stdout.take().context("standard output is a pipe")?;
    let errors = child.stderr.take().context("standard error is a pipe")?;
    let (status, found) = thread::scope(|scope| {
        let output = scope.spawn(|| pass_on(output, io::stdout(), secrets));
        let errors = scope.spawn(|| pass_on(errors, io::stderr(), secrets));
        let status = command::wait(&mut child, command);
        let count = |reader: thread::ScopedJoinHandle<'_, io::Result<u64>>| {
            reader.join().unwrap_or_else(|_| Err(io::Error::other("a reader panicked")))
        };
        (status, count(output).and_then(|found| Ok(found + count(errors)?)))
    });
    match found.context("cannot pass on what was printed")? {
        0 => status,
        found => bail!("{found} lines held a secret of a server, shown above as `[secret]`"),
    }
}

/// Gives the number of lines with a secret.
fn pass_on(from: impl Read, mut to: impl Write, secrets: &[String]) -> io::Result<u64> {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    let mut found = 0;
    while from.read_until(b'\n', &mut line)? > 0 {
        match without(&line, secrets) {
            Some(text) => {
                found += 1;
                to.write_all(text.as_bytes())?;
            }
            None => to.write_all(&line)?,
        }
        to.flush()?;
        line.clear();
    }
    Ok(found)
}

/// The line with its secrets replaced, if it has any.
fn without(line: &[u8], secrets: &[String]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let has_any = secrets.iter().any(|secret| text.contains(secret.as_str()));
    has_any.then(|| secrets.iter().fold(text.into_owned(), |text, s| text.replace(s, "[secret]")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_servers_are_known() {
        let variables = [
            ("MLFETCH_TEST_MINIO_ACCESS_KEY", "access-key"),
            ("MLFETCH_TEST_MINIO_SECRET_KEY", "secret-key"),
            ("MLFETCH_TEST_POSTGRES_URL", "postgresql://me:pass-word@h/db"),
            ("MLFETCH_TEST_KERBEROS_KEYTAB", "/a/keytab"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(secrets(&Variables::from(variables)), ["secret-key", "pass-word"]);
    }

    #[test]
    fn a_line_with_a_secret_is_counted_and_not_shown() {
        let secrets = ["s3cret-key".to_owned()];
        let mut shown = Vec::new();
        let printed: &[u8] = b"first\nkey=s3cret-key;\nlast";
        assert_eq!(pass_on(printed, &mut shown, &secrets).expect("memory"), 1);
        assert_eq!(shown, b"first\nkey=[secret];\nlast");
        let mut loud = Command::new("sh");
        let error = status(loud.args(["-c", "echo s3cret-key >&2"]), &secrets);
        assert!(error.expect_err("it is found").to_string().starts_with("1 lines held"));
    }
}
