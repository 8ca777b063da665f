//! Stages of registered models.

use std::fmt;

/// A stage of a registered model, or any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Any stage: the highest version of all.
    Latest,
    /// No stage was given to the version.
    None,
    /// `Staging`.
    Staging,
    /// `Production`.
    Production,
    /// `Archived`.
    Archived,
}

impl Stage {
    /// Reads a stage in any case, as MLflow does; `None` if it is not one.
    ///
    /// ```
    /// use mlfetch_mlflow::Stage;
    /// assert_eq!(Stage::parse("production"), Some(Stage::Production));
    /// assert_eq!(Stage::parse("prod"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Latest, Self::None, Self::Staging, Self::Production, Self::Archived];
        all.into_iter().find(|stage| stage.name().eq_ignore_ascii_case(text))
    }

    /// The stage as MLflow stores it; `latest` is not stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::None => "None",
            Self::Staging => "Staging",
            Self::Production => "Production",
            Self::Archived => "Archived",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
