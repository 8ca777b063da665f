//! The order in which Entra ID is asked for a token, which is that of Microsoft's own libraries.

use std::error::Error as StdError;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{Secret as AzureSecret, TokenCredential};
use azure_core::http::{ClientOptions, RetryOptions, Transport};
use azure_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use mlfetch_http::{HttpClient, Url};
use mlfetch_store::{Error, ErrorKind, Result, SafeText, Secret};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::certificate::{Certificate, token_url};
use super::kept::Kept;
use super::transport::TokenHttp;
use crate::auth::Passed;
use crate::config::IdentityConfig;

/// What tokens are asked for, in every cloud.
const SCOPE: &str = "https://storage.azure.com/.default";

/// How long a machine or a program is waited for that may not be there.
const PATIENCE: Duration = Duration::from_secs(15);

/// The connections of the credentials.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) entra: HttpClient,
    /// Where a machine has no metadata service, nobody answers: this one gives up sooner.
    pub(crate) metadata: HttpClient,
}

/// Whoever Entra ID knows this machine, process or user as.
#[derive(Debug)]
pub(crate) struct Identity {
    candidates: Vec<Candidate>,
    passed: Passed,
    secrets: Vec<Secret>,
    client_id: Option<String>,
    /// The index of the first that gave a token; why there is none, if none did.
    found: OnceCell<Result<usize, Passed>>,
}

#[derive(Debug)]
struct Candidate {
    name: &'static str,
    credential: Arc<dyn TokenCredential>,
    /// Somebody set it up: if it fails, that is the news, and the next is not asked.
    is_meant: bool,
}

/// The outcome of a try.
type Prepared = azure_core::Result<Arc<dyn TokenCredential>>;

impl Identity {
    /// Nobody at all, for tests of what comes before.
    #[cfg(test)]
    pub(crate) fn nobody(config: &IdentityConfig) -> Self {
        Self::empty(config)
    }

    fn empty(config: &IdentityConfig) -> Self {
        Self {
            candidates: Vec::new(),
            passed: Passed::default(),
            secrets: config.client_secret.iter().cloned().collect(),
            client_id: config.client_id.clone(),
            found: OnceCell::new(),
        }
    }

    /// What `config` sets up, then what may be there. Asks nobody.
    pub(crate) fn new(
        config: &IdentityConfig,
        cloud: Option<&str>,
        connections: &Connections,
    ) -> Self {
        let authority = authority(config, cloud);
        let entra = || client_options(&authority, connections.entra.clone(), None);
        let mut identity = Self::empty(config);
        identity.add_meant("service principal with a secret", by_secret(config, entra()));
        identity.add_meant(
            "service principal with a certificate",
            by_certificate(config, &authority, entra()),
        );
        identity.add_meant("workload identity", by_federation(config, entra()));
        let beside = config.metadata_host.as_deref().and_then(|url| Url::parse(url).ok());
        let beside = client_options(&authority, connections.metadata.clone(), beside);
        identity.add("managed identity", managed(config, beside));
        identity
            .add("Azure CLI (`az login`)", AzureCliCredential::new(None).map(|one| kept(one as _)));
        identity.add(
            "Azure Developer CLI (`azd auth login`)",
            AzureDeveloperCliCredential::new(None).map(|one| kept(one as _)),
        );
        identity
    }

    fn add_meant(&mut self, name: &'static str, prepared: Result<Prepared, String>) {
        match prepared {
            Err(why) => self.passed.add(name, why),
            Ok(Ok(credential)) => {
                self.candidates.push(Candidate { name, credential, is_meant: true });
            }
            Ok(Err(cause)) => self.pass(name, &cause),
        }
    }

    fn add(&mut self, name: &'static str, prepared: Prepared) {
        match prepared {
            Ok(credential) => self.candidates.push(Candidate { name, credential, is_meant: false }),
            Err(cause) => self.pass(name, &cause),
        }
    }

    fn pass(&mut self, name: &'static str, cause: &azure_core::Error) {
        let words = self.words(cause);
        self.passed.add(name, words);
    }

    /// A token that is good now; it is kept and renewed before it expires. `None` if nobody is there
    /// to give one, and why stands in [`passed`](Self::passed).
    ///
    /// # Errors
    /// `Unauthenticated` if a credential that somebody set up is refused; the kinds of reaching a
    /// server if Entra ID cannot be asked.
    pub(crate) async fn token(&self) -> Result<Option<Secret>> {
        let found = self.found.get_or_try_init(|| self.first()).await?;
        let Ok(index) = found else { return Ok(None) };
        let candidate = &self.candidates[*index];
        let token = candidate.credential.get_token(&[SCOPE], None).await;
        let token = token.map_err(|cause| self.refused(candidate, &cause))?;
        Ok(Some(Secret::new(token.token.secret())))
    }

    /// Who was found, once somebody was: the kind of credential, and the client where one was named.
    pub(crate) fn name(&self) -> Option<String> {
        let index = self.found.get()?.as_ref().ok()?;
        let candidate = &self.candidates[*index];
        let client = self.client_id.as_ref().filter(|_| candidate.is_meant);
        let name = candidate.name.to_owned();
        Some(client.map_or(name.clone(), |client| {
            format!("{name} ({})", mlfetch_store::escape(client.as_bytes()))
        }))
    }

    /// What was passed over, as far as it was tried.
    pub(crate) fn passed(&self) -> &Passed {
        match self.found.get() {
            Some(Err(passed)) => passed,
            _ => &self.passed,
        }
    }

    async fn first(&self) -> Result<Result<usize, Passed>> {
        let mut passed = self.passed.clone();
        for (index, candidate) in self.candidates.iter().enumerate() {
            let token = timeout(PATIENCE, candidate.credential.get_token(&[SCOPE], None)).await;
            match token {
                Ok(Ok(_)) => return Ok(Ok(index)),
                Ok(Err(cause)) if candidate.is_meant => {
                    return Err(self.refused(candidate, &cause));
                }
                Ok(Err(cause)) => passed.add(candidate.name, self.words(&cause)),
                Err(_) => passed.add(candidate.name, "no answer in time"),
            }
        }
        Ok(Err(passed))
    }

    fn refused(&self, candidate: &Candidate, cause: &azure_core::Error) -> Error {
        let words = self.words(cause);
        let reached = find_our_error(cause).map(|ours| (ours.kind(), ours.retry()));
        match reached {
            Some((kind, retry)) => {
                Error::new(kind, "sign in as", candidate.name).with_retry(retry).with_message(words)
            }
            None => Error::new(ErrorKind::Unauthenticated, "sign in as", candidate.name)
                .with_message(words)
                .with_hint(
                    "check AZURE_TENANT_ID, AZURE_CLIENT_ID and what proves them: \
                     AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH or \
                     AZURE_FEDERATED_TOKEN_FILE",
                ),
        }
    }

    /// What a library says, without its own name before and a link behind.
    fn words(&self, cause: &azure_core::Error) -> String {
        let text = cause.to_string();
        let text = text.split("\nTo troubleshoot").next().unwrap_or_default();
        let text = text.split_once("authentication failed.").map_or(text, |(_, rest)| rest);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        SafeText::new(text.as_bytes(), self.secrets.iter().map(Secret::expose)).to_string()
    }
}

fn find_our_error(cause: &azure_core::Error) -> Option<&Error> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(cause);
    while let Some(error) = next {
        if let Some(ours) = error.downcast_ref::<Error>() {
            return Some(ours);
        }
        next = error.source();
    }
    None
}

/// The URL of Entra ID.
fn authority(config: &IdentityConfig, cloud: Option<&str>) -> String {
    if let Some(named) = &config.authority_host {
        return named.trim_end_matches('/').to_owned();
    }
    let host = match cloud {
        Some("core.chinacloudapi.cn") => "login.chinacloudapi.cn",
        Some("core.usgovcloudapi.net") => "login.microsoftonline.us",
        _ => "login.microsoftonline.com",
    };
    format!("https://{host}")
}

fn kept(program: Arc<dyn TokenCredential>) -> Arc<dyn TokenCredential> {
    Arc::new(Kept::new(program))
}

fn client_options(authority: &str, http: HttpClient, metadata_host: Option<Url>) -> ClientOptions {
    let mut cloud = CustomConfiguration::default();
    authority.clone_into(&mut cloud.authority_host);
    ClientOptions {
        transport: Some(Transport::new(Arc::new(TokenHttp { http, metadata_host }))),
        retry: RetryOptions::none(),
        cloud: Some(Arc::new(cloud.into())),
        ..ClientOptions::default()
    }
}

/// Tenant and client of a service principal or workload.
fn who(config: &IdentityConfig) -> Result<(&str, &str), String> {
    let set = |value: &'static str| format!("{value} is not set");
    let tenant = config.tenant_id.as_deref().ok_or_else(|| set("AZURE_TENANT_ID"))?;
    let client = config.client_id.as_deref().ok_or_else(|| set("AZURE_CLIENT_ID"))?;
    Ok((tenant, client))
}

fn by_secret(config: &IdentityConfig, options: ClientOptions) -> Result<Prepared, String> {
    let secret = config.client_secret.as_ref().ok_or("AZURE_CLIENT_SECRET is not set")?;
    let (tenant, client) = who(config)?;
    let secret = AzureSecret::new(secret.expose().to_owned());
    let options = ClientSecretCredentialOptions { client_options: options };
    let made = ClientSecretCredential::new(tenant, client.to_owned(), secret, Some(options));
    Ok(made.map(|one| one as _))
}

fn by_certificate(
    config: &IdentityConfig,
    authority: &str,
    options: ClientOptions,
) -> Result<Prepared, String> {
    let path = config.client_certificate.as_deref();
    let path: &Path = path.ok_or("AZURE_CLIENT_CERTIFICATE_PATH is not set")?;
    let (tenant, client) = who(config)?;
    let certificate = Certificate::read(path, client, token_url(authority, tenant))?;
    let (tenant, client) = (tenant.to_owned(), client.to_owned());
    let options = ClientAssertionCredentialOptions { client_options: options };
    let made = ClientAssertionCredential::new(tenant, client, certificate, Some(options));
    Ok(made.map(|one| one as _))
}

fn by_federation(config: &IdentityConfig, options: ClientOptions) -> Result<Prepared, String> {
    let file = config.federated_token_file.clone();
    let file = file.ok_or("AZURE_FEDERATED_TOKEN_FILE is not set")?;
    let (tenant, client) = who(config)?;
    let options = WorkloadIdentityCredentialOptions {
        credential_options: ClientAssertionCredentialOptions { client_options: options },
        client_id: Some(client.to_owned()),
        tenant_id: Some(tenant.to_owned()),
        token_file_path: Some(file),
    };
    Ok(WorkloadIdentityCredential::new(Some(options)).map(|one| one as _))
}

fn managed(config: &IdentityConfig, options: ClientOptions) -> Prepared {
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: config.client_id.clone().map(UserAssignedId::ClientId),
        client_options: options,
    };
    ManagedIdentityCredential::new(Some(options)).map(|one| one as _)
}
