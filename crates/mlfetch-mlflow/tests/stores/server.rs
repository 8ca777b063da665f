//! Tracking servers: without and with signing in.

use mlfetch_mlflow::{Environment, TrackingKind};
use mlfetch_store::ErrorKind;

use crate::seed::{Seeded, seed_once, variable};
use crate::target::{Target, open_in};

mod open_to_all {
    use super::*;

    async fn target() -> Target {
        static SEEDED: Seeded = Seeded::new();
        let url = variable("MLFETCH_TEST_MLFLOW_PROXIED");
        let facts = seed_once(&SEEDED, &url, None, &[]);
        Target::open(&url, facts).await
    }

    crate::cases::cases!(target());

    #[tokio::test]
    async fn the_server_is_known_by_its_url_and_says_what_it_can_do() {
        let url = variable("MLFETCH_TEST_MLFLOW_PROXIED");
        let store = open_in(&format!("{url}/"), &Environment::new("/")).await.expect("it opens");
        assert_eq!(store.info().kind, TrackingKind::Server { url: url.clone() });
        assert_eq!(store.info().name, url);
        assert!(!store.info().remote);
        let client = store.server().expect("a server has a client");
        let info = client.server_info().await.expect("MLflow 3.17 says what it can do");
        assert_eq!(info.store_type.as_deref(), Some("SqlStore"));
        assert!(!info.workspaces_enabled && !info.multipart_downloads_enabled);
    }

    #[tokio::test]
    async fn a_workspace_that_the_server_does_not_have_is_refused() {
        let url = variable("MLFETCH_TEST_MLFLOW_PROXIED");
        let environment = Environment::new("/").with_variable("MLFLOW_WORKSPACE", "team");
        let store = open_in(&url, &environment).await.expect("it opens");
        let error = store.model_version("any", "1").await.expect_err("no workspaces");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("`team`"), "{error}");
    }
}

mod with_basic_auth {
    use super::*;

    fn signed_in() -> Environment {
        Environment::new("/")
            .with_variable("MLFLOW_TRACKING_USERNAME", username())
            .with_variable("MLFLOW_TRACKING_PASSWORD", password())
    }

    fn username() -> String {
        variable("MLFETCH_TEST_MLFLOW_AUTH_USERNAME")
    }

    fn password() -> String {
        variable("MLFETCH_TEST_MLFLOW_AUTH_PASSWORD")
    }

    async fn target() -> Target {
        static SEEDED: Seeded = Seeded::new();
        let url = variable("MLFETCH_TEST_MLFLOW_AUTH");
        let (username, password) = (username(), password());
        let variables = [
            ("MLFLOW_TRACKING_USERNAME", username.as_str()),
            ("MLFLOW_TRACKING_PASSWORD", password.as_str()),
            ("MLFETCH_SEED_FEW", "1"),
        ];
        let facts = seed_once(&SEEDED, &url, None, &variables);
        Target::open_in(&url, facts, &signed_in()).await
    }

    // This server spends a third of a second on each password: the cases that differ suffice.
    crate::cases::cases!(target();
        a_run_is_found_with_the_place_of_its_artifacts,
        a_run_that_is_not_there_is_named,
        the_logged_models_of_a_run_are_those_that_it_logged,
        an_alias_leads_to_its_version,
    );

    async fn run_with(url: &str, environment: &Environment) -> Option<ErrorKind> {
        let facts = target().await.facts;
        let store = open_in(url, environment).await.expect("it opens");
        let error = store.run(&facts.run.id()).await.err()?;
        assert!(!format!("{error:?}").contains(&password()), "{error:?}");
        if error.kind() == ErrorKind::Unauthenticated {
            assert!(error.hint().is_some_and(|hint| hint.contains("MLFLOW_TRACKING_USERNAME")));
        }
        Some(error.kind())
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn without_a_credential_and_with_a_wrong_one_nobody_is_signed_in() {
        let url = variable("MLFETCH_TEST_MLFLOW_AUTH");
        let nobody = Environment::new("/");
        let wrong = signed_in().with_variable("MLFLOW_TRACKING_PASSWORD", "not the password");
        let alone = nobody.clone().with_variable("MLFLOW_TRACKING_USERNAME", username());
        for environment in [nobody, wrong, alone] {
            assert_eq!(run_with(&url, &environment).await, Some(ErrorKind::Unauthenticated));
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_url_the_credentials_file_and_netrc_sign_in() {
        let url = variable("MLFETCH_TEST_MLFLOW_AUTH");
        let encoded =
            password().bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"));
        let with_login = url.replacen("://", &format!("://{}:{encoded}@", username()), 1);
        assert_eq!(run_with(&with_login, &Environment::new("/")).await, None);

        let home = tempfile::tempdir().expect("a directory");
        let environment = Environment::new("/").with_home(home.path());
        let netrc = format!("machine 127.0.0.1 login {} password {}", username(), password());
        std::fs::write(home.path().join(".netrc"), netrc).expect("written");
        assert_eq!(run_with(&url, &environment).await, None);
        // A token wins over ~/.netrc, unlike in MLflow: it is wrong here, and that is said.
        let token = environment.clone().with_variable("MLFLOW_TRACKING_TOKEN", "wrong");
        assert_eq!(run_with(&url, &token).await, Some(ErrorKind::Unauthenticated));

        std::fs::create_dir(home.path().join(".mlflow")).expect("created");
        let stored = format!(
            "[mlflow]\nmlflow_tracking_username = {}\nmlflow_tracking_password = {}\n",
            username(),
            password()
        );
        std::fs::write(home.path().join(".mlflow/credentials"), stored).expect("written");
        assert_eq!(run_with(&url, &token).await, None);
    }
}
