//! The settings of the backend.

use std::path::PathBuf;

use mlfetch_store::{Error, ErrorKind, OptionSpec, Options, Result, Secret};

use crate::{ClientConfig, Credential};

const USERNAME: &str = "http-username";
const PASSWORD: &str = "http-password";
const TOKEN: &str = "http-token";
const CA_BUNDLE: &str = "http-ca-bundle";
const CLIENT_CERTIFICATE: &str = "http-client-certificate";
const INSECURE_TLS: &str = "http-insecure-tls";

/// The settings, as rows.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: USERNAME,
        env: &["MLFETCH_HTTP_USERNAME"],
        secret: false,
        default: None,
        help: "user for HTTP Basic authentication; user and password in the URL come first",
    },
    OptionSpec {
        name: PASSWORD,
        env: &["MLFETCH_HTTP_PASSWORD"],
        secret: true,
        default: None,
        help: "password for HTTP Basic authentication",
    },
    OptionSpec {
        name: TOKEN,
        env: &["MLFETCH_HTTP_TOKEN"],
        secret: true,
        default: None,
        help: "bearer token, instead of user and password",
    },
    OptionSpec {
        name: CA_BUNDLE,
        env: &["MLFETCH_HTTP_CA_BUNDLE"],
        secret: false,
        default: Some("the platform's certificate authorities"),
        help: "PEM file of the certificate authorities to trust",
    },
    OptionSpec {
        name: CLIENT_CERTIFICATE,
        env: &["MLFETCH_HTTP_CLIENT_CERTIFICATE"],
        secret: false,
        default: None,
        help: "PEM file with a client certificate and its key",
    },
    OptionSpec {
        name: INSECURE_TLS,
        env: &["MLFETCH_HTTP_INSECURE_TLS"],
        secret: false,
        default: Some("false"),
        help: "accept any server certificate",
    },
];

/// How to connect.
pub(crate) fn client_config(options: &Options) -> Result<ClientConfig> {
    Ok(ClientConfig::new()
        .with_ca_bundle(options.text(CA_BUNDLE).map(PathBuf::from))
        .with_client_certificate(options.text(CLIENT_CERTIFICATE).map(PathBuf::from))
        .with_insecure_tls(options.flag(INSECURE_TLS)?.unwrap_or(false)))
}

/// Who is asking, if the location did not say.
pub(crate) fn credential(options: &Options) -> Result<Option<Credential>> {
    match (options.text(USERNAME), options.secret(PASSWORD), options.secret(TOKEN)) {
        (None, None, None) => Ok(None),
        (None, None, Some(token)) => Ok(Some(Credential::Bearer(token))),
        (Some(username), password, None) => Ok(Some(Credential::Basic {
            username: username.to_owned(),
            password: password.unwrap_or_else(|| Secret::new("")),
        })),
        (None, Some(_), None) => Err(wrong(USERNAME, "there is a password and no user").with_hint(
            "give both, or the variables `MLFETCH_HTTP_USERNAME` and `MLFETCH_HTTP_PASSWORD`",
        )),
        (_, _, Some(_)) => Err(wrong(TOKEN, "there is a user or password as well")
            .with_hint("give either a token, or user and password")),
    }
}

fn wrong(name: &'static str, why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, "use the option", name).with_message(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_the_backend_s_prefix_and_its_variable() {
        for spec in OPTIONS {
            let variable = format!("MLFETCH_{}", spec.name.to_uppercase().replace('-', "_"));
            assert_eq!(spec.env, [variable.as_str()]);
            assert!(spec.name.starts_with("http-"));
        }
    }

    #[test]
    fn user_and_password_or_a_token_but_not_both() {
        let read = |given: &[(&str, &str)]| {
            let options = given.iter().fold(Options::new(), |all, (k, v)| all.with(*k, *v));
            credential(&options).map_err(|error| error.kind())
        };
        assert!(matches!(read(&[]), Ok(None)));
        assert!(matches!(read(&[(TOKEN, "t")]), Ok(Some(Credential::Bearer(_)))));
        assert!(matches!(read(&[(USERNAME, "u")]), Ok(Some(Credential::Basic { .. }))));
        for given in [&[(PASSWORD, "p")][..], &[(TOKEN, "t"), (USERNAME, "u")]] {
            assert_eq!(read(given).expect_err("contradicts itself"), ErrorKind::InvalidInput);
        }
    }
}
