//! What the buckets of one server share: connections, who is asking, settings.

use std::sync::Arc;

use google_cloud_auth::credentials::Credentials;
use mlfetch_http::header::{HeaderMap, HeaderName, HeaderValue};
use mlfetch_http::{ClientConfig, HttpClient, HttpRequest, HttpResponse, Redirects, Url};
use mlfetch_store::{Error, ErrorKind, Result};

use crate::GcsConfig;
use crate::credentials::Identity;
use crate::error::{Asked, refused};
use crate::request::Call;

/// What the buckets of one server share.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) config: GcsConfig,
    http: HttpClient,
    server: String,
    pub(crate) identity: Identity,
}

impl Client {
    /// Finds out who is asking; may ask the metadata server for that.
    ///
    /// # Errors
    /// `InvalidInput` for a server, a PEM file or a file of credentials that is none.
    pub(crate) async fn load(config: GcsConfig, given: Option<&Credentials>) -> Result<Arc<Self>> {
        let server = config.server()?;
        let identity = Identity::find(&config, given).await?;
        if matches!(identity, Identity::Somebody(_)) {
            check_secure(&server)?;
        }
        let http = ClientConfig::new()
            .with_ca_bundle(config.ca_bundle.clone())
            .with_insecure_tls(config.insecure_tls);
        Ok(Arc::new(Self { http: HttpClient::new(&http)?, config, server, identity }))
    }

    /// The URL of the server, where it is not Google's.
    pub(crate) fn other_server(&self) -> Option<&str> {
        let is_other = self.config.endpoint.is_some() || self.config.emulator_host.is_some();
        is_other.then_some(self.server.as_str())
    }

    /// Asks, and makes an error of every answer that is no success.
    pub(crate) async fn ask(
        &self,
        call: Call<'_>,
        bucket: &str,
        root: &str,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Result<HttpResponse> {
        let user_project = self.config.user_project.as_deref();
        let call = call.query("userProject", user_project.map(Into::into));
        let url = call.url(&self.server, bucket)?;
        let credential = self.identity.credential().await?;
        let of_credential = credential.iter().flat_map(mlfetch_http::Credential::secrets);
        let secrets = self.http.secrets_with(of_credential);
        let subject = call.key.map_or_else(|| root.to_owned(), ToString::to_string);
        let mut request = HttpRequest::get(url)
            .with_credential(credential)
            // Where the JSON API sends somebody on, somebody else answers.
            .with_redirects(Redirects::Never)
            .named(call.operation, subject);
        request.headers = HeaderMap::from_iter(headers);
        let answer = self.http.send(request).await.map_err(|error| self.unreachable(error))?;
        let asked = Asked { operation: call.operation, root, secrets, identity: &self.identity };
        refused(answer, &asked).await
    }

    /// Nobody answered: whose name that was is not in the bucket's.
    fn unreachable(&self, error: Error) -> Error {
        match (error.kind(), self.other_server()) {
            (ErrorKind::Unreachable, Some(server)) => error.with_hint(format!(
                "check the address that `gcs-endpoint` or `gcs-emulator-host` gives, {server}, and \
                 that the server runs"
            )),
            (ErrorKind::Unreachable, None) => error.with_hint(format!(
                "check that this machine reaches {}, perhaps by a proxy in `HTTPS_PROXY`",
                self.server
            )),
            _ => error,
        }
    }
}

/// A token over plain HTTP is everybody's on the way. Only this machine is near enough.
fn check_secure(server: &str) -> Result<()> {
    let url = Url::parse(server).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let is_near = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if server.starts_with("https://") || is_near {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "send a token to", server)
        .with_message("it would go over plain HTTP")
        .with_hint("use `https://` in `gcs-endpoint`, or set `gcs-anonymous`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_https_or_not_at_all() {
        for near in ["https://h", "http://127.0.0.1:1", "http://localhost:4443", "http://[::1]:1"] {
            check_secure(near).expect("near enough");
        }
        for far in ["http://h", "http://127.0.0.1.example", "http://localhost.example:80"] {
            assert_eq!(check_secure(far).expect_err(far).kind(), ErrorKind::Refused);
        }
    }
}
