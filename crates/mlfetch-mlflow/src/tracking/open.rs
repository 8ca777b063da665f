//! Which store a URI means.

use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, Location, Result};

use super::TrackingStore;
use crate::files::FileStore;
use crate::rest::RestStore;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use crate::sql::SqlStore;
use crate::{Environment, HttpSettings, Settings};

/// The databases' schemes, and the cargo features that bring them.
const FEATURES: [(&str, &str); 5] = [
    ("sqlite", "sqlite"),
    ("postgresql", "postgres"),
    ("postgres", "postgres"),
    ("mysql", "mysql"),
    ("mariadb", "mysql"),
];

/// Opens the tracking store or registry that `uri` names: `http(s)://…`, `sqlite:///…`,
/// `postgresql://…`, `mysql://…` (with or without `+driver`), `file:…` or a path.
///
/// A server is not asked yet; a database is opened, read only, and never created.
///
/// # Errors
/// `Unsupported` for a scheme that is not known or not in this build, with those that are;
/// `InvalidInput` for settings or a URI that are malformed; `NotFound` for a database file or
/// directory that is not there; kinds of reaching for a database server; `Refused` for one that the
/// gate does not permit.
pub async fn open(
    uri: &str,
    settings: &Settings,
    environment: &Environment,
) -> Result<Arc<dyn TrackingStore>> {
    if matches!(uri, "databricks" | "databricks-uc" | "uc") {
        return Err(databricks(uri));
    }
    if let Some(gate) = &settings.gate {
        gate.permit_server(&place_of(uri)?)?;
    }
    if uri.is_empty() {
        return Ok(Arc::new(FileStore::open(uri, environment)?));
    }
    let location = Location::parse(uri)?;
    // A driver (`postgresql+psycopg2`) says how Python connects; which database it is stands
    // before it.
    let scheme = location.scheme().split('+').next().unwrap_or_default();
    match scheme {
        "http" | "https" => {
            let http = HttpSettings::from_environment(settings, environment)?;
            Ok(Arc::new(RestStore::new(uri, http)?))
        }
        "" | "file" => Ok(Arc::new(FileStore::open(uri, environment)?)),
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let database = crate::sql::SqliteDatabase::open(uri, environment).await?;
            Ok(Arc::new(SqlStore::new(database, settings.workspace.clone())))
        }
        #[cfg(feature = "postgres")]
        "postgresql" | "postgres" => {
            let database = crate::sql::PostgresDatabase::open(uri, settings.retry.clone()).await?;
            Ok(Arc::new(SqlStore::new(database, settings.workspace.clone())))
        }
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => {
            let database = crate::sql::MysqlDatabase::open(uri, settings.retry.clone()).await?;
            Ok(Arc::new(SqlStore::new(database, settings.workspace.clone())))
        }
        "databricks" | "databricks-uc" | "uc" => Err(databricks(&location.to_string())),
        _ => Err(unknown(&location, scheme)),
    }
}

/// The place that a URI means: an empty one is the directory of MLflow's default.
fn place_of(uri: &str) -> Result<Location> {
    Location::parse(if uri.is_empty() { "mlruns" } else { uri })
}

fn databricks(name: &str) -> Error {
    Error::new(ErrorKind::Unsupported, "open the tracking store", name)
        .with_message("Databricks and Unity Catalog are not spoken here")
        .with_hint("give the URI of a bucket or volume that holds the artifacts instead")
}

/// A scheme that is not known, or whose database was left out of this build.
fn unknown(location: &Location, scheme: &str) -> Error {
    let error = Error::new(ErrorKind::Unsupported, "open the tracking store", location.to_string());
    let left_out = FEATURES.iter().find(|(known, _)| *known == scheme);
    match left_out {
        Some((_, feature)) => error
            .with_message("this build was made without that database")
            .with_hint(format!("build mlfetch with the cargo feature `{feature}`")),
        None => error
            .with_message(format!("no tracking store has the scheme `{}`", location.scheme()))
            .with_hint("use http, https, sqlite, postgresql, mysql, file, or the path of `mlruns`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn failed(uri: &str) -> Error {
        let environment = Environment::new("/nowhere");
        let settings = Settings::new(None, None, &environment);
        open(uri, &settings, &environment).await.expect_err(uri)
    }

    #[tokio::test]
    async fn a_scheme_that_is_not_known_lists_those_that_are() {
        let error = failed("mssql+pyodbc://user:secret@host/db").await;
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.hint().is_some_and(|hint| hint.contains("postgresql")));
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[tokio::test]
    async fn databricks_is_refused_by_name() {
        for uri in ["databricks", "databricks://profile", "databricks-uc", "uc:http://h"] {
            let error = failed(uri).await;
            assert!(error.to_string().contains("Databricks"), "{error}");
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[tokio::test]
    async fn a_database_that_was_left_out_names_its_cargo_feature() {
        let error = failed("postgresql+psycopg2://user:secret@host/db").await;
        assert!(error.hint().is_some_and(|hint| hint.contains("`postgres`")));
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
