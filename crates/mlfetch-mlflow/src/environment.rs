//! The process's surroundings, as a value.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use mlfetch_store::{Error, ErrorKind, Result};

/// The environment variables, the home directory and the current directory that a look-up may
/// depend on. Nothing else in this crate asks the process: two environments can live side by side.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
    current_directory: PathBuf,
}

impl Environment {
    /// Those of this process. Variables that are not UTF-8 are left out.
    ///
    /// # Errors
    /// `Io` if the current directory is gone.
    pub fn from_process() -> Result<Self> {
        let current_directory = std::env::current_dir().map_err(|cause| {
            Error::new(ErrorKind::Io, "find", "the current directory").with_source(cause)
        })?;
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Ok(Self { variables, home: std::env::home_dir(), current_directory })
    }

    /// No variables and no home, in this directory.
    pub fn new(current_directory: impl Into<PathBuf>) -> Self {
        Self { current_directory: current_directory.into(), ..Self::default() }
    }

    /// With one more variable.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// With this home directory.
    #[must_use]
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// The current directory.
    pub fn current_directory(&self) -> &Path {
        &self.current_directory
    }

    /// A path below the home directory, if there is a home.
    pub fn home_file(&self, relative: &str) -> Option<PathBuf> {
        Some(self.home.as_deref()?.join(relative))
    }

    /// A variable's text. An empty variable counts as not set.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that is yes or no: `true`, `false`, `1`, `0` in any case, as MLflow reads them.
    ///
    /// # Errors
    /// `InvalidInput`, naming the variable, for anything else.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(invalid(name).with_message("it must be one of true, false, 1, 0")),
        }
    }

    /// A variable that is a whole number between `least` and `most`.
    ///
    /// # Errors
    /// `InvalidInput`, naming the variable, for anything else.
    pub fn number(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.trim().parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(invalid(name)
                .with_message(format!("it must be a whole number from {least} to {most}"))),
        }
    }

    /// A variable that names a file, relative to the current directory.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(|text| self.current_directory.join(text))
    }
}

fn invalid(name: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, "read the environment variable", name)
}

/// Variables hold credentials: only their names are shown.
impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("home", &self.home)
            .field("current_directory", &self.current_directory)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_true_false_one_or_zero_in_any_case() {
        let environment = |value: &str| Environment::new("/").with_variable("X", value);
        assert_eq!(environment("TRUE").flag("X").expect("a flag"), Some(true));
        assert_eq!(environment("0").flag("X").expect("a flag"), Some(false));
        assert_eq!(environment("").flag("X").expect("unset"), None);
        let error = environment("yes").flag("X").expect_err("not a flag");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("`X`"));
    }

    #[test]
    fn a_number_outside_its_limits_is_an_error_that_names_the_variable() {
        let environment = Environment::new("/").with_variable("RETRIES", "11");
        let error = environment.number("RETRIES", 0, 10).expect_err("too many");
        assert!(error.to_string().contains("`RETRIES`"));
        assert_eq!(environment.number("RETRIES", 0, 11).expect("fits"), Some(11));
    }

    #[test]
    fn debug_shows_no_values() {
        let environment = Environment::new("/").with_variable("MLFLOW_TRACKING_TOKEN", "hunter2");
        assert!(!format!("{environment:?}").contains("hunter2"));
    }
}
