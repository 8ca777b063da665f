//! A query and its parameters, put together piece by piece.

use super::database::Dialect;

/// A query and its parameters, all text.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(super) sql: String,
    pub(super) parameters: Vec<String>,
    dialect: Dialect,
}

impl Statement {
    /// Begins with `SELECT` and these columns, each cast to text; `NULL` where one is `None`.
    pub(super) fn select(dialect: Dialect, columns: &[Option<&str>]) -> Self {
        let columns: Vec<String> = columns
            .iter()
            .map(|column| match column {
                Some(column) => format!("CAST({column} AS {})", dialect.text_type),
                None => "NULL".to_owned(),
            })
            .collect();
        let sql = format!("SELECT {}", columns.join(", "));
        Self { sql, parameters: Vec::new(), dialect }
    }

    /// A query as it stands, without parameters.
    pub(super) fn plain(dialect: Dialect, sql: &str) -> Self {
        Self { sql: sql.to_owned(), parameters: Vec::new(), dialect }
    }

    /// With more SQL.
    pub(super) fn with(mut self, sql: &str) -> Self {
        self.sql.push(' ');
        self.sql.push_str(sql);
        self
    }

    /// With `sql` and a parameter right behind it: `WHERE name =`.
    pub(super) fn with_parameter(mut self, sql: &str, value: impl Into<String>) -> Self {
        self = self.with(sql);
        self.parameters.push(value.into());
        let place = match self.dialect.parameter_sign {
            Some(sign) => format!(" {sign}{}", self.parameters.len()),
            None => " ?".to_owned(),
        };
        self.sql.push_str(&place);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_where_the_dialect_wants_it() {
        let numbered = Dialect { text_type: "TEXT", parameter_sign: Some('$'), columns_query: "" };
        let bare = Dialect { text_type: "CHAR", parameter_sign: None, columns_query: "" };
        let build = |dialect| {
            Statement::select(dialect, &[Some("a"), None])
                .with("FROM t")
                .with_parameter("WHERE a =", "1")
                .with_parameter("AND b =", "2")
                .sql
        };
        assert_eq!(build(numbered), "SELECT CAST(a AS TEXT), NULL FROM t WHERE a = $1 AND b = $2");
        assert_eq!(build(bare), "SELECT CAST(a AS CHAR), NULL FROM t WHERE a = ? AND b = ?");
    }
}
