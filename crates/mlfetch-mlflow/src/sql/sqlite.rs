//! SQLite: MLflow's default store.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mlfetch_store::{Error, ErrorKind, Result, Retry, escape};
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::database::{Database, Dialect, Row};
use super::sqlite_file::{inspect, path};
use super::statement::Statement;
use crate::Environment;

/// How long a writer's lock is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const DIALECT: Dialect = Dialect {
    text_type: "TEXT",
    parameter_sign: Some('?'),
    columns_query: "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c \
                    WHERE t.type = 'table' AND t.name IN ('runs', 'experiments', 'logged_models', \
                    'registered_models', 'model_versions', 'registered_model_aliases')",
};

/// A SQLite database file, opened to be read only: never created, never written, also while a
/// server writes it.
#[derive(Debug)]
pub(crate) struct SqliteDatabase {
    connection: Arc<Mutex<Connection>>,
    name: String,
}

impl SqliteDatabase {
    /// Opens the file that `uri` names.
    pub(crate) async fn open(uri: &str, environment: &Environment) -> Result<Self> {
        let path = path(uri, environment)?;
        let name = format!("sqlite:///{}", escape(path.as_os_str().as_encoded_bytes()));
        let shown = name.clone();
        let connection = blocking(move || {
            let file = inspect(path)?;
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_URI
                | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let opened = Connection::open_with_flags(file.uri(), flags);
            let opened = opened.and_then(|connection| {
                connection.busy_timeout(BUSY_TIMEOUT)?;
                Ok(connection)
            });
            opened.map_err(|cause| failed(&shown, cause))
        })
        .await?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), name })
    }
}

#[async_trait]
impl Database for SqliteDatabase {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn dialect(&self) -> Dialect {
        DIALECT
    }

    async fn query(&self, statement: Statement) -> Result<Vec<Row>> {
        let connection = Arc::clone(&self.connection);
        let name = self.name.clone();
        blocking(move || {
            // A query that panicked left nothing behind: the connection only reads.
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            rows(&connection, &statement).map_err(|cause| failed(&name, cause))
        })
        .await
    }
}

fn rows(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
    let mut prepared = connection.prepare(&statement.sql)?;
    let count = prepared.column_count();
    let rows = prepared.query_map(params_from_iter(&statement.parameters), |row| {
        (0..count).map(|column| row.get(column)).collect()
    })?;
    rows.collect()
}

/// SQLite blocks its thread: for a lock, for seconds.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|cause| {
        Err(Error::new(ErrorKind::Other, "read", "the database").with_source(cause))
    })
}

fn failed(name: &str, cause: rusqlite::Error) -> Error {
    let error = |kind| Error::new(kind, "read the database", name);
    let error = match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            error(ErrorKind::Unavailable)
                .with_message(format!(
                    "another process has locked it for more than {} s",
                    BUSY_TIMEOUT.as_secs()
                ))
                .with_hint("wait until the other process is done, or copy the database")
                // It has been waited for already.
                .with_retry(Retry::Never)
        }
        Some(ErrorCode::NotADatabase) => {
            error(ErrorKind::InvalidInput).with_message("it is not a SQLite database")
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            error(ErrorKind::Integrity).with_message("the database is damaged")
        }
        Some(ErrorCode::ReadOnly) => error(ErrorKind::Io)
            .with_message("a writer crashed, and only a writer can bring it in order")
            .with_hint("open it once with MLflow, which rolls the unfinished change back"),
        Some(ErrorCode::PermissionDenied) => error(ErrorKind::PermissionDenied),
        Some(ErrorCode::CannotOpen) => error(ErrorKind::Io)
            .with_message("it cannot be opened")
            .with_hint("its directory must be writable while a server uses its write-ahead log"),
        Some(ErrorCode::SystemIoFailure) => error(ErrorKind::Io),
        _ => error(ErrorKind::Other).with_message(escape(cause.to_string().as_bytes())),
    };
    error.with_source(cause)
}
