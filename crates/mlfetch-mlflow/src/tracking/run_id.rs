//! Run ids, checked before anybody is asked.

use std::fmt;

use mlfetch_store::{Error, ErrorKind, Result, escape};

/// The longest id that MLflow takes, in characters.
const MAX_CHARACTERS: usize = 256;

/// The id of a run. MLflow 3.17: a letter or digit, then up to 255 letters, digits, `_` and `-`.
///
/// ```
/// use mlfetch_mlflow::RunId;
/// assert!(RunId::parse("0a1b2c3d4e5f60718293a4b5c6d7e8f9").is_ok());
/// assert!(RunId::parse("../etc").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunId(String);

impl RunId {
    /// Checks an id.
    ///
    /// # Errors
    /// `InvalidInput` if MLflow could not have written it.
    pub fn parse(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let first = text.chars().next().is_some_and(|first| first.is_ascii_alphanumeric());
        let rest = text.chars().all(|next| next.is_alphanumeric() || matches!(next, '_' | '-'));
        if first && rest && text.chars().count() <= MAX_CHARACTERS {
            return Ok(Self(text));
        }
        Err(Error::new(ErrorKind::InvalidInput, "read the run id", escape(text.as_bytes()))
            .with_message("a run id holds letters, digits, `_` and `-`, and begins with neither")
            .with_hint(usual_shape(&text)))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the shape that MLflow gives to ids: 32 hexadecimal digits.
    pub fn looks_usual(&self) -> bool {
        self.0.len() == 32 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// What to say of an id that does not look like one of MLflow's.
pub(super) fn usual_shape(text: &str) -> String {
    let count = text.chars().count();
    format!("MLflow writes run ids of 32 hexadecimal digits; this has {count} characters")
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_mlflow_could_not_have_written_is_refused() {
        for good in ["a", "0-_", "Ünicode1".trim_start_matches('Ü'), "a".repeat(256).as_str()] {
            assert!(RunId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "_a", "../x", "a/b", "a b", "a.b", "a\n", "a".repeat(257).as_str()] {
            let error = RunId::parse(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.hint().is_some_and(|hint| hint.contains("32 hexadecimal digits")));
        }
    }

    #[test]
    fn an_id_is_usual_when_it_has_32_hexadecimal_digits() {
        assert!(RunId::parse("0a1b2c3d4e5f60718293a4b5c6d7e8f9").expect("an id").looks_usual());
        assert!(!RunId::parse("run-1").expect("an id").looks_usual());
    }
}
