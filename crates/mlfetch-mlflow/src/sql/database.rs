//! What an engine must do: run a query, columns in and out as text.

use std::fmt;

use async_trait::async_trait;
use mlfetch_store::Result;

use super::statement::Statement;

/// A row, its columns as text.
pub(crate) type Row = Vec<Option<String>>;

/// The ways in which engines write the same query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// The type that a column is cast to, to come as text.
    pub(super) text_type: &'static str,
    /// The sign before a parameter's number; `None` where parameters are a bare `?`.
    pub(super) parameter_sign: Option<char>,
    /// The query for the columns of tables: pairs of table and column. Without parameters.
    pub(super) columns_query: &'static str,
}

/// An opened database, read only.
#[async_trait]
pub(crate) trait Database: fmt::Debug + Send + Sync {
    /// Safe to show: no user, password or query.
    fn name(&self) -> &str;

    /// Whether it is on another machine.
    fn is_remote(&self) -> bool;

    /// How it wants its queries.
    fn dialect(&self) -> Dialect;

    /// Runs a query that only reads.
    ///
    /// # Errors
    /// `Unavailable` if the database is locked for too long; kinds of reaching.
    async fn query(&self, statement: Statement) -> Result<Vec<Row>>;
}
