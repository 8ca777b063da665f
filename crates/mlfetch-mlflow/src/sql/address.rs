//! Where a database server is: the URIs of `SQLAlchemy`, which MLflow takes.

use std::fmt;

use mlfetch_store::{Error, ErrorKind, Result, Secret};
use percent_encoding::percent_decode_str;

/// The parts of `dialect+driver://user:password@host:port/database?name=value`.
pub(super) struct Address {
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) database: Option<String>,
    pub(super) query: Vec<(String, String)>,
}

impl Address {
    /// Splits a URI as `SQLAlchemy` does: user, password and the query's values are
    /// percent-decoded once, the database is not.
    pub(super) fn parse(uri: &str) -> Result<Self> {
        let rest = uri.split_once("://").map(|(_, rest)| rest);
        let rest = rest.ok_or_else(|| malformed(uri, "it names no server"))?;
        // A password may hold `/` and `?`, but no `@`.
        let (login, rest) = match rest.split_once('@') {
            Some((login, rest)) => (Some(login), rest),
            None => (None, rest),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (server, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_port(server).ok_or_else(|| malformed(uri, "its port is none"))?;
        let decode = |text: &str| decode(text).ok_or_else(|| malformed(uri, "it is not UTF-8"));
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, "")))
        {
            Some((user, password)) => (Some(decode(user)?), Some(decode(password)?)),
            None => (None, None),
        };
        let mut pairs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(&value.replace('+', " "))?));
        }
        Ok(Self {
            user: user.filter(|user| !user.is_empty()),
            password: password.filter(|password| !password.is_empty()).map(Secret::new),
            host: host.to_owned(),
            port,
            database: (!database.is_empty()).then(|| database.to_owned()),
            query: pairs,
        })
    }

    /// A setting of the query.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The host, also where the query names it, as for a socket.
    pub(super) fn effective_host(&self) -> &str {
        let host = self.setting("host").or_else(|| self.setting("unix_socket"));
        let host = host.unwrap_or(&self.host);
        if host.is_empty() { "localhost" } else { host }
    }

    /// Whether the host is another machine, as far as its name tells.
    pub(super) fn is_remote(&self) -> bool {
        let host = self.effective_host();
        let loopback = host.parse().is_ok_and(|at: std::net::IpAddr| at.is_loopback());
        !(loopback || host == "localhost" || host.starts_with('/'))
    }

    /// Safe to show: `scheme://host:port/database`.
    pub(super) fn shown(&self, scheme: &str) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let database = self.database.as_deref().unwrap_or_default();
        let text = format!("{scheme}://{}{port}/{database}", self.effective_host());
        mlfetch_store::escape(text.as_bytes())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown("database"))
    }
}

/// `host`, `host:port`, `[::1]:port`.
fn split_port(server: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    match port.filter(|port| !port.is_empty()) {
        Some(port) => Some((host, Some(port.parse().ok()?))),
        None => Some((host, None)),
    }
}

fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn malformed(uri: &str, why: &'static str) -> Error {
    // What stands where is not known: only the scheme is safe to show.
    let shown = uri.split(':').next().unwrap_or_default();
    Error::new(ErrorKind::InvalidInput, "read the database URI", shown)
        .with_message(why)
        .with_hint("it must look like postgresql://user:password@host:5432/database")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_decoded_once() {
        let uri =
            "postgresql+psycopg2://me%40x:p%2540%2F:/w?d@db.example:6432/mlflow?sslmode=require";
        let address = Address::parse(uri).expect("an address");
        assert_eq!(address.user.as_deref(), Some("me@x"));
        assert_eq!(address.password.as_ref().expect("given").expose(), "p%40/:/w?d");
        assert_eq!((address.host.as_str(), address.port), ("db.example", Some(6432)));
        assert_eq!(address.database.as_deref(), Some("mlflow"));
        assert_eq!(address.setting("sslmode"), Some("require"));
        assert_eq!(address.shown("postgresql"), "postgresql://db.example:6432/mlflow");
        assert!(address.is_remote());
    }

    #[test]
    fn a_socket_and_a_loopback_address_are_this_machine() {
        for uri in [
            "postgresql:///mlflow",
            "postgresql://u:p@/mlflow?host=/cloudsql/x",
            "mysql+pymysql://u@[::1]:3307/mlflow",
            "mysql://u@127.0.0.1/mlflow?charset=utf8mb4",
        ] {
            assert!(!Address::parse(uri).expect(uri).is_remote(), "{uri}");
        }
    }

    #[test]
    fn a_malformed_address_is_an_error_without_its_password() {
        for uri in ["postgresql://u:hunter2@h:port/db", "mysql:u:hunter2"] {
            let error = Address::parse(uri).expect_err(uri);
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
