//! The session with a directory bucket (S3 Express One Zone): keys that are good for five minutes.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use mlfetch_store::Result;
use tokio::sync::Mutex;

use crate::credentials::Keys;

/// A session is renewed so long before it ends.
const RENEW_BEFORE: Duration = Duration::from_mins(1);

/// The keys of the current session, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Session {
    current: RwLock<Option<Arc<Keys>>>,
    opening: Mutex<()>,
}

impl Session {
    /// The keys to sign with; `open` asks for others where there are none, or they end soon.
    pub(crate) async fn keys<F>(&self, open: impl FnOnce() -> F) -> Result<Arc<Keys>>
    where
        F: Future<Output = Result<Arc<Keys>>>,
    {
        if let Some(keys) = self.fresh() {
            return Ok(keys);
        }
        let _one_at_a_time = self.opening.lock().await;
        if let Some(keys) = self.fresh() {
            return Ok(keys);
        }
        let keys = open().await?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&keys));
        Ok(keys)
    }

    /// Forgets keys that a server rejected.
    pub(crate) fn forget(&self, rejected: &Arc<Keys>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|keys| Arc::ptr_eq(keys, rejected)) {
            *current = None;
        }
    }

    fn fresh(&self) -> Option<Arc<Keys>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone().filter(|keys| keys.are_fresh(SystemTime::now(), RENEW_BEFORE))
    }
}
