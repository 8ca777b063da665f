//! Settings of a backend, as rows: flags, documentation and keywords are made from them.

use std::collections::BTreeMap;

use crate::{Error, ErrorKind, Result, Secret};

/// One setting that a backend understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionSpec {
    /// Its name, in kebab case, as the storage's own tools call it: `region`. Where theirs would say
    /// too little among other backends' names, with the backend's prefix: `http-token`.
    pub name: &'static str,
    /// The environment variables it is taken from, the first that is set counts.
    pub env: &'static [&'static str],
    /// Whether the value is a secret.
    pub secret: bool,
    /// What counts when it is not given, in words a user can read.
    pub default: Option<&'static str>,
    /// One line of help.
    pub help: &'static str,
}

/// A given setting.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum OptionValue {
    /// May be shown.
    Text(String),
    /// May not.
    Secret(Secret),
}

/// The settings that were given, by name.
#[derive(Debug, Clone, Default)]
pub struct Options(BTreeMap<String, OptionValue>);

impl Options {
    /// None given.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(name.into(), OptionValue::Text(value.into()));
        self
    }

    /// With one more that must not be shown.
    #[must_use]
    pub fn with_secret(mut self, name: impl Into<String>, value: Secret) -> Self {
        self.0.insert(name.into(), OptionValue::Secret(value));
        self
    }

    /// Fills what `specs` names and was not given, from the environment as `lookup` gives it.
    /// An empty variable counts as not set.
    #[must_use]
    pub fn with_env(
        mut self,
        specs: &[OptionSpec],
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Self {
        for spec in specs {
            if self.0.contains_key(spec.name) {
                continue;
            }
            let found = spec.env.iter().filter_map(|name| lookup(name)).find(|v| !v.is_empty());
            if let Some(value) = found {
                self = if spec.secret {
                    self.with_secret(spec.name, Secret::new(value))
                } else {
                    self.with(spec.name, value)
                };
            }
        }
        self
    }

    /// A setting's text; `None` if it was not given.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            OptionValue::Text(value) => Some(value),
            OptionValue::Secret(value) => Some(value.expose()),
        }
    }

    /// A setting that is a secret; `None` if it was not given.
    pub fn secret(&self, name: &str) -> Option<Secret> {
        match self.0.get(name)? {
            OptionValue::Text(value) => Some(Secret::new(value.as_str())),
            OptionValue::Secret(value) => Some(value.clone()),
        }
    }

    /// A setting that is yes or no: `true`, `false`, `1`, `0`, in any case, as MLflow reads them.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`], naming the setting, for anything else.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(Error::new(ErrorKind::InvalidInput, "read the option", name)
                .with_message("it must be one of true, false, 1, 0")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: OptionSpec = OptionSpec {
        name: "x-token",
        env: &["X_TOKEN", "OLD_TOKEN"],
        secret: true,
        default: None,
        help: "a token",
    };

    #[test]
    fn what_was_given_wins_over_the_environment() {
        let options = Options::new().with("x-token", "mine");
        let options = options.with_env(&[SPEC], |_| Some("theirs".into()));
        assert_eq!(options.text("x-token"), Some("mine"));
    }

    #[test]
    fn the_first_variable_that_is_set_and_not_empty_counts() {
        let lookup = |name: &str| Some(if name == "X_TOKEN" { "" } else { "old" }.to_owned());
        let options = Options::new().with_env(&[SPEC], lookup);
        assert_eq!(options.secret("x-token").expect("set").expose(), "old");
        assert!(!format!("{options:?}").contains("old\""));
    }

    #[test]
    fn a_flag_that_is_neither_yes_nor_no_is_named() {
        let error = Options::new().with("x", "maybe").flag("x").expect_err("not a flag");
        assert!(error.to_string().contains("`x`"));
    }
}
