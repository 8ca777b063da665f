//! PostgreSQL.

use mlfetch_mlflow::Environment;
use mlfetch_store::ErrorKind;

use crate::seed::{Seeded, seed_once, variable};
use crate::target::{Target, open_in};

/// MLflow's own form of the URI, which names a driver of Python's.
fn uri() -> String {
    variable("MLFETCH_TEST_POSTGRES_URL").replacen("postgresql:", "postgresql+psycopg:", 1)
}

async fn target() -> Target {
    static SEEDED: Seeded = Seeded::new();
    let facts = seed_once(&SEEDED, &uri(), Some("s3://bucket/root"), &[]);
    Target::open(&uri(), facts).await
}

crate::cases::cases!(target());

#[tokio::test]
async fn what_is_wrong_with_the_address_is_said_at_once() {
    let uri = variable("MLFETCH_TEST_POSTGRES_URL");
    let (login, server) = uri.split_once('@').expect("a user and a server");
    let (user, _) = login.rsplit_once(':').expect("a password");
    let (host, _) = server.split_once('/').expect("a database");
    let rows = [
        (format!("{user}:hunter2wrong@{server}"), ErrorKind::Unauthenticated),
        (format!("{login}@{host}/nothing_here"), ErrorKind::NotFound),
        (format!("{login}@127.0.0.1:1/mlflow"), ErrorKind::Unreachable),
    ];
    for (uri, kind) in rows {
        let error = open_in(&uri, &Environment::new("/")).await.expect_err("it cannot be opened");
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2wrong"), "{error:?}");
        assert!(error.hint().is_some());
    }
}
