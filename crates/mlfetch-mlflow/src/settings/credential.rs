//! Who is asking: MLflow's places for credentials, in MLflow's order.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlfetch_http::{Credential, Url};
use mlfetch_store::{Error, ErrorKind, Result, Secret};
use percent_encoding::percent_decode_str;

use super::{AwsSigning, ini, netrc};
use crate::Environment;

/// The largest file of credentials that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The credentials that are at hand, before it is known which server is asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials {
    signing: Option<Arc<AwsSigning>>,
    login: Option<(String, Secret)>,
    token: Option<Secret>,
    netrc: Option<PathBuf>,
}

impl Credentials {
    pub(super) fn from_environment(environment: &Environment) -> Result<Self> {
        refuse_plugins(environment)?;
        let signing = match environment.flag("MLFLOW_TRACKING_AWS_SIGV4")? {
            Some(true) => Some(Arc::new(AwsSigning::from_environment(environment)?)),
            _ => None,
        };
        let netrc = environment.path("NETRC").or_else(|| environment.home_file(".netrc"));
        let login = login(environment)?;
        let token = environment.text("MLFLOW_TRACKING_TOKEN").map(Secret::new);
        Ok(Self { signing, login, token, netrc })
    }

    /// What is presented to the server at `url`. MLflow 3.17: a signature, user and password in
    /// the URL, user and password from elsewhere, a token. A `~/.netrc` entry comes last and only
    /// where nothing else was given: MLflow lets it replace even a token, without a word.
    pub(super) fn for_server(&self, url: &Url) -> Result<Option<Credential>> {
        if let Some(signing) = &self.signing {
            return Ok(Some(Credential::Signed(Arc::clone(signing) as _)));
        }
        if let Some((username, password)) = in_url(url)?.or_else(|| self.login.clone()) {
            return Ok(Some(Credential::Basic { username, password }));
        }
        if let Some(token) = &self.token {
            return Ok(Some(Credential::Bearer(token.clone())));
        }
        self.in_netrc(url)
    }

    fn in_netrc(&self, url: &Url) -> Result<Option<Credential>> {
        let (Some(path), Some(host)) = (&self.netrc, url.host_str()) else { return Ok(None) };
        let Some(text) = read_file(path)? else { return Ok(None) };
        Ok(netrc::login(&text, host).map(|login| Credential::Basic {
            username: login.username,
            password: Secret::new(login.password),
        }))
    }
}

/// A plug-in of Python cannot run here. MLflow warns of a name that it does not know and goes on
/// without signing in; that would send a request that nobody meant.
fn refuse_plugins(environment: &Environment) -> Result<()> {
    let Some(name) = environment.text("MLFLOW_TRACKING_AUTH") else { return Ok(()) };
    let name = mlfetch_store::escape(name.as_bytes());
    Err(Error::new(ErrorKind::Unsupported, "sign in with", "MLFLOW_TRACKING_AUTH")
        .with_message(format!("the provider `{name}` is a plug-in for Python"))
        .with_hint("give its token in MLFLOW_TRACKING_TOKEN and unset MLFLOW_TRACKING_AUTH"))
}

/// User and password of the URL, percent-decoded once. A user without a password is ignored, as
/// by MLflow.
fn in_url(url: &Url) -> Result<Option<(String, Secret)>> {
    let Some(password) = url.password().filter(|_| !url.username().is_empty()) else {
        return Ok(None);
    };
    let decode = |text| {
        percent_decode_str(text).decode_utf8().map_err(|_| {
            Error::new(ErrorKind::InvalidInput, "read", "the tracking URI")
                .with_message("its user or password is not UTF-8 when decoded")
        })
    };
    Ok(Some((decode(url.username())?.into_owned(), Secret::new(decode(password)?))))
}

/// User and password of the environment and of `~/.mlflow/credentials`; each key of the
/// environment wins by itself. One without the other is ignored, as by MLflow.
fn login(environment: &Environment) -> Result<Option<(String, Secret)>> {
    let text = match environment.home_file(".mlflow/credentials") {
        Some(path) => read_file(&path)?.unwrap_or_default(),
        None => String::new(),
    };
    let either = |variable, key| {
        let stored = || ini::value(&text, "mlflow", key);
        environment.text(variable).or_else(stored).map(str::to_owned)
    };
    let username = either("MLFLOW_TRACKING_USERNAME", "mlflow_tracking_username");
    let password = either("MLFLOW_TRACKING_PASSWORD", "mlflow_tracking_password");
    Ok(username.zip(password.map(Secret::new)))
}

/// The text of a file of credentials; `None` if there is none.
///
/// # Errors
/// `Io` if it is there and cannot be read: going on without it would sign nobody in.
pub(super) fn read_file(path: &Path) -> Result<Option<String>> {
    let fail = |message: String| {
        Error::new(ErrorKind::Io, "read the credentials in", path.display().to_string())
            .with_message(message)
    };
    match std::fs::metadata(path) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if metadata.len() > MAX_FILE_BYTES => {
            return Err(fail(format!("it is longer than {MAX_FILE_BYTES} bytes")));
        }
        _ => {}
    }
    let bytes = std::fs::read(path).map_err(|cause| fail(cause.to_string()).with_source(cause))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(environment: &Environment, url: &str) -> String {
        let credentials = Credentials::from_environment(environment).expect("credentials");
        let url = Url::parse(url).expect("a URL");
        match credentials.for_server(&url).expect("a credential") {
            None => "nobody".to_owned(),
            Some(Credential::Basic { username, password }) => {
                format!("{username}:{}", password.expose())
            }
            Some(Credential::Bearer(token)) => format!("bearer {}", token.expose()),
            Some(_) => "signed".to_owned(),
        }
    }

    #[test]
    fn the_url_wins_over_the_environment_and_the_environment_over_a_token() {
        let environment = Environment::new("/")
            .with_variable("MLFLOW_TRACKING_USERNAME", "u")
            .with_variable("MLFLOW_TRACKING_PASSWORD", "p")
            .with_variable("MLFLOW_TRACKING_TOKEN", "t");
        assert_eq!(shown(&environment, "http://a%40b:c%2525@h/"), "a@b:c%25");
        assert_eq!(shown(&environment, "http://user-only@h/"), "u:p");
        let environment = Environment::new("/")
            .with_variable("MLFLOW_TRACKING_USERNAME", "u")
            .with_variable("MLFLOW_TRACKING_TOKEN", "t");
        assert_eq!(shown(&environment, "http://h/"), "bearer t", "a user alone is ignored");
    }

    #[test]
    fn the_credentials_file_is_filled_in_key_by_key_and_netrc_comes_last() {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(home.path().join(".mlflow")).expect("created");
        let file = home.path().join(".mlflow/credentials");
        let text = "[mlflow]\nmlflow_tracking_username = filed\nmlflow_tracking_password = kept\n";
        std::fs::write(&file, text).expect("written");
        let netrc = "machine h login n password q";
        std::fs::write(home.path().join(".netrc"), netrc).expect("written");
        let environment = Environment::new("/").with_home(home.path());
        assert_eq!(shown(&environment, "http://h/"), "filed:kept");
        let named = environment.clone().with_variable("MLFLOW_TRACKING_USERNAME", "me");
        assert_eq!(shown(&named, "http://h/"), "me:kept");
        std::fs::remove_file(&file).expect("removed");
        assert_eq!(shown(&environment, "http://h:5000/"), "n:q");
        assert_eq!(shown(&environment, "http://other/"), "nobody");
        let token = environment.with_variable("MLFLOW_TRACKING_TOKEN", "t");
        assert_eq!(shown(&token, "http://h/"), "bearer t");
    }

    #[test]
    fn an_auth_provider_that_is_a_plug_in_is_named_and_not_passed_over() {
        let environment = Environment::new("/").with_variable("MLFLOW_TRACKING_AUTH", "acme");
        let error = Credentials::from_environment(&environment).expect_err("unknown");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("`acme`"), "{error}");
    }
}
