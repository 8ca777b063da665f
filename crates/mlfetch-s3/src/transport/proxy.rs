//! The proxies that the environment names: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use mlfetch_store::{BoxError, Secret};
use tokio::net::TcpStream;
use tower_service::Service;

const VARIABLES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Which addresses are reached through a proxy.
#[derive(Debug)]
pub(super) struct Proxies(Option<Matcher>);

/// A host like any other, to ask what counts for most of them.
const ANY_HOST: [&str; 2] = ["http://host.invalid/", "https://host.invalid/"];

impl Proxies {
    pub(super) fn from_environment() -> Self {
        let any = VARIABLES.iter().any(|name| std::env::var_os(name).is_some());
        Self(any.then(Matcher::from_env))
    }

    /// What a proxy might echo and nobody may see: what signs in to it, and the password in that.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let Some(matcher) = &self.0 else { return Vec::new() };
        let proxies = ANY_HOST.into_iter().filter_map(|host| {
            let proxy = matcher.intercept(&Uri::from_static(host))?;
            proxy.basic_auth().and_then(|value| Some(value.to_str().ok()?.to_owned()))
        });
        proxies.flat_map(|value| secrets_of(&value)).collect()
    }

    /// What signs a plain request in to its proxy.
    pub(super) fn authorization(&self, target: &Uri) -> Option<HeaderValue> {
        let matcher = self.0.as_ref().filter(|_| target.scheme_str() == Some("http"))?;
        matcher.intercept(target)?.basic_auth().cloned()
    }
}

/// The login of a header `Basic …`, as it is and decoded.
fn secrets_of(header: &str) -> Vec<Secret> {
    let Some(login) = header.strip_prefix("Basic ") else { return Vec::new() };
    let decoded = STANDARD.decode(login).ok().and_then(|pair| String::from_utf8(pair).ok());
    let password = decoded.as_deref().and_then(|pair| pair.split_once(':')).map(|(_, it)| it);
    [Some(login), password].into_iter().flatten().map(Secret::new).collect()
}

/// Connects to a server, or to the proxy that stands before it.
#[derive(Debug, Clone)]
pub(super) struct ProxyConnector {
    direct: HttpConnector,
    proxies: Arc<Proxies>,
}

impl ProxyConnector {
    pub(super) fn new(direct: HttpConnector, proxies: Arc<Proxies>) -> Self {
        Self { direct, proxies }
    }
}

impl Service<Uri> for ProxyConnector {
    type Response = Stream;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Stream, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let mut direct = self.direct.clone();
        let proxy = self.proxies.0.as_ref().and_then(|matcher| matcher.intercept(&target));
        async move {
            let Some(proxy) = proxy else {
                return Ok(Stream { inner: direct.call(target).await?, to_proxy: false });
            };
            if target.scheme_str() != Some("https") {
                let inner = direct.call(proxy.uri().clone()).await?;
                return Ok(Stream { inner, to_proxy: true });
            }
            let mut tunnel = Tunnel::new(proxy.uri().clone(), direct);
            if let Some(value) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(value.clone());
            }
            Ok(Stream { inner: tunnel.call(target).await?, to_proxy: false })
        }
        .boxed()
    }
}

/// A connection to a server or, for plain requests, to a proxy that is told whole URLs.
#[derive(Debug)]
pub(super) struct Stream {
    inner: TokioIo<TcpStream>,
    to_proxy: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.inner.connected().proxy(self.to_proxy)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, buffers)
    }
}
