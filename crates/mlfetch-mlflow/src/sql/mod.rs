//! MLflow's databases: one set of queries, all columns as text, one engine per file.
//!
//! Schemas differ from version to version: the columns that are there are asked for once, and what
//! is not there is left out of the queries.

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod address;
mod catalogue;
mod database;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod schema;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod sqlite_file;
mod statement;
mod store;

#[cfg(feature = "mysql")]
pub(crate) use mysql::MysqlDatabase;
#[cfg(feature = "postgres")]
pub(crate) use postgres::PostgresDatabase;
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::SqliteDatabase;
pub(crate) use store::SqlStore;
