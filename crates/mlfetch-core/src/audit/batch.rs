//! Records of files that wait for the disk together: whoever comes first writes for all who came
//! meanwhile.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::AuditLog;
use crate::destination::DestinationError;

type Written = Result<(), DestinationError>;
type Waiting = (Map<String, Value>, oneshot::Sender<Written>);

/// The records that wait for one log.
#[derive(Debug, Default)]
pub(super) struct Batch {
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

impl Batch {
    /// Returns when the record is written.
    pub(super) async fn append(&self, log: &AuditLog, record: Map<String, Value>) -> Written {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((record, sender));
        {
            let _turn = self.turn.lock().await;
            self.write(log).await;
        }
        receiver.await.unwrap_or_else(|_| Err(log.stopped()))
    }

    async fn write(&self, log: &AuditLog) {
        let waiting =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if waiting.is_empty() {
            return;
        }
        let (records, senders): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let own = log.clone();
        let written = tokio::task::spawn_blocking(move || own.append(&records)).await;
        let written = written.unwrap_or_else(|_| Err(log.stopped()));
        for sender in senders {
            // Who does not wait any more does not commit either.
            let _ = sender.send(written.clone());
        }
    }
}
