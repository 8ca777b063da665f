//! A container that questions are put to.

use std::time::SystemTime;

use mlfetch_http::{Credential, HttpClient, HttpResponse};
use mlfetch_store::{Error, ErrorKind, Result, Secret, escape};

use crate::auth::{Auth, Chosen, Passed};
use crate::endpoint::Endpoint;
use crate::error::{Asked, Refusal};
use crate::request::{Call, Signing};

/// A container, and who asks.
#[derive(Debug)]
pub(crate) struct Container {
    /// `https://account.blob.core.windows.net/container/`, safe to show.
    pub(crate) root: String,
    http: HttpClient,
    endpoint: Endpoint,
    name: String,
    auth: Auth,
    passed: Passed,
    secrets: Vec<Secret>,
}

impl Container {
    pub(crate) fn new(http: HttpClient, chosen: Chosen, name: String) -> Self {
        let Chosen { endpoint, auth, passed } = chosen;
        let secrets = match &auth {
            Auth::Key(key) => vec![key.text().clone()],
            Auth::Sas(sas) => vec![sas.secret()],
            Auth::Entra(_) | Auth::Anonymous => Vec::new(),
        };
        let root = escape(format!("{}/{name}/", endpoint.base).as_bytes());
        let http = http.with_secrets(secrets);
        let secrets = http.secrets_with([]);
        Self { root, http, endpoint, name, auth, passed, secrets }
    }

    /// Whom the service sees, as far as that is no secret.
    pub(crate) fn identity(&self) -> Option<String> {
        match &self.auth {
            Auth::Key(key) => {
                Some(format!("key of the account {}", escape(key.account().as_bytes())))
            }
            Auth::Sas(sas) => {
                let allowed = sas.get("si").or_else(|| sas.get("sp")).unwrap_or_default();
                Some(format!("shared access signature ({})", escape(allowed.as_bytes())))
            }
            Auth::Entra(identity) => identity.name(),
            Auth::Anonymous => None,
        }
    }

    /// Asks once.
    ///
    /// # Errors
    /// What the service says, as a kind; `Unreachable`, `Tls` or `Network` if it says nothing;
    /// `Refused` for a redirect: the service has none.
    pub(crate) async fn ask(&self, call: &Call<'_>) -> Result<HttpResponse> {
        let token = self.token().await?;
        let signing = match &self.auth {
            Auth::Key(key) => Signing::Key(key),
            Auth::Sas(sas) => Signing::Sas(sas),
            Auth::Entra(_) | Auth::Anonymous => Signing::None,
        };
        let date = httpdate::fmt_http_date(SystemTime::now());
        let subject = call.subject(&self.root);
        let request = call.assemble(&self.endpoint, &self.name, signing, &date)?;
        let request = request
            .named(call.operation, subject.clone())
            .with_credential(token.clone().map(Credential::Bearer));
        let answer = self.http.send(request).await.map_err(|error| self.unreachable(error))?;
        let status = answer.status();
        let code = answer.headers().get("x-ms-error-code");
        let code = code.and_then(|code| code.to_str().ok()).map(str::to_owned);
        match answer.failure().await {
            Ok(answer) => Ok(answer),
            Err((plain, body)) => {
                let refusal = Refusal::read(status, code, &body);
                Err(self.refused(call, &subject, plain, &refusal, token))
            }
        }
    }

    async fn token(&self) -> Result<Option<Secret>> {
        let Auth::Entra(identity) = &self.auth else { return Ok(None) };
        if !self.endpoint.is_plain() {
            return identity.token().await;
        }
        // Whoever reads it on the way can ask with it.
        Err(Error::new(ErrorKind::Refused, "send a token to", self.root.clone())
            .with_message("it would go over plain HTTP, where anybody can read it")
            .with_hint("give an endpoint with `https://`, or an access key, which is not sent"))
    }

    fn refused(
        &self,
        call: &Call<'_>,
        subject: &str,
        plain: Error,
        refusal: &Refusal,
        token: Option<Secret>,
    ) -> Error {
        let is_somebody = match &self.auth {
            Auth::Key(_) | Auth::Sas(_) => true,
            Auth::Entra(_) | Auth::Anonymous => token.is_some(),
        };
        let passed = match &self.auth {
            Auth::Entra(identity) => self.passed.clone().and(identity.passed()),
            _ => self.passed.clone(),
        };
        let mut secrets = self.secrets.clone();
        secrets.extend(token);
        let asked = Asked {
            operation: call.operation,
            subject,
            root: &self.root,
            auth: &self.auth,
            is_somebody,
            passed: &passed.text(),
            secrets: &secrets,
        };
        refusal.explain(plain, &asked)
    }

    /// An account that does not exist has no address: there is nobody to say so.
    fn unreachable(&self, error: Error) -> Error {
        match (error.kind(), self.endpoint.cloud) {
            (ErrorKind::Unreachable, Some(_)) => error.with_hint(
                "check the name of the storage account: one that does not exist has no address",
            ),
            (ErrorKind::Unreachable, None) => error.with_hint(
                "check `azure-endpoint` or the connection string, and that the server runs",
            ),
            (ErrorKind::Tls, _) => error.with_hint(
                "give the server's certificate authority as a PEM file with `azure-ca-bundle`, or \
                 check the server's name",
            ),
            _ => error,
        }
    }
}
