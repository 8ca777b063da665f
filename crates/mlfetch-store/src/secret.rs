//! Values that cannot be printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A password, token or key. It has nothing to print: its `Debug` says that it is one and no more,
/// there is no `Display`, and its memory is overwritten when it goes.
///
/// ```
/// let token = mlfetch_store::Secret::new("hunter2");
/// assert_eq!(format!("{token:?}"), "Secret");
/// assert_eq!(token.expose(), "hunter2");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}
