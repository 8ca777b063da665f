//! Our connections for what AWS's libraries ask on the way to credentials: STS, SSO, the metadata of
//! instances and containers. So there is one HTTP client, one TLS stack and one set of proxies.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use mlfetch_store::BoxError;

use super::{Tls, Transport};

/// The longest answer that is read, in bytes (`docs/concepts/limits.md`): credentials are short.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// An HTTP client for AWS's libraries.
#[derive(Debug, Clone)]
pub(crate) struct SdkHttp {
    tls: Tls,
    /// Made when it is first needed: most credentials come from a file or a variable.
    transport: Arc<OnceLock<Transport>>,
}

impl SdkHttp {
    pub(crate) fn new(tls: Tls) -> Self {
        Self { tls, transport: Arc::default() }
    }

    fn transport(&self) -> Result<Transport, ConnectorError> {
        if let Some(transport) = self.transport.get() {
            return Ok(transport.clone());
        }
        let made = Transport::new(&self.tls);
        let made = made.map_err(|error| ConnectorError::user(error.into()))?;
        Ok(self.transport.get_or_init(|| made).clone())
    }
}

impl HttpClient for SdkHttp {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let limits = [settings.connect_timeout(), settings.read_timeout()];
        let limit = limits.into_iter().flatten().reduce(Duration::saturating_add);
        SharedHttpConnector::new(Connector { http: self.clone(), limit })
    }
}

/// Sends with a limit on the time to an answer.
#[derive(Debug)]
struct Connector {
    http: SdkHttp,
    limit: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (http, limit) = (self.http.clone(), self.limit);
        HttpConnectorFuture::new(async move {
            let answer = send(http, request);
            match limit {
                None => answer.await,
                Some(limit) => tokio::time::timeout(limit, answer)
                    .await
                    .unwrap_or_else(|cause| Err(ConnectorError::timeout(cause.into()))),
            }
        })
    }
}

async fn send(http: SdkHttp, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let user = |cause: BoxError| ConnectorError::user(cause);
    let (head, body) = request.try_into_http1x().map_err(|cause| user(cause.into()))?.into_parts();
    let body = body.bytes().map(Bytes::copy_from_slice).unwrap_or_default();
    let request = http::Request::from_parts(head, Full::new(body));
    let answer = http.transport()?.send(request).await;
    let (head, body) = answer.map_err(|cause| ConnectorError::io(cause.into()))?.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(ConnectorError::io)?;
    let answer = http::Response::from_parts(head, SdkBody::from(body.to_bytes()));
    HttpResponse::try_from(answer).map_err(|cause| ConnectorError::other(cause.into(), None))
}
