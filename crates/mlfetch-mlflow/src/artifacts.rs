//! What opens artifacts that a tracking server gives out, and every other `http:` location.

use std::sync::Arc;

use async_trait::async_trait;
use mlfetch_http::{Credential, HttpBackend, HttpClient, Url};
use mlfetch_store::{
    Backend, Error, ErrorKind, Key, Location, Opened, OptionSpec, Options, Result, Secret,
};
use percent_encoding::percent_decode_str;

use crate::{
    HttpSettings, ModelFiles, ProxyAddress, ProxyConfig, ProxyStore, Stores, TrackingClient,
    Transfer, proxy_base, proxy_of_url,
};

/// Names the files of one run, given out by the server's `get-artifact` route: `get-artifact:/<id>`.
/// Only resolution makes such a location; the name is that of MLflow's route.
pub(crate) const RUN_FILES_SCHEME: &str = "get-artifact";

/// The way to bytes that lie behind a tracking server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Via {
    /// Straight from where a rewrite rule says, else by signed URLs where the server has them, else
    /// through the server.
    #[default]
    Auto,
    /// Only straight from where the bytes lie; the server is asked for none.
    Direct,
    /// Only by URLs that the server signs.
    Presigned,
    /// Only through the server.
    Proxy,
}

impl Via {
    /// Whether a rule that maps `mlflow-artifacts:` to another root counts.
    pub fn follows_rewrites(self) -> bool {
        matches!(self, Self::Auto | Self::Direct)
    }

    fn transfer(self) -> Transfer {
        match self {
            Self::Auto | Self::Direct => Transfer::Auto,
            Self::Presigned => Transfer::Presigned,
            Self::Proxy => Transfer::Proxy,
        }
    }
}

/// Opens `mlflow-artifacts:` locations, the same as whole URLs, and all other `http:` and `https:`
/// locations as [`HttpBackend`] does.
#[derive(Debug)]
pub struct ArtifactsBackend {
    stores: Arc<Stores>,
    via: Via,
    http: HttpBackend,
}

impl ArtifactsBackend {
    /// Artifacts of the tracking server of `stores`, fetched this way.
    pub fn new(stores: Arc<Stores>, via: Via) -> Self {
        let http = HttpBackend::new().with_gate(stores.settings().gate.clone());
        Self { stores, via, http }
    }

    /// The tracking server's client, if the tracking store is a server.
    async fn server(&self) -> Result<Option<&TrackingClient>> {
        Ok(self.stores.tracking().await?.server())
    }

    async fn artifacts(&self, location: &Location) -> Result<Opened> {
        let address = proxy_base(&self.stores.settings().tracking_uri, location.as_str())?;
        self.proxy(location, address, None).await
    }

    async fn run_files(&self, location: &Location) -> Result<Opened> {
        let run_id = location.path().trim_start_matches('/').to_owned();
        let mut address = proxy_base(&self.stores.settings().tracking_uri, "mlflow-artifacts:/")?;
        address.key = Key::root();
        let config = self.config(address, None).await?.with_run(run_id);
        Ok(Opened::new(Arc::new(ProxyStore::open(config)), Key::root()))
    }

    async fn url(&self, location: &Location, options: &Options) -> Result<Opened> {
        let Ok(url) = Url::parse(location.as_str()) else {
            return self.http.open(location, options).await;
        };
        let tracking = Url::parse(&self.stores.settings().tracking_uri).ok();
        match proxy_of_url(&url, tracking.as_ref()) {
            Some(address) => self.proxy(location, address, own_credential(&url)).await,
            None => self.http.open(location, options).await,
        }
    }

    /// A proxy has several URLs, `?path=` besides, and names with and without its host: what holds for
    /// one of them holds for all.
    fn permit(&self, address: &ProxyAddress) -> Result<()> {
        let Some(gate) = &self.stores.settings().gate else { return Ok(()) };
        let server = address.server();
        let canonical = proxy_base(server.as_str(), "mlflow-artifacts:/")?;
        gate.permit(&Location::parse(canonical.artifacts.as_str())?, &address.key)?;
        let host = server.host_str().filter(|_| !address.same_origin);
        let port = server.port().map(|port| format!(":{port}")).unwrap_or_default();
        let authority = host.map(|host| format!("//{host}{port}")).unwrap_or_default();
        gate.permit(&Location::parse(format!("mlflow-artifacts:{authority}/"))?, &address.key)
    }

    async fn proxy(
        &self,
        location: &Location,
        address: ProxyAddress,
        own: Option<Credential>,
    ) -> Result<Opened> {
        if self.via == Via::Direct {
            return Err(not_direct(location));
        }
        self.permit(&address)?;
        let key = address.key.clone();
        let model = model_files(&key);
        let config = self.config(address, own).await?.with_model(model);
        Ok(Opened::new(Arc::new(ProxyStore::open(config)), key))
    }

    async fn config(
        &self,
        mut address: ProxyAddress,
        own: Option<Credential>,
    ) -> Result<ProxyConfig> {
        let transfer = self.via.transfer();
        let server = if address.same_origin { self.server().await? } else { None };
        if let (Some(server), None) = (server, &own) {
            let credential = server.credential().cloned();
            return Ok(ProxyConfig::new(address, server.http().clone())
                .with_credential(credential)
                .with_headers(server.headers())
                .with_transfer(transfer));
        }
        // User and password in a URL belong to that URL's origin.
        address.same_origin = own.is_some();
        let (settings, environment) = (self.stores.settings(), self.stores.environment());
        let client = HttpSettings::from_environment(settings, environment)?.client;
        let config = ProxyConfig::new(address, HttpClient::new(&client)?);
        Ok(config.with_credential(own).with_transfer(transfer))
    }
}

#[async_trait]
impl Backend for ArtifactsBackend {
    fn name(&self) -> &'static str {
        "mlflow-artifacts"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["mlflow-artifacts", "http", "https", RUN_FILES_SCHEME]
    }

    fn options(&self) -> &'static [OptionSpec] {
        self.http.options()
    }

    async fn open(&self, location: &Location, options: &Options) -> Result<Opened> {
        match location.scheme() {
            "http" | "https" => self.url(location, options).await,
            RUN_FILES_SCHEME => self.run_files(location).await,
            _ => self.artifacts(location).await,
        }
    }
}

fn not_direct(location: &Location) -> Error {
    Error::new(ErrorKind::Refused, "fetch", location.to_string())
        .with_message("only the tracking server has it, and `--via direct` asks it for no bytes")
        .with_hint(
            "say where the server keeps it with --rewrite mlflow-artifacts:/=s3://BUCKET/PREFIX, \
             or leave --via out",
        )
}

/// User and password of a URL, decoded.
fn own_credential(url: &Url) -> Option<Credential> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let password = url.password()?;
    Some(Credential::Basic {
        username: decoded(url.username()),
        password: Secret::new(decoded(password)),
    })
}

/// The logged model whose files these are. MLflow 3.17 puts them at
/// `<experiment>/models/m-<32 hexadecimal digits>/artifacts`, below a prefix of the server's choice.
fn model_files(key: &Key) -> Option<ModelFiles> {
    let text = key.to_str().ok()?;
    let segments: Vec<&str> = text.split('/').collect();
    let at = segments.windows(3).position(|three| {
        three[0] == "models" && is_model_id(three[1]) && three[2] == "artifacts"
    })?;
    let root = segments[..at + 3].join("/");
    Some(ModelFiles::new(segments[at + 1], &Key::from(root)))
}

/// The form of the IDs that MLflow 3 gives to logged models.
pub(crate) fn is_model_id(text: &str) -> bool {
    let hex = |digits: &str| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    text.strip_prefix("m-").is_some_and(hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Environment, Settings};

    fn backend(tracking_uri: &str, via: Via) -> ArtifactsBackend {
        let environment = Environment::new("/nowhere").with_variable("MLFLOW_TRACKING_TOKEN", "t");
        let settings = Settings::new(Some(tracking_uri), None, &environment);
        ArtifactsBackend::new(Arc::new(Stores::new(settings, environment)), via)
    }

    async fn open(tracking_uri: &str, via: Via, uri: &str) -> Result<Opened> {
        let location = Location::parse(uri).expect(uri);
        backend(tracking_uri, via).open(&location, &Options::new()).await
    }

    #[tokio::test]
    async fn each_form_is_opened_as_what_it_is() {
        let api = "api/2.0/mlflow-artifacts/artifacts";
        let rows = [
            ("mlflow-artifacts:/1/x".to_owned(), "mlflow-artifacts", "1/x"),
            (format!("http://server/{api}/1/a%20b"), "mlflow-artifacts", "1/a b"),
            (format!("http://other/{api}/1/x"), "mlflow-artifacts", "1/x"),
            ("http://server/files/x".to_owned(), "http", "x"),
            ("get-artifact:/abc".to_owned(), "mlflow-artifacts", ""),
        ];
        for (uri, name, key) in rows {
            let opened = open("http://server", Via::Auto, &uri).await.expect(&uri);
            assert_eq!(opened.store.info().backend, name, "{uri}");
            assert_eq!(opened.key, Key::from(key), "{uri}");
        }
    }

    #[tokio::test]
    async fn the_token_goes_to_the_tracking_server_only() {
        let token = |config: ProxyConfig| config.credential.is_some();
        let backend = backend("http://server", Via::Auto);
        for (host, expected) in [("server", true), ("other", false), ("u:p@other", true)] {
            let url = format!("http://{host}/api/2.0/mlflow-artifacts/artifacts/x");
            let url = Url::parse(&url).expect("a URL");
            let tracking = Url::parse("http://server").ok();
            let address = proxy_of_url(&url, tracking.as_ref()).expect("a proxy");
            let config = backend.config(address, own_credential(&url)).await.expect("a config");
            assert_eq!(token(config), expected, "{host}");
        }
    }

    #[tokio::test]
    async fn direct_asks_the_server_for_nothing() {
        let error = open("http://server", Via::Direct, "mlflow-artifacts:/1/x").await;
        let error = error.expect_err("no other way");
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.hint().is_some_and(|hint| hint.contains("--rewrite")));
    }

    #[test]
    fn a_logged_models_files_are_recognised() {
        let id = "m-0123456789abcdef0123456789abcdef";
        let found = model_files(&Key::from(format!("p/1/models/{id}/artifacts/MLmodel")));
        let found = found.expect("a model");
        assert_eq!(found.model_id, id);
        assert_eq!(found.root, Key::from(format!("p/1/models/{id}/artifacts/")));
        assert!(model_files(&Key::from("1/models/m-1/artifacts")).is_none());
    }
}
