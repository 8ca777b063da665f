//! How a tracking server is asked.

use std::time::Duration;

use mlfetch_http::{ClientConfig, Credential, Redirects, Url};
use mlfetch_store::{Error, ErrorKind, Result, RetryPolicy};

use super::Settings;
use super::credential::Credentials;
use crate::Environment;

/// MLflow's own limit for `MLFLOW_HTTP_REQUEST_MAX_RETRIES`.
const MAX_RETRIES: u32 = 10;
/// MLflow's own limit for `MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR`, in seconds.
const MAX_BACKOFF: u32 = 120;
/// The longest `MLFLOW_HTTP_REQUEST_TIMEOUT`, in seconds: a day.
const MAX_TIMEOUT: u32 = 86_400;

/// How a tracking server is asked: TLS, credentials, patience, workspace.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpSettings {
    /// TLS and time to connect.
    pub client: ClientConfig,
    /// How often and how patiently.
    pub retry: RetryPolicy,
    /// Whether a server's `Retry-After` counts (`MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER`).
    pub respect_retry_after: bool,
    /// Where redirects may lead (`MLFLOW_ALLOW_HTTP_REDIRECTS`).
    pub redirects: Redirects,
    /// What stands in `X-MLFLOW-WORKSPACE` (`MLFLOW_WORKSPACE`).
    pub workspace: Option<String>,
    credentials: Credentials,
}

impl HttpSettings {
    /// Reads MLflow's variables; what they leave open comes from `settings`.
    ///
    /// # Errors
    /// `InvalidInput`, naming the variable that is malformed; `Unsupported` for a
    /// `MLFLOW_TRACKING_AUTH` that cannot be had here: nobody goes on without signing in.
    pub fn from_environment(settings: &Settings, environment: &Environment) -> Result<Self> {
        let redirects = match environment.flag("MLFLOW_ALLOW_HTTP_REDIRECTS")? {
            Some(false) => Redirects::Never,
            _ => Redirects::WithoutCredential,
        };
        let respected = environment.flag("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER")?;
        let timeout = environment
            .number("MLFLOW_HTTP_REQUEST_TIMEOUT", 1, MAX_TIMEOUT)?
            .map(|seconds| Duration::from_secs(seconds.into()));
        Ok(Self {
            client: client(environment, timeout)?.with_gate(settings.gate.clone()),
            retry: retry(environment, settings.retry.clone(), timeout)?,
            respect_retry_after: respected.unwrap_or(true),
            redirects,
            workspace: settings.workspace.clone(),
            credentials: Credentials::from_environment(environment)?,
        })
    }

    /// What is presented to the server at `url`: user and password in the URL win over all but a
    /// signature; a `~/.netrc` entry counts only where nothing else was given (MLflow lets it
    /// replace even a token).
    ///
    /// # Errors
    /// `InvalidInput` for a URL whose user or password cannot be decoded, `Io` for a file of
    /// credentials that cannot be read.
    pub fn credential_for(&self, url: &Url) -> Result<Option<Credential>> {
        self.credentials.for_server(url)
    }
}

fn client(environment: &Environment, timeout: Option<Duration>) -> Result<ClientConfig> {
    let insecure = environment.flag("MLFLOW_TRACKING_INSECURE_TLS")?.unwrap_or(false);
    let authorities = environment.path("MLFLOW_TRACKING_SERVER_CERT_PATH");
    if insecure && authorities.is_some() {
        return Err(Error::new(ErrorKind::InvalidInput, "use", "MLFLOW_TRACKING_SERVER_CERT_PATH")
            .with_message("MLFLOW_TRACKING_INSECURE_TLS is set too, and they exclude each other")
            .with_hint("unset one of them"));
    }
    let config = ClientConfig::new()
        .with_insecure_tls(insecure)
        .with_ca_bundle(authorities)
        .with_client_certificate(environment.path("MLFLOW_TRACKING_CLIENT_CERT_PATH"));
    Ok(match timeout {
        Some(timeout) => config.with_connect_timeout(timeout),
        None => config,
    })
}

/// MLflow counts retries, we count attempts. Who asks for more patience than usual gets the time
/// for it too.
fn retry(
    environment: &Environment,
    mut policy: RetryPolicy,
    timeout: Option<Duration>,
) -> Result<RetryPolicy> {
    let retries = environment.number("MLFLOW_HTTP_REQUEST_MAX_RETRIES", 0, MAX_RETRIES)?;
    let backoff = environment.number("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", 0, MAX_BACKOFF)?;
    if let Some(retries) = retries {
        policy.attempts = retries + 1;
    }
    if let Some(seconds) = backoff {
        policy.first_wait = Duration::from_secs(seconds.into());
        policy.longest_wait = policy.longest_wait.max(policy.first_wait);
    }
    if retries.is_some() || backoff.is_some() {
        policy.budget = policy.budget.max(policy.longest_wait * policy.attempts);
    }
    if let Some(timeout) = timeout {
        policy.stall = timeout;
    }
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &Environment) -> Result<HttpSettings> {
        let settings = Settings::new(None, None, environment);
        HttpSettings::from_environment(&settings, environment)
    }

    #[test]
    fn our_patience_counts_until_mlflows_variables_say_otherwise() {
        let environment = Environment::new("/");
        let usual = RetryPolicy::default();
        let settings = read(&environment).expect("settings");
        assert_eq!(settings.retry.attempts, usual.attempts);
        assert_eq!(settings.retry.budget, usual.budget);
        assert_eq!(settings.redirects, Redirects::WithoutCredential);
        let environment = environment
            .with_variable("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
            .with_variable("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "60")
            .with_variable("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
            .with_variable("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", "False")
            .with_variable("MLFLOW_ALLOW_HTTP_REDIRECTS", "0");
        let settings = read(&environment).expect("settings");
        assert_eq!(settings.retry.attempts, 4);
        assert_eq!(settings.retry.first_wait, Duration::from_mins(1));
        assert_eq!(settings.retry.budget, Duration::from_mins(4));
        assert_eq!(settings.retry.stall, Duration::from_secs(7));
        assert_eq!(settings.redirects, Redirects::Never);
        assert!(!settings.respect_retry_after);
    }

    #[test]
    fn what_cannot_be_meant_is_an_error_that_names_the_variable() {
        let rows = [
            ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "11"),
            ("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon"),
            ("MLFLOW_TRACKING_INSECURE_TLS", "maybe"),
            ("MLFLOW_TRACKING_AUTH", "acme"),
        ];
        for (name, value) in rows {
            let error = read(&Environment::new("/").with_variable(name, value)).expect_err(name);
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn no_certificate_check_and_a_certificate_authority_exclude_each_other() {
        let environment = Environment::new("/")
            .with_variable("MLFLOW_TRACKING_INSECURE_TLS", "true")
            .with_variable("MLFLOW_TRACKING_SERVER_CERT_PATH", "ca.pem");
        let error = read(&environment).expect_err("both");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
