//! Who is asking: AWS's own chain, asked once and again before its keys expire.

use std::error::Error as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use mlfetch_store::{Error, ErrorKind, Result, Retry, Secret, escape};
use tokio::sync::Mutex;

/// Keys are renewed so long before they expire: longer than any single request waits.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

/// An access key.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) token: Option<Secret>,
    pub(crate) expires: Option<SystemTime>,
}

impl Keys {
    /// Whether they are good for some time yet.
    pub(crate) fn are_fresh(&self, now: SystemTime, renew_before: Duration) -> bool {
        self.expires.is_none_or(|expires| now + renew_before < expires)
    }

    /// What no message may hold.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        [&self.secret].into_iter().chain(&self.token).map(Secret::expose)
    }

    #[cfg(test)]
    pub(crate) fn of(id: &str, secret: &str) -> Self {
        Self { id: id.to_owned(), secret: Secret::new(secret), token: None, expires: None }
    }
}

impl From<Credentials> for Keys {
    fn from(given: Credentials) -> Self {
        Self {
            id: given.access_key_id().to_owned(),
            secret: Secret::new(given.secret_access_key()),
            token: given.session_token().map(Secret::new),
            expires: given.expiry(),
        }
    }
}

/// The keys of now. `None` for somebody who does not sign.
#[derive(Debug)]
pub(crate) struct KeyRing {
    provider: Option<SharedCredentialsProvider>,
    current: RwLock<Option<Arc<Keys>>>,
    renewing: Mutex<()>,
}

impl KeyRing {
    pub(crate) fn new(provider: Option<SharedCredentialsProvider>) -> Self {
        Self { provider, current: RwLock::default(), renewing: Mutex::default() }
    }

    /// The keys to sign with.
    ///
    /// # Errors
    /// `Unauthenticated` if the chain has none.
    pub(crate) async fn keys(&self) -> Result<Option<Arc<Keys>>> {
        let Some(provider) = &self.provider else { return Ok(None) };
        match self.current() {
            Some(keys) if keys.are_fresh(SystemTime::now(), RENEW_BEFORE) => Ok(Some(keys)),
            old => self.renew(provider, old.as_ref()).await.map(Some),
        }
    }

    /// The ID of the key that was used last.
    pub(crate) fn id(&self) -> Option<String> {
        self.current().map(|keys| keys.id.clone())
    }

    /// Asks the chain again because a server took `rejected` for expired. Whether there are others
    /// now.
    pub(crate) async fn replace(&self, rejected: &Arc<Keys>) -> bool {
        let Some(provider) = &self.provider else { return false };
        let renewed = self.renew(provider, Some(rejected)).await;
        renewed.is_ok_and(|keys| keys.id != rejected.id || !same_token(&keys, rejected))
    }

    async fn renew(
        &self,
        provider: &SharedCredentialsProvider,
        old: Option<&Arc<Keys>>,
    ) -> Result<Arc<Keys>> {
        let _one_at_a_time = self.renewing.lock().await;
        // Somebody else may have been here while we waited.
        if let Some(current) = self.current()
            && old.is_none_or(|old| !Arc::ptr_eq(&current, old))
        {
            return Ok(current);
        }
        match provider.provide_credentials().await {
            Ok(given) => {
                let keys = Arc::new(Keys::from(given));
                *self.current.write().unwrap_or_else(PoisonError::into_inner) =
                    Some(Arc::clone(&keys));
                Ok(keys)
            }
            // What was good a moment ago may be good for minutes yet.
            Err(cause) => match old.filter(|old| still_good(old)) {
                Some(old) => Ok(Arc::clone(old)),
                None => Err(no_keys(&cause)),
            },
        }
    }

    fn current(&self) -> Option<Arc<Keys>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn still_good(keys: &Keys) -> bool {
    keys.are_fresh(SystemTime::now(), Duration::ZERO)
}

fn same_token(one: &Keys, other: &Keys) -> bool {
    let token = |keys: &Keys| keys.token.as_ref().map(|token| token.expose().to_owned());
    token(one) == token(other)
}

fn no_keys(cause: &CredentialsError) -> Error {
    let (kind, hint) = match cause {
        CredentialsError::InvalidConfiguration(_) => {
            (ErrorKind::InvalidInput, "check `~/.aws/config` and `~/.aws/credentials`")
        }
        CredentialsError::ProviderTimedOut(_) => {
            (ErrorKind::Timeout, "check that the credential service can be reached from here")
        }
        CredentialsError::CredentialsNotLoaded(_) => (
            ErrorKind::Unauthenticated,
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile with `aws-profile`, \
             sign in with `aws sso login`, or give `no-sign-request` for a public bucket",
        ),
        _ => (
            ErrorKind::Unauthenticated,
            "sign in again (`aws sso login`), or check the profile that is used",
        ),
    };
    Error::new(kind, "find", "AWS credentials")
        .with_message(format!("there are none: {}", innermost(cause)))
        .with_hint(hint)
        // The chain has its own patience; it was used up.
        .with_retry(Retry::Never)
}

/// The words of the last cause. The causes themselves may hold answers with tokens in them.
fn innermost(cause: &CredentialsError) -> String {
    let mut words = cause.to_string();
    let mut next = cause.source();
    while let Some(inner) = next {
        words = inner.to_string();
        next = inner.source();
    }
    escape(words.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_credential_types::provider::{ProvideCredentials, future};

    use super::*;

    /// Gives keys that expire after so long, each time others, until it has given so many.
    #[derive(Debug)]
    struct Given {
        expires_in: Option<Duration>,
        times: u32,
        asked: Arc<AtomicU32>,
    }

    impl ProvideCredentials for Given {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let number = self.asked.fetch_add(1, Ordering::Relaxed);
            if number >= self.times {
                return future::ProvideCredentials::ready(Err(CredentialsError::not_loaded(
                    "nobody is signed in",
                )));
            }
            let expires = self.expires_in.map(|after| SystemTime::now() + after);
            let id = format!("id-{number}");
            future::ProvideCredentials::ready(Ok(Credentials::new(id, "s", None, expires, "test")))
        }
    }

    fn ring(expires_in: Option<Duration>, times: u32) -> (KeyRing, Arc<AtomicU32>) {
        let asked = Arc::<AtomicU32>::default();
        let given = Given { expires_in, times, asked: Arc::clone(&asked) };
        (KeyRing::new(Some(SharedCredentialsProvider::new(given))), asked)
    }

    async fn id(ring: &KeyRing) -> String {
        ring.keys().await.expect("keys").expect("somebody signs").id.clone()
    }

    #[tokio::test]
    async fn the_chain_is_asked_once_for_keys_that_last() {
        for expires in [None, Some(Duration::from_hours(1))] {
            let (ring, asked) = ring(expires, 9);
            let ids = futures_util::future::join_all((0..20).map(|_| id(&ring))).await;
            assert!(ids.iter().all(|id| id == "id-0"));
            assert_eq!(asked.load(Ordering::Relaxed), 1);
        }
    }

    #[tokio::test]
    async fn keys_are_renewed_before_they_expire() {
        let (ring, _) = ring(Some(RENEW_BEFORE / 2), 9);
        assert_eq!((id(&ring).await, id(&ring).await), ("id-0".to_owned(), "id-1".to_owned()));
    }

    #[tokio::test]
    async fn keys_that_cannot_be_renewed_are_used_to_their_end() {
        let (ring, _) = ring(Some(RENEW_BEFORE / 2), 1);
        assert_eq!((id(&ring).await, id(&ring).await), ("id-0".to_owned(), "id-0".to_owned()));
    }

    #[tokio::test]
    async fn keys_that_a_server_rejects_are_replaced_if_there_are_others() {
        let (several, _) = ring(None, 2);
        let rejected = several.keys().await.expect("keys").expect("somebody signs");
        assert!(several.replace(&rejected).await);
        assert_eq!(id(&several).await, "id-1");
        let (one, _) = ring(None, 1);
        let rejected = one.keys().await.expect("keys").expect("somebody signs");
        assert!(!one.replace(&rejected).await);
    }

    #[tokio::test]
    async fn without_keys_the_error_says_how_to_get_some() {
        let (ring, _) = ring(None, 0);
        let error = ring.keys().await.expect_err("no keys");
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert!(error.to_string().contains("nobody is signed in"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("AWS_ACCESS_KEY_ID")));
    }

    #[tokio::test]
    async fn somebody_who_does_not_sign_needs_no_keys() {
        assert!(KeyRing::new(None).keys().await.expect("no error").is_none());
    }
}
