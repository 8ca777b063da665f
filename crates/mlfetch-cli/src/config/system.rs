//! The configuration of the whole machine: what its administrator decides and no user can change.

use std::path::{Path, PathBuf};

use mlfetch::audit::AuditLog;
use mlfetch::policy::Policy;
use toml::Table;

use super::{policy, read};
use crate::failure::Failure;

/// Where it lies. No flag and no variable names another place.
pub(crate) const SYSTEM_CONFIG: &str = "/etc/mlfetch/config.toml";

/// What the administrator decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SystemConfig {
    /// Where everybody's attempts are put on record.
    pub(crate) audit: Option<AuditLog>,
    /// What may be read, by the user of this process.
    pub(crate) policy: Option<Policy>,
}

impl SystemConfig {
    /// Reads the file, if it is there. One that cannot be read or understood is an error: what it
    /// asks for must not be left out.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        match read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(malformed(path, &error.to_string())),
            Ok(text) => parse(&text, path).map_err(|why| malformed(path, &why)),
        }
    }
}

fn parse(text: &str, path: &Path) -> Result<SystemConfig, String> {
    let mut table: Table =
        text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let audit = table.remove("audit").map(audit).transpose()?;
    let name = path.display().to_string();
    let policy = table.remove("policy").map(|value| policy::read(value, &name)).transpose()?;
    match table.keys().next() {
        Some(unknown) => {
            Err(format!("`{unknown}` is not a setting; there are `[audit]` and `[policy]`"))
        }
        None => Ok(SystemConfig { audit, policy }),
    }
}

fn audit(value: toml::Value) -> Result<AuditLog, String> {
    let toml::Value::Table(mut table) = value else {
        return Err("`audit` must be a table".to_owned());
    };
    let log = match table.remove("log") {
        Some(toml::Value::String(path)) if path.starts_with('/') => PathBuf::from(path),
        _ => return Err("`audit.log` must be the absolute path of a file".to_owned()),
    };
    let strict = match table.remove("strict") {
        None => false,
        Some(toml::Value::Boolean(strict)) => strict,
        Some(_) => return Err("`audit.strict` must be true or false".to_owned()),
    };
    match table.keys().next() {
        Some(unknown) => Err(format!("`audit.{unknown}` is not a setting")),
        None => Ok(AuditLog::at(log).with_strict(strict)),
    }
}

fn malformed(path: &Path, why: &str) -> Failure {
    let path = mlfetch::escape(path.as_os_str().as_encoded_bytes());
    let why = mlfetch::escape(why.as_bytes());
    Failure::usage_said(
        &format!("cannot read the configuration of this machine, `{path}`: {why}"),
        "ask its administrator: it holds for everybody, and nothing is fetched until it can be read",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SystemConfig, Failure> {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("config.toml");
        std::fs::write(&path, text).expect("written");
        SystemConfig::read(&path)
    }

    #[test]
    fn an_audit_log_is_taken_from_it() {
        let strict = read("[audit]\nlog = \"/var/log/a\"\nstrict = true\n").expect("read");
        assert_eq!(strict.audit, Some(AuditLog::at("/var/log/a").with_strict(true)));
        let usual = read("[audit]\nlog = \"/var/log/a\"\n").expect("read");
        assert_eq!(usual.audit, Some(AuditLog::at("/var/log/a")));
        assert_eq!(read("").expect("read"), SystemConfig::default());
        let missing = SystemConfig::read(Path::new("/nonexistent/mlfetch/config.toml"));
        assert_eq!(missing.expect("none"), SystemConfig::default());
    }

    #[test]
    fn what_cannot_be_understood_is_never_left_out() {
        for text in [
            "audit = 1",
            "[audit]\n",
            "[audit]\nlog = \"relative\"\n",
            "[audit]\nlog = \"/a\"\nstrict = \"yes\"\n",
            "[audit]\nlog = \"/a\"\nstrickt = true\n",
            "[rewrite]\n",
            "[audit",
            "policy = 1",
            "[policy]\n",
            "[policy]\nrules = []\n",
            "[policy]\nrules = [1]\n",
            "[[policy]]\nallow = [\"**\"]\n",
            "[[policy.rules]]\n",
            "[[policy.rules]]\nallow = \"**\"\n",
            "[[policy.rules]]\nallow = []\n",
            "[[policy.rules]]\nallow = [1]\n",
            "[[policy.rules]]\nallow = [\"../x\"]\n",
            "[[policy.rules]]\nallow = [\"**\"]\ndeny = [\"s3\"]\n",
            "[[policy.rules]]\nallow = [\"**\"]\ngroups = [\"no group has this name\"]\n",
            "[[policy.rules]]\nallow = [\"**\"]\ngroups = []\n",
            "[[policy.rules]]\nallow = [\"**\"]\ngroup = [\"root\"]\n",
            "[[policy.rules]]\nallow = [\"**\"]\nname = 1\n",
            "[policy]\ncontact = 1\n[[policy.rules]]\nallow = [\"**\"]\n",
            "[policy]\nlog = \"x\"\n[[policy.rules]]\nallow = [\"**\"]\n",
        ] {
            assert_eq!(read(text).expect_err(text).exit().code(), 2, "{text}");
        }
        let home = tempfile::tempdir().expect("a directory");
        SystemConfig::read(home.path()).expect_err("a directory is no configuration");
    }
}
