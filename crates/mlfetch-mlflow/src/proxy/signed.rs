//! Objects straight from the bucket, by URLs that the server signs.
//!
//! A signed URL is a credential for one object: it is kept here, never shown, and nothing else that
//! proves who we are is sent along with it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mlfetch_http::{HttpRequest, HttpResponse, Redirects, StatusCode};
use mlfetch_store::{Error, ErrorKind, Key, Object, ReadRequest, Result};
use tokio::sync::OnceCell;

use super::answer::{Tie, asking, object};
use super::error::{another, refuse_page, success};
use super::server::Server;
use super::signed_url::{SignedUrl, SignedUrls};
use super::wire::{Capabilities, Presigned, error_code};

/// MLflow 3.17 waits so long for the server's capabilities, and asks once.
const CAPABILITIES_WITHIN: Duration = Duration::from_secs(3);

/// The longest answer about capabilities or a URL, in bytes (`docs/concepts/limits.md`).
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why a signed read failed.
pub(super) enum Failure {
    /// This server, or this place in the network, has no signed URLs for us at all.
    NotOffered(Error),
    /// This object could not be read.
    Failed(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotOffered(error) | Failure::Failed(error) => error,
        }
    }
}

/// Whether URLs are offered, and those that are still good.
#[derive(Default)]
pub(super) struct Signed {
    offered: OnceCell<bool>,
    given_up: AtomicBool,
    urls: SignedUrls,
}

impl Signed {
    /// Whether the server keeps its artifacts in S3 and signs URLs. A server that does not say so in
    /// time does not (MLflow 3.17 and older).
    pub(super) async fn offered(&self, server: &Server) -> bool {
        *self.offered.get_or_init(|| capabilities(server)).await
    }

    /// Whether it is worth trying.
    pub(super) async fn wanted(&self, server: &Server) -> bool {
        !self.given_up.load(Ordering::Relaxed) && self.offered(server).await
    }

    /// What it is that makes it worth trying, or not.
    pub(super) fn why(&self) -> &'static str {
        match (self.offered.get(), self.given_up.load(Ordering::Relaxed)) {
            (Some(true), false) => "the server signs URLs for its bucket",
            (Some(true), true) => "the URLs that the server signs are of no use here",
            _ => "the server signs no URLs for its artifacts",
        }
    }

    /// It is not worth trying any more.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Reads an object by a signed URL; a URL that the bucket refuses is signed anew, once.
    pub(super) async fn read(
        &self,
        server: &Server,
        key: &Key,
        read: &ReadRequest,
    ) -> Result<Object, Failure> {
        let signed = match self.urls.kept(key) {
            Some(signed) => signed,
            None => self.sign(server, key).await?,
        };
        let mut size = signed.size;
        let mut response = fetch(server, key, read, signed).await?;
        if response.status() == StatusCode::FORBIDDEN {
            self.urls.forget(key);
            let fresh = self.sign(server, key).await?;
            size = fresh.size;
            response = fetch(server, key, read, fresh).await?;
        }
        Ok(object(key, read, bucket_success(response).await?, size)?)
    }

    async fn sign(&self, server: &Server, key: &Key) -> Result<SignedUrl, Failure> {
        let request = server.get(server.signing_url(key), "read", key);
        let response = server.send(request).await?;
        let status = response.status();
        if matches!(status.as_u16(), 404 | 405 | 501) {
            return Err(not_signed(response).await);
        }
        let response = success(response).await?;
        refuse_page(&response)?;
        let malformed = response.error(ErrorKind::Protocol);
        let body = response.bytes(MAX_ANSWER_BYTES).await?;
        // The cause would quote the answer, which holds the signature.
        let answer: Presigned = serde_json::from_slice(&body)
            .map_err(|_| malformed.with_message("the server's signed URL makes no sense"))?;
        let signed = SignedUrl::new(&server.config.address.artifacts, key, &answer)
            .map_err(Failure::NotOffered)?;
        self.urls.keep(key, &signed);
        Ok(signed)
    }
}

async fn capabilities(server: &Server) -> bool {
    let url = server.config.server_url("/api/3.0/mlflow/server-info");
    let asked = async {
        let request = server.get(url, "ask", &Key::root());
        let response = success(server.send(request).await?).await?;
        response.bytes(MAX_ANSWER_BYTES).await
    };
    let answer = tokio::time::timeout(CAPABILITIES_WITHIN, asked).await;
    let body = answer.ok().and_then(Result::ok).unwrap_or_default();
    let capabilities: Capabilities = serde_json::from_slice(&body).unwrap_or_default();
    capabilities.multipart_downloads_enabled
}

/// A missing object has MLflow's error code; a missing route has none.
async fn not_signed(response: HttpResponse) -> Failure {
    match response.failure().await {
        Err((error, body)) if error_code(&body) == "RESOURCE_DOES_NOT_EXIST" => {
            Failure::Failed(another(&error, ErrorKind::NotFound))
        }
        Err((error, _)) => Failure::NotOffered(
            another(&error, ErrorKind::Unsupported)
                .with_message("the server signs no URLs for its artifacts")
                .with_hint("use `--via proxy`, or `--via direct` where the files can be reached"),
        ),
        Ok(response) => Failure::Failed(response.error(ErrorKind::Protocol)),
    }
}

async fn fetch(
    server: &Server,
    key: &Key,
    read: &ReadRequest,
    signed: SignedUrl,
) -> Result<HttpResponse, Failure> {
    // Where the bucket may not be asked, the server is another way.
    server.config.client.permit(&signed.url).map_err(Failure::NotOffered)?;
    let mut request = HttpRequest::get(signed.url)
        .named("read", key.to_string())
        .with_redirects(Redirects::Never);
    request.headers = signed.headers;
    let sent = server.config.client.send(asking(request, read, Tie::ByServer)?).await;
    sent.map_err(|error| match error.kind() {
        ErrorKind::Unreachable | ErrorKind::Tls => {
            let message = "the bucket that the server's signed URL names cannot be reached";
            Failure::NotOffered(
                another(&error, error.kind())
                    .with_message(message)
                    .with_hint("use `--via proxy`")
                    .with_source(error),
            )
        }
        _ => Failure::Failed(error),
    })
}

/// A bucket's error without its words, which may repeat the signed request; only its code is shown.
async fn bucket_success(response: HttpResponse) -> Result<HttpResponse> {
    let status = response.status();
    if status == StatusCode::RANGE_NOT_SATISFIABLE {
        return Ok(response);
    }
    match response.failure().await {
        Ok(response) => Ok(response),
        Err((error, body)) => {
            let code = code_of(&body).map(|code| format!(" ({code})")).unwrap_or_default();
            Err(another(&error, error.kind())
                .with_message(format!("the bucket answered {status}{code}"))
                .with_retry(error.retry()))
        }
    }
}

/// S3's `<Code>`, if it is one word.
fn code_of(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let (code, _) = text.split_once("<Code>")?.1.split_once("</Code>")?;
    let word = code.len() <= 64 && code.chars().all(|next| next.is_ascii_alphanumeric());
    word.then(|| code.to_owned())
}

impl fmt::Debug for Signed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Signed")
            .field("offered", &self.offered.get())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_is_taken_for_the_code() {
        let of = |text: &str| code_of(text.as_bytes());
        assert_eq!(of("<Error><Code>AccessDenied</Code></Error>").as_deref(), Some("AccessDenied"));
        assert_eq!(of("<Code>a b</Code>"), None);
    }
}
