//! AWS keys for a tracking server behind API Gateway (`MLFLOW_TRACKING_AWS_SIGV4`).

use std::time::SystemTime;

use mlfetch_http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use mlfetch_http::{Method, Sign, Url};
use mlfetch_store::{Error, ErrorKind, Result, Secret};

use super::credential::read_file;
use super::ini;
use crate::Environment;
use crate::sigv4::{Keys, Scope, sign};

/// The service that MLflow signs for: API Gateway.
const SERVICE: &str = "execute-api";

/// Signs each request to a tracking server with AWS Signature Version 4.
#[derive(Debug, Clone)]
pub struct AwsSigning {
    keys: Keys,
    region: String,
}

impl AwsSigning {
    /// Finds keys in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, else in the
    /// profile `AWS_PROFILE` (or `default`) of `~/.aws/credentials`; the region in `AWS_REGION`,
    /// `AWS_DEFAULT_REGION`, else in the profile.
    ///
    /// # Errors
    /// `Unauthenticated` without keys, `InvalidInput` without a region.
    pub fn from_environment(environment: &Environment) -> Result<Self> {
        let profile = Profile::read(environment)?;
        let keys = keys(environment, &profile)?;
        let region = environment
            .text("AWS_REGION")
            .or_else(|| environment.text("AWS_DEFAULT_REGION"))
            .or_else(|| profile.value("region"));
        let region = region.ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "sign with", "AWS Signature Version 4")
                .with_message("no region is given")
                .with_hint("set AWS_REGION to the region of the server")
        })?;
        Ok(Self { keys, region: region.to_owned() })
    }
}

fn keys(environment: &Environment, profile: &Profile) -> Result<Keys> {
    let pair = |id: Option<&str>, secret: Option<&str>, token: Option<&str>| {
        Some(Keys {
            id: id?.to_owned(),
            secret: Secret::new(secret?),
            token: token.map(Secret::new),
        })
    };
    let variables = || {
        let text = |name| environment.text(name);
        pair(text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"), text("AWS_SESSION_TOKEN"))
    };
    let stored = || {
        let value = |name| profile.value(name);
        let (id, secret) = (value("aws_access_key_id"), value("aws_secret_access_key"));
        pair(id, secret, value("aws_session_token"))
    };
    variables().or_else(stored).ok_or_else(|| {
        Error::new(ErrorKind::Unauthenticated, "sign with", "AWS Signature Version 4")
            .with_message(format!("no keys in the environment or the profile `{}`", profile.name))
            .with_hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
    })
}

/// A profile, as it stands in two files.
struct Profile {
    name: String,
    credentials: String,
    config: String,
}

impl Profile {
    fn read(environment: &Environment) -> Result<Self> {
        let file = |variable, default| {
            let path = environment.path(variable).or_else(|| environment.home_file(default));
            path.map_or(Ok(None), |path| read_file(&path)).map(Option::unwrap_or_default)
        };
        Ok(Self {
            name: environment.text("AWS_PROFILE").unwrap_or("default").to_owned(),
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")?,
            config: file("AWS_CONFIG_FILE", ".aws/config")?,
        })
    }

    /// A key of the profile. In the configuration file the section of every profile but `default`
    /// has the word `profile` before its name.
    fn value(&self, key: &str) -> Option<&str> {
        ini::value(&self.credentials, &self.name, key)
            .or_else(|| ini::value(&self.config, &format!("profile {}", self.name), key))
            .or_else(|| ini::value(&self.config, &self.name, key))
    }
}

impl Sign for AwsSigning {
    fn sign(&self, method: &Method, url: &Url, body: &[u8]) -> Result<HeaderMap> {
        let scope = Scope { region: &self.region, service: SERVICE, at: SystemTime::now() };
        let signed = sign(&self.keys, &scope, method.as_str(), url, body);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value(signed.authorization)?);
        headers.insert(HeaderName::from_static("x-amz-date"), value(signed.date)?);
        if let Some(token) = &self.keys.token {
            let name = HeaderName::from_static("x-amz-security-token");
            headers.insert(name, value(token.expose().to_owned())?);
        }
        Ok(headers)
    }

    fn secrets(&self) -> Vec<Secret> {
        let token = self.keys.token.iter().cloned();
        [self.keys.secret.clone()].into_iter().chain(token).collect()
    }
}

fn value(text: String) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, "sign with", "the AWS key")
            .with_message("it holds characters that a header cannot carry")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_the_environment_or_from_the_profile_that_it_names() {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(home.path().join(".aws")).expect("created");
        let stored = "[default]\naws_access_key_id=D\naws_secret_access_key=d\n\
                      [team]\naws_access_key_id = T\naws_secret_access_key = t\n";
        std::fs::write(home.path().join(".aws/credentials"), stored).expect("written");
        let config = "[profile team]\nregion = eu-north-1\n";
        std::fs::write(home.path().join(".aws/config"), config).expect("written");
        let environment = Environment::new("/").with_home(home.path());
        let error = AwsSigning::from_environment(&environment).expect_err("no region");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let environment = environment.with_variable("AWS_PROFILE", "team");
        let signing = AwsSigning::from_environment(&environment).expect("signing");
        assert_eq!((signing.keys.id.as_str(), signing.region.as_str()), ("T", "eu-north-1"));
        let environment = environment
            .with_variable("AWS_ACCESS_KEY_ID", "E")
            .with_variable("AWS_SECRET_ACCESS_KEY", "e")
            .with_variable("AWS_REGION", "us-east-2");
        let signing = AwsSigning::from_environment(&environment).expect("signing");
        assert_eq!((signing.keys.id.as_str(), signing.region.as_str()), ("E", "us-east-2"));
        assert!(!format!("{signing:?}").contains("\"e\""));
    }

    #[test]
    fn without_keys_nothing_is_sent_unsigned() {
        let environment = Environment::new("/").with_variable("AWS_REGION", "us-east-1");
        let error = AwsSigning::from_environment(&environment).expect_err("no keys");
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
}
