//! How a directory is read, from code and from options.

use mlfetch_store::{Error, ErrorKind, OptionSpec, Options, Result};

/// What is done with a symbolic link below the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Symlinks {
    /// It is what it leads to, if that is inside the root.
    #[default]
    Follow,
    /// It is not there.
    Skip,
    /// It is a refused row, and an error when it is named.
    Error,
}

/// How a directory is read.
///
/// ```
/// use mlfetch_local::{LocalConfig, Symlinks};
/// let config = LocalConfig::default().with_symlinks(Symlinks::Skip);
/// assert!(!config.symlinks_outside);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LocalConfig {
    /// What is done with a symbolic link.
    pub symlinks: Symlinks,
    /// Whether a link that is followed may lead out of the root.
    pub symlinks_outside: bool,
}

/// The names of the options.
pub(crate) const SYMLINKS: &str = "symlinks";
pub(crate) const SYMLINKS_OUTSIDE: &str = "symlinks-outside";

/// The options of this backend.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: SYMLINKS,
        env: &["MLFETCH_SYMLINKS"],
        secret: false,
        default: Some("follow"),
        help: "What to do with symbolic links of a local store: follow, skip or error",
    },
    OptionSpec {
        name: SYMLINKS_OUTSIDE,
        env: &["MLFETCH_SYMLINKS_OUTSIDE"],
        secret: false,
        default: Some("false"),
        help: "Whether followed links may lead out of the artifact root",
    },
];

impl LocalConfig {
    /// With this treatment of links.
    #[must_use]
    pub fn with_symlinks(mut self, symlinks: Symlinks) -> Self {
        self.symlinks = symlinks;
        self
    }

    /// With or without links that lead out of the root.
    #[must_use]
    pub fn with_symlinks_outside(mut self, outside: bool) -> Self {
        self.symlinks_outside = outside;
        self
    }

    /// From the options that were given.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a value that an option does not have.
    pub fn from_options(options: &Options) -> Result<Self> {
        let symlinks = match options.text(SYMLINKS) {
            None | Some("follow") => Symlinks::Follow,
            Some("skip") => Symlinks::Skip,
            Some("error") => Symlinks::Error,
            Some(_) => {
                return Err(Error::new(ErrorKind::InvalidInput, "read the option", SYMLINKS)
                    .with_message("it must be one of follow, skip, error"));
            }
        };
        let outside = options.flag(SYMLINKS_OUTSIDE)?.unwrap_or(false);
        Ok(Self { symlinks, symlinks_outside: outside })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_is_read_and_absence_is_the_default() {
        let from = |options: Options| LocalConfig::from_options(&options).expect("valid options");
        assert_eq!(from(Options::new()), LocalConfig::default());
        let given = from(Options::new().with(SYMLINKS, "skip").with(SYMLINKS_OUTSIDE, "TRUE"));
        assert_eq!(given.symlinks, Symlinks::Skip);
        assert!(given.symlinks_outside);
    }

    #[test]
    fn a_value_that_an_option_does_not_have_is_named() {
        let error = LocalConfig::from_options(&Options::new().with(SYMLINKS, "maybe"));
        let error = error.expect_err("not a value");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("`symlinks`"), "{error}");
    }

    #[test]
    fn the_environment_is_read_through_the_rows() {
        let lookup = |name: &str| (name == "MLFETCH_SYMLINKS").then(|| "error".to_owned());
        let options = Options::new().with_env(OPTIONS, lookup);
        let config = LocalConfig::from_options(&options).expect("valid options");
        assert_eq!(config.symlinks, Symlinks::Error);
    }
}
