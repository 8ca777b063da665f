//! The configuration file: rewrite rules and permissions that always count.

mod policy;
mod system;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mlfetch::Environment;
use toml::Table;

pub(crate) use system::{SYSTEM_CONFIG, SystemConfig};

use crate::failure::Failure;

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// Roots, and where they are read instead.
    pub(crate) rewrite: BTreeMap<String, String>,
    /// What a tracking server elsewhere may name besides storage and itself.
    pub(crate) allow: Vec<String>,
}

impl Config {
    /// Reads the file that was named, else `$XDG_CONFIG_HOME/mlfetch/config.toml`, else
    /// `~/.config/mlfetch/config.toml`; only a named one must be there. A file in the current
    /// directory never counts by itself: a cloned repository must not redirect downloads.
    pub(crate) fn read(named: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        let Some(path) = named.map(Path::to_owned).or_else(|| usual_place(environment)) else {
            return Ok(Self::default());
        };
        match read(&path) {
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(error) => Err(malformed(&path, &error.to_string())),
            Ok(text) => parse(&text).map_err(|why| malformed(&path, &why)),
        }
    }
}

fn usual_place(environment: &Environment) -> Option<PathBuf> {
    let below = "mlfetch/config.toml";
    match environment.path("XDG_CONFIG_HOME") {
        Some(directory) => Some(directory.join(below)),
        None => environment.home_file(&format!(".config/{below}")),
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    let size = std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if size as u64 > MAX_BYTES {
        // Half of a policy is another policy.
        return Err(std::io::Error::other(format!("it is longer than {MAX_BYTES} bytes")));
    }
    Ok(text)
}

fn parse(text: &str) -> Result<Config, String> {
    let mut table: Table =
        text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let rewrite = match table.remove("rewrite") {
        None => BTreeMap::new(),
        Some(rules) => {
            rules.try_into().map_err(|_| "`rewrite` must be a table of text".to_owned())?
        }
    };
    let allow = match table.remove("allow") {
        None => Vec::new(),
        Some(list) => list.try_into().map_err(|_| "`allow` must be a list of text".to_owned())?,
    };
    match table.keys().next() {
        Some(unknown) => {
            Err(format!("`{unknown}` is not a setting; there are `allow` and `[rewrite]`"))
        }
        None => Ok(Config { rewrite, allow }),
    }
}

fn malformed(path: &Path, why: &str) -> Failure {
    let path = mlfetch::escape(path.as_os_str().as_encoded_bytes());
    Failure::usage_said(
        &format!(
            "cannot read the configuration file `{path}`: {}",
            mlfetch::escape(why.as_bytes())
        ),
        "write rules as `[rewrite]` and lines like \"mlflow-artifacts:/\" = \"s3://bucket/prefix\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_a_table_of_text() {
        let config = parse("[rewrite]\n\"mlflow-artifacts:/\" = \"s3://b/p\"\n").expect("a config");
        assert_eq!(config.rewrite["mlflow-artifacts:/"], "s3://b/p");
        assert!(parse("").expect("an empty config").rewrite.is_empty());
    }

    #[test]
    fn what_servers_may_name_is_a_list_of_text() {
        let config = parse("allow = [\"file\", \"https://h/**\"]\n").expect("a config");
        assert_eq!(config.allow, ["file", "https://h/**"]);
        assert!(parse("allow = \"file\"").expect_err("no list").contains("`allow`"));
    }

    #[test]
    fn what_is_no_setting_is_named() {
        assert!(parse("rewrites = 1").expect_err("unknown").contains("`rewrites`"));
        assert!(parse("[rewrite]\na = 1").expect_err("no text").contains("`rewrite`"));
        assert!(parse("[rewrite").is_err());
    }
}
