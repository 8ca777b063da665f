//! Connections: kept, shared, over HTTP/1.1, which is all that S3 speaks. Nothing here follows a
//! redirect, decompresses, or asks twice.

mod proxy;
mod sdk;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use mlfetch_store::{Result, Secret};

use self::proxy::{Proxies, ProxyConnector};
pub(crate) use self::sdk::SdkHttp;
pub(crate) use self::tls::Tls;

/// The time to establish a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection waits for its next request. Amazon S3 closes one that waits longer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends requests. Cheap to clone: clones share the connections.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: Client<HttpsConnector<ProxyConnector>, Full<Bytes>>,
    proxies: Arc<Proxies>,
    secrets: Arc<[Secret]>,
}

impl Transport {
    /// Over TLS as `tls` says. Names are looked up once per connection, not per request.
    ///
    /// # Errors
    /// `InvalidInput` for a PEM file that cannot be read, `Tls` if TLS cannot be set up.
    pub(crate) fn new(tls: &Tls) -> Result<Self> {
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_nodelay(true);
        plain.set_keepalive(Some(Duration::from_secs(30)));
        plain.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let proxies = Arc::new(Proxies::from_environment());
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.config()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(ProxyConnector::new(plain, Arc::clone(&proxies)));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(connector);
        let secrets = proxies.secrets().into();
        Ok(Self { client, proxies, secrets })
    }

    /// What a proxy might echo and nobody may see.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// One request, one answer, whatever its status.
    pub(crate) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Error> {
        // Inside a tunnel a proxy sees no request; without one the request must sign in to it.
        if let Some(value) = self.proxies.authorization(request.uri()) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, value);
        }
        self.client.request(request).await
    }
}
