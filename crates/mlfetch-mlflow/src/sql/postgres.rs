//! PostgreSQL.

use async_trait::async_trait;
use mlfetch_store::{Error, ErrorKind, Result, RetryPolicy};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use super::address::Address;
use super::database::{Database, Dialect, Row};
use super::server::Server;
use super::statement::Statement;

const DIALECT: Dialect = Dialect {
    text_type: "TEXT",
    parameter_sign: Some('$'),
    columns_query: "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) \
                    FROM information_schema.columns \
                    WHERE table_schema = ANY (current_schemas(false)) AND table_name IN ('runs', \
                    'experiments', 'logged_models', 'registered_models', 'model_versions', \
                    'registered_model_aliases')",
};

/// A PostgreSQL database.
#[derive(Debug)]
pub(crate) struct PostgresDatabase(Server<PgConnection>);

impl PostgresDatabase {
    /// Connects to the database that `uri` names.
    pub(crate) async fn open(uri: &str, policy: RetryPolicy) -> Result<Self> {
        let address = Address::parse(uri)?;
        let server = Server::new(options(&address)?, &address, "postgresql", policy, kind_of);
        server.connect().await?;
        Ok(Self(server))
    }
}

/// What the URI leaves open the driver takes from `PGUSER` and its like, as libpq does for MLflow.
fn options(address: &Address) -> Result<PgConnectOptions> {
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(address.effective_host())
        // Unnamed statements also pass through poolers that share connections.
        .statement_cache_capacity(0)
        .disable_statement_logging();
    let port = address.port.or_else(|| address.setting("port").and_then(|port| port.parse().ok()));
    if let Some(port) = port {
        options = options.port(port);
    }
    if let Some(user) = address.user.as_deref().or_else(|| address.setting("user")) {
        options = options.username(user);
    }
    let password = address.password.as_ref().map(mlfetch_store::Secret::expose);
    if let Some(password) = password.or_else(|| address.setting("password")) {
        options = options.password(password);
    }
    if let Some(database) = address.database.as_deref().or_else(|| address.setting("dbname")) {
        options = options.database(database);
    }
    if let Some(mode) = address.setting("sslmode") {
        let mode: PgSslMode = mode.parse().map_err(|_| {
            Error::new(ErrorKind::InvalidInput, "read", "sslmode").with_message(
                "it must be one of disable, allow, prefer, require, verify-ca, verify-full",
            )
        })?;
        options = options.ssl_mode(mode);
    }
    if let Some(path) = address.setting("sslrootcert") {
        options = options.ssl_root_cert(path);
    }
    if let (Some(certificate), Some(key)) = (address.setting("sslcert"), address.setting("sslkey"))
    {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    Ok(options)
}

/// SQLSTATE (PostgreSQL's appendix A).
fn kind_of(told: &dyn sqlx::error::DatabaseError) -> Option<ErrorKind> {
    Some(match &*told.code()? {
        "28P01" | "28000" => ErrorKind::Unauthenticated,
        "42501" => ErrorKind::PermissionDenied,
        "3D000" => ErrorKind::NotFound,
        code if code.starts_with("53") || code.starts_with("57P") => ErrorKind::Unavailable,
        _ => return None,
    })
}

#[async_trait]
impl Database for PostgresDatabase {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn is_remote(&self) -> bool {
        self.0.remote
    }

    fn dialect(&self) -> Dialect {
        DIALECT
    }

    async fn query(&self, statement: Statement) -> Result<Vec<Row>> {
        self.0.run(|connection| fetch(connection, statement.clone())).await
    }
}

async fn fetch(
    mut connection: PgConnection,
    statement: Statement,
) -> (PgConnection, sqlx::Result<Vec<Row>>) {
    // The SQL is ours; all values are parameters.
    let mut query = sqlx::query(AssertSqlSafe(statement.sql)).persistent(false);
    for parameter in statement.parameters {
        query = query.bind(parameter);
    }
    let rows = query.fetch_all(&mut connection).await.and_then(|rows| {
        rows.iter().map(|row| (0..row.len()).map(|column| row.try_get(column)).collect()).collect()
    });
    (connection, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uris_settings_reach_the_driver() {
        let uri = "postgresql+psycopg2://me:pw@db:6432/mlflow?sslmode=verify-full";
        let options = options(&Address::parse(uri).expect("an address")).expect("options");
        assert_eq!((options.get_host(), options.get_port()), ("db", 6432));
        assert_eq!((options.get_username(), options.get_database()), ("me", Some("mlflow")));
        assert!(matches!(options.get_ssl_mode(), PgSslMode::VerifyFull));
    }

    #[test]
    fn an_unknown_sslmode_is_an_error_and_never_passed_over() {
        let address = Address::parse("postgresql://db/mlflow?sslmode=always").expect("an address");
        assert_eq!(options(&address).expect_err("unknown").kind(), ErrorKind::InvalidInput);
    }
}
