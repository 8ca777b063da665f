//! Tokens of programs, kept as long as they are good: a program takes a second to start, and a run has
//! thousands of requests.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

/// So long before its end a token is asked for anew, as Microsoft's libraries do for those they keep.
const RENEWED_BEFORE: Duration = Duration::minutes(5);

/// A credential whose last token is kept.
pub(crate) struct Kept {
    inner: Arc<dyn TokenCredential>,
    /// Who comes while it is asked for waits for the same one.
    token: Mutex<Option<AccessToken>>,
}

impl Kept {
    pub(crate) fn new(inner: Arc<dyn TokenCredential>) -> Self {
        Self { inner, token: Mutex::default() }
    }
}

#[async_trait]
impl TokenCredential for Kept {
    /// Every token here is for the same scopes.
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| is_fresh(token)) {
            return Ok(token.clone());
        }
        let token = self.inner.get_token(scopes, options).await?;
        *kept = Some(token.clone());
        Ok(token)
    }
}

fn is_fresh(token: &AccessToken) -> bool {
    token.expires_on - RENEWED_BEFORE > OffsetDateTime::now_utc()
}

/// Without the token.
impl fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Kept").field(&self.inner).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    /// Gives a token that is good for so many minutes, and counts.
    #[derive(Debug)]
    struct Counted(i64, AtomicUsize);

    #[async_trait]
    impl TokenCredential for Counted {
        async fn get_token(
            &self,
            _: &[&str],
            _: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<AccessToken> {
            tokio::task::yield_now().await;
            let number = self.1.fetch_add(1, Ordering::Relaxed);
            let end = OffsetDateTime::now_utc() + Duration::minutes(self.0);
            Ok(AccessToken::new(format!("token-{number}"), end))
        }
    }

    async fn asked_for(minutes: i64) -> usize {
        let counted = Arc::new(Counted(minutes, AtomicUsize::default()));
        let kept = Kept::new(Arc::clone(&counted) as _);
        for token in join_all((0..3).map(|_| kept.get_token(&["x"], None))).await {
            token.expect("a token");
        }
        assert!(!format!("{kept:?}").contains("token-"), "{kept:?}");
        counted.1.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn a_token_is_asked_for_once_as_long_as_it_is_good() {
        assert_eq!(asked_for(60).await, 1);
    }

    #[tokio::test]
    async fn a_token_that_is_about_to_expire_is_asked_for_anew() {
        assert_eq!(asked_for(4).await, 3);
    }
}
