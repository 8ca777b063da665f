//! MySQL and `MariaDB`.

use async_trait::async_trait;
use mlfetch_store::{ErrorKind, Result, RetryPolicy};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use super::address::Address;
use super::database::{Database, Dialect, Row};
use super::server::Server;
use super::statement::Statement;

const DIALECT: Dialect = Dialect {
    text_type: "CHAR",
    parameter_sign: None,
    columns_query: "SELECT CAST(table_name AS CHAR), CAST(column_name AS CHAR) \
                    FROM information_schema.columns \
                    WHERE table_schema = DATABASE() AND table_name IN ('runs', 'experiments', \
                    'logged_models', 'registered_models', 'model_versions', \
                    'registered_model_aliases')",
};

/// A MySQL or `MariaDB` database.
#[derive(Debug)]
pub(crate) struct MysqlDatabase(Server<MySqlConnection>);

impl MysqlDatabase {
    /// Connects to the database that `uri` names.
    pub(crate) async fn open(uri: &str, policy: RetryPolicy) -> Result<Self> {
        let address = Address::parse(uri)?;
        let server = Server::new(options(&address), &address, "mysql", policy, kind_of);
        server.connect().await?;
        Ok(Self(server))
    }
}

/// The settings of the query that the drivers of MLflow's documentation (pymysql, mysqlclient)
/// take too.
fn options(address: &Address) -> MySqlConnectOptions {
    let mut options = MySqlConnectOptions::new()
        .charset(address.setting("charset").unwrap_or("utf8mb4"))
        .statement_cache_capacity(0)
        .disable_statement_logging();
    options = match address.setting("unix_socket") {
        Some(socket) => options.socket(socket),
        None => options.host(address.effective_host()),
    };
    if let Some(port) = address.port {
        options = options.port(port);
    }
    if let Some(user) = &address.user {
        options = options.username(user);
    }
    if let Some(password) = &address.password {
        options = options.password(password.expose());
    }
    if let Some(database) = &address.database {
        options = options.database(database);
    }
    if let Some(authority) = address.setting("ssl_ca") {
        // Who names an authority wants the certificate checked; the name in it unless it is
        // switched off, as by the drivers.
        let unchecked = address
            .setting("ssl_check_hostname")
            .is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "false" | "0"));
        let mode = if unchecked { MySqlSslMode::VerifyCa } else { MySqlSslMode::VerifyIdentity };
        options = options.ssl_ca(authority).ssl_mode(mode);
    }
    if let (Some(certificate), Some(key)) =
        (address.setting("ssl_cert"), address.setting("ssl_key"))
    {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    options
}

/// MySQL's error numbers.
fn kind_of(told: &dyn sqlx::error::DatabaseError) -> Option<ErrorKind> {
    let number = told.try_downcast_ref::<MySqlDatabaseError>()?.number();
    Some(match number {
        1045 | 1698 => ErrorKind::Unauthenticated,
        1044 | 1142 | 1143 => ErrorKind::PermissionDenied,
        1049 => ErrorKind::NotFound,
        1040 | 1203 | 1205 => ErrorKind::Unavailable,
        _ => return None,
    })
}

#[async_trait]
impl Database for MysqlDatabase {
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
    mut connection: MySqlConnection,
    statement: Statement,
) -> (MySqlConnection, sqlx::Result<Vec<Row>>) {
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
        let uri = "mysql+pymysql://me:pw@db:3307/mlflow?charset=utf8mb4&ssl_ca=/ca.pem";
        let options = options(&Address::parse(uri).expect("an address"));
        assert_eq!((options.get_host(), options.get_port()), ("db", 3307));
        assert_eq!((options.get_username(), options.get_database()), ("me", Some("mlflow")));
        assert!(matches!(options.get_ssl_mode(), MySqlSslMode::VerifyIdentity));
    }
}
