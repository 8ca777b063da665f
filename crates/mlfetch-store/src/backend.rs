//! What a scheme opens.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Error, ErrorKind, Key, Location, OptionSpec, Options, Result, Store};

/// A kind of storage: it opens locations of its schemes.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// Its name, as it stands in reports: `s3`.
    fn name(&self) -> &'static str;

    /// The schemes it opens, in lower case. The empty scheme is a path.
    fn schemes(&self) -> &'static [&'static str];

    /// The settings it understands.
    fn options(&self) -> &'static [OptionSpec];

    /// Whether a location is one of this backend although its scheme is another's: a URL of a host
    /// that speaks more than plain HTTP.
    fn claims(&self, _location: &Location) -> bool {
        false
    }

    /// Opens a location. May ask a server (for a region, a token); must not read or list objects.
    ///
    /// # Errors
    /// `InvalidInput` for a location that is malformed, kinds of signing in and reaching for the
    /// rest.
    async fn open(&self, location: &Location, options: &Options) -> Result<Opened>;
}

/// An opened location: a store, and the name within it that the location points at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The name within it: an object, or the prefix of a directory with or without its `/`.
    pub key: Key,
}

impl Opened {
    /// A store and a name in it.
    pub fn new(store: Arc<dyn Store>, key: Key) -> Self {
        Self { store, key }
    }
}

/// The backends that somebody chose to have: a plain value, no registry, nothing global.
///
/// ```
/// let backends = mlfetch_store::Backends::new();
/// let error = backends.find("s3").unwrap_err();
/// assert_eq!(error.kind(), mlfetch_store::ErrorKind::Unsupported);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Backends {
    by_scheme: BTreeMap<&'static str, Arc<dyn Backend>>,
    left_out: Vec<(&'static str, &'static str)>,
}

impl Backends {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more; it takes over schemes that another had.
    #[must_use]
    pub fn with(mut self, backend: impl Backend) -> Self {
        let backend: Arc<dyn Backend> = Arc::new(backend);
        for scheme in backend.schemes() {
            self.by_scheme.insert(scheme, Arc::clone(&backend));
        }
        self
    }

    /// Remembers that `scheme` would be there with the cargo feature `feature`, for the error.
    #[must_use]
    pub fn with_left_out(mut self, scheme: &'static str, feature: &'static str) -> Self {
        self.left_out.push((scheme, feature));
        self
    }

    /// The schemes that can be opened, sorted; the empty one is a path.
    pub fn schemes(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.by_scheme.keys().copied()
    }

    /// Each backend once.
    pub fn all(&self) -> Vec<Arc<dyn Backend>> {
        let mut all: Vec<Arc<dyn Backend>> = Vec::new();
        for backend in self.by_scheme.values() {
            if !all.iter().any(|known| known.name() == backend.name()) {
                all.push(Arc::clone(backend));
            }
        }
        all
    }

    /// The backend of a scheme.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`], naming the schemes that are known and, if the scheme was left
    /// out of this build, the cargo feature that brings it.
    pub fn find(&self, scheme: &str) -> Result<&Arc<dyn Backend>> {
        self.by_scheme.get(scheme).ok_or_else(|| self.unknown(scheme))
    }

    fn unknown(&self, scheme: &str) -> Error {
        let error = Error::new(ErrorKind::Unsupported, "open the scheme", scheme);
        if let Some((_, feature)) = self.left_out.iter().find(|(left_out, _)| *left_out == scheme) {
            return error
                .with_message("this build was made without it")
                .with_hint(format!("build mlfetch with the cargo feature `{feature}`"));
        }
        let known: Vec<&str> = self.schemes().filter(|known| !known.is_empty()).collect();
        error
            .with_message("no storage of this build has that scheme")
            .with_hint(format!("use a path or one of: {}", known.join(", ")))
    }

    /// Opens a location with the backend that claims it, else with the one of its scheme.
    ///
    /// # Errors
    /// As [`find`](Self::find) and [`Backend::open`].
    pub async fn open(&self, location: &Location, options: &Options) -> Result<Opened> {
        let claimed = self.by_scheme.values().find(|backend| backend.claims(location));
        let backend = claimed.map_or_else(|| self.find(location.scheme()), Ok)?;
        backend.open(location, options).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    /// Opens a scheme, and claims the hosts of one domain.
    #[derive(Debug)]
    struct Named(&'static str, &'static [&'static str], &'static str);

    #[async_trait]
    impl Backend for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn schemes(&self) -> &'static [&'static str] {
            self.1
        }

        fn options(&self) -> &'static [OptionSpec] {
            &[]
        }

        fn claims(&self, location: &Location) -> bool {
            location.authority().is_some_and(|host| !self.2.is_empty() && host.ends_with(self.2))
        }

        async fn open(&self, _: &Location, _: &Options) -> Result<Opened> {
            Ok(Opened::new(Arc::new(MemoryStore::new()), Key::from(self.0)))
        }
    }

    #[tokio::test]
    async fn whoever_claims_a_location_opens_it_although_the_scheme_is_another_s() {
        let backends = Backends::new().with(Named("web", &["https"], "")).with(Named(
            "cloud",
            &["blob"],
            ".cloud.example",
        ));
        for (uri, name) in [
            ("https://example.org/x", "web"),
            ("https://a.cloud.example/x", "cloud"),
            ("blob://b/x", "cloud"),
        ] {
            let location = Location::parse(uri).expect("a location");
            let opened = backends.open(&location, &Options::new()).await.expect("it opens");
            assert_eq!(opened.key, Key::from(name), "{uri}");
        }
    }
}
