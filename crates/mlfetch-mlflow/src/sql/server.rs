//! What the database servers have in common: one connection, kept, and what its errors mean.

use std::future::Future;
use std::time::Duration;

use mlfetch_store::{Error, ErrorKind, Result, RetryPolicy, SafeText, Secret, escape, retry};
use sqlx::Connection;
use tokio::sync::Mutex;

/// How long a connection may take to be established.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server, and the one connection to it: a look-up is a handful of queries, one after the other.
pub(super) struct Server<C: Connection> {
    options: C::Options,
    connection: Mutex<Option<C>>,
    pub(super) name: String,
    pub(super) remote: bool,
    password: Option<Secret>,
    policy: RetryPolicy,
    /// What an engine's own error means, where its number or state tells.
    kind_of: fn(&dyn sqlx::error::DatabaseError) -> Option<ErrorKind>,
}

impl<C: Connection> Server<C> {
    pub(super) fn new(
        options: C::Options,
        address: &super::address::Address,
        scheme: &str,
        policy: RetryPolicy,
        kind_of: fn(&dyn sqlx::error::DatabaseError) -> Option<ErrorKind>,
    ) -> Self {
        Self {
            options,
            connection: Mutex::new(None),
            name: address.shown(scheme),
            remote: address.is_remote(),
            password: address.password.clone(),
            policy,
            kind_of,
        }
    }

    /// Connects, so that what is wrong with the address is said before anything is looked up.
    pub(super) async fn connect(&self) -> Result<()> {
        let connection = retry(&self.policy, || self.dial()).await?;
        *self.connection.lock().await = Some(connection);
        Ok(())
    }

    /// Runs `work` on the connection; one that broke is given up and made anew.
    pub(super) async fn run<T, F, W>(&self, work: W) -> Result<T>
    where
        W: Fn(C) -> F,
        F: Future<Output = (C, std::result::Result<T, sqlx::Error>)>,
    {
        let mut kept = self.connection.lock().await;
        retry(&self.policy, || {
            // A connection whose answer was not waited for must not be asked again: it is only
            // put back behind a whole answer.
            let taken = kept.take();
            let work = &work;
            async move {
                let connection = match taken {
                    Some(connection) => connection,
                    None => self.dial().await?,
                };
                let (connection, answer) = work(connection).await;
                answer.map(|rows| (connection, rows)).map_err(|cause| self.failed(&cause))
            }
        })
        .await
        .map(|(connection, rows)| {
            *kept = Some(connection);
            rows
        })
    }

    async fn dial(&self) -> Result<C> {
        let connecting = C::connect_with(&self.options);
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(|cause| self.failed(&cause)),
            Err(_) => Err(Error::new(ErrorKind::Unreachable, "ask the database", &*self.name)
                .with_message(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))),
        }
    }

    fn failed(&self, cause: &sqlx::Error) -> Error {
        let kind = match cause {
            sqlx::Error::Io(_) if is_unreachable(cause) => ErrorKind::Unreachable,
            sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => ErrorKind::Network,
            sqlx::Error::Tls(_) => ErrorKind::Tls,
            sqlx::Error::Configuration(_) | sqlx::Error::InvalidArgument(_) => {
                ErrorKind::InvalidInput
            }
            sqlx::Error::Database(told) => {
                (self.kind_of)(told.as_ref()).unwrap_or(ErrorKind::Other)
            }
            _ => ErrorKind::Protocol,
        };
        let words = match cause {
            sqlx::Error::Database(told) => told.message().to_owned(),
            other => other.to_string(),
        };
        let words = SafeText::new(words.as_bytes(), self.password.iter().map(Secret::expose));
        let error = Error::new(kind, "ask the database", &*self.name)
            .with_message(escape(words.as_str().as_bytes()));
        match kind {
            ErrorKind::Unreachable => error
                .with_hint("check host and port, and that the database can be reached from here"),
            ErrorKind::Unauthenticated => {
                error.with_hint("check user and password in MLFLOW_TRACKING_URI")
            }
            ErrorKind::NotFound => error.with_hint("check the database's name in the URI"),
            ErrorKind::PermissionDenied => error.with_hint(
                "check the database's name in the URI, and that the user may read its tables",
            ),
            _ => error,
        }
    }
}

fn is_unreachable(cause: &sqlx::Error) -> bool {
    use std::io::ErrorKind as Io;
    let sqlx::Error::Io(cause) = cause else { return false };
    matches!(
        cause.kind(),
        Io::ConnectionRefused
            | Io::NotFound
            | Io::TimedOut
            | Io::HostUnreachable
            | Io::NetworkUnreachable
            | Io::AddrNotAvailable
    ) || cause.to_string().contains("failed to lookup address")
}

impl<C: Connection> std::fmt::Debug for Server<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Server").field("name", &self.name).finish_non_exhaustive()
    }
}
