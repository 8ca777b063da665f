//! Asking a cluster: which NameNode, as whom, and where a redirect may lead.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::TryStreamExt as _;
use mlfetch_http::header::HeaderMap;
use mlfetch_http::{
    Credential, HttpClient, HttpRequest, HttpResponse, Method, Redirects, Sign, Url,
};
use mlfetch_store::{Error, ErrorKind, ObjectBody, Result, Secret};

use crate::answer::{success, target};
use crate::cluster::{Cluster, PREFIX};
use crate::config::WebHdfsConfig;
use crate::datanodes::{Failed, RedirectRule};
use crate::error::Refusal;
use crate::identity::{Identity, local_user};
use crate::kerberos::Kerberos;
use crate::request::Call;
use crate::token::DelegationToken;

/// A cluster, and who is asking.
#[derive(Debug)]
pub(crate) struct Session {
    client: HttpClient,
    pub(crate) cluster: Cluster,
    identity: Identity,
    kerberos: Kerberos,
    redirects: RedirectRule,
    /// The NameNode that answered last.
    active: AtomicUsize,
    failed: Arc<Failed>,
}

impl Session {
    pub(crate) fn new(cluster: Cluster, config: &WebHdfsConfig) -> Result<Self> {
        Ok(Self {
            client: HttpClient::new(&config.client())?,
            identity: identity(config, &cluster)?,
            kerberos: Kerberos::new(config),
            cluster,
            redirects: config.redirects.clone(),
            active: AtomicUsize::new(0),
            failed: Arc::default(),
        })
    }

    /// Asks a NameNode for something that it answers itself.
    pub(crate) async fn ask(&self, call: &Call, limit: usize) -> Result<Vec<u8>, Refusal> {
        let answer = self.ask_namenode(call).await?;
        let answer = success(answer, &self.secrets()).await?;
        Ok(answer.bytes(limit).await?.to_vec())
    }

    /// Asks for something that a DataNode answers.
    pub(crate) async fn ask_datanode(&self, call: &Call) -> Result<Answered, Refusal> {
        let answer = self.ask_namenode(call).await?;
        let Some(target) = target(&answer) else {
            // A gateway has the bytes itself.
            let answer = success(answer, &self.secrets()).await?;
            return Ok(Answered { answer, from: None });
        };
        let target = self.checked(call, answer.url(), target)?;
        let secrets = self.secrets_of(&target);
        let request = HttpRequest::get(target.clone())
            .with_redirects(Redirects::Reported)
            .with_credential(hidden(secrets.clone()))
            .named(call.verb, call.subject.clone());
        let answered = match self.client.send(request).await {
            Ok(answer) => success(answer, &secrets).await,
            Err(error) => Err(no_datanode(error, &target).into()),
        };
        if let Err(refusal) = &answered
            && refusal.error.retry() != mlfetch_store::Retry::Never
        {
            self.failed.add(&target);
        }
        Ok(Answered { answer: answered?, from: Some(target) })
    }

    /// The DataNodes to avoid, by the hosts' names that redirects have.
    pub(crate) fn avoided(&self) -> Vec<String> {
        self.failed.hosts()
    }

    /// Avoids none any more.
    pub(crate) fn avoid_none(&self) {
        self.failed.forget();
    }

    /// The body of an answer; when it breaks, its DataNode is avoided for a while.
    pub(crate) fn body(&self, answered: Answered) -> ObjectBody {
        let Answered { answer, from } = answered;
        let failed = Arc::clone(&self.failed);
        let body = answer.body().inspect_err(move |_| {
            if let Some(url) = &from {
                failed.add(url);
            }
        });
        Box::pin(body)
    }

    /// Asks the NameNode that answered last, and the others where it is on standby or gone. A
    /// redirect is an answer.
    async fn ask_namenode(&self, call: &Call) -> Result<HttpResponse, Refusal> {
        let count = self.cluster.servers.len();
        let first = self.active.load(Ordering::Relaxed);
        let mut last = None;
        for index in (0..count).map(|step| (first + step) % count) {
            match self.ask_one(&self.cluster.servers[index], call).await {
                Ok(answer) => {
                    self.active.store(index, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(refusal) if refusal.asks_for_another() => last = Some(refusal),
                Err(refusal) => return Err(refusal),
            }
        }
        Err(last.unwrap_or_else(|| call.error(ErrorKind::InvalidInput).into()))
    }

    /// A server that asks for a ticket is shown one, and from then on the token that it got.
    async fn ask_one(&self, server: &Url, call: &Call) -> Result<HttpResponse, Refusal> {
        let identity = self.identity();
        let refusal = match self.send(server, call, &identity).await {
            Err(refusal) => refusal,
            answer => return answer,
        };
        let stale = match (&identity, &self.identity) {
            (Identity::Named { .. }, _) if refusal.wants_ticket => None,
            (Identity::Token(ours), Identity::Named { .. })
                if refusal.is_stale_token() || refusal.wants_ticket =>
            {
                Some(ours)
            }
            _ => return Err(refusal),
        };
        let token = self.kerberos.sign_in(&self.client, server, stale).await?;
        self.send(server, call, &Identity::Token(token)).await
    }

    /// Who asks now: the token that a ticket got counts before a name.
    fn identity(&self) -> Identity {
        match (&self.identity, self.kerberos.token()) {
            (Identity::Named { .. }, Some(token)) => Identity::Token(token),
            (given, _) => given.clone(),
        }
    }

    async fn send(
        &self,
        server: &Url,
        call: &Call,
        identity: &Identity,
    ) -> Result<HttpResponse, Refusal> {
        let url = call.url(server, &identity.query())?;
        let secrets = self.client.secrets_with(identity.secrets());
        let request = HttpRequest::new(call.method.clone(), url)
            .with_redirects(Redirects::Reported)
            .with_credential(hidden(secrets.clone()))
            .named(call.verb, call.subject.clone());
        let answer = self.client.send(request).await.map_err(|error| named(error, server))?;
        if answer.status().is_redirection() {
            return Ok(answer);
        }
        success(answer, &secrets).await
    }

    /// The redirect's target, if the rule allows it.
    fn checked(&self, call: &Call, from: &Url, mut target: Url) -> Result<Url> {
        self.redirects.check(from, &target).map_err(|why| {
            let shown = format!("{}://{}", target.scheme(), target.host_str().unwrap_or("?"));
            let shown = mlfetch_store::escape(shown.as_bytes());
            call.error(ErrorKind::Refused)
                .with_message(format!("{why}: {shown}"))
                .with_hint("`datanode-hosts` names the hosts that have the blocks")
        })?;
        // Servers normalise the letters of a redirect's path, and then look for another file.
        if call.has_other_letters() && target.path().starts_with(PREFIX) {
            target.set_path(&format!("{PREFIX}{}", call.path));
        }
        Ok(target)
    }

    /// What a server might echo and nobody may see.
    fn secrets(&self) -> Vec<Secret> {
        self.client.secrets_with(self.identity().secrets())
    }

    /// What must not be shown of a redirect: the token that the NameNode put into it.
    fn secrets_of(&self, target: &Url) -> Vec<Secret> {
        let mut secrets = self.secrets();
        let given = target.query_pairs().filter(|(name, _)| name == "delegation");
        secrets.extend(given.map(|(_, value)| Secret::new(value.into_owned())));
        secrets
    }
}

/// An answer, and the DataNode that it came from.
pub(crate) struct Answered {
    pub(crate) answer: HttpResponse,
    from: Option<Url>,
}

/// Who asks: a token that is given, one of a file, or a name.
fn identity(config: &WebHdfsConfig, cluster: &Cluster) -> Result<Identity> {
    let token = match (&config.delegation_token, &config.token_file) {
        (Some(token), _) => DelegationToken::new(token.clone()),
        (None, Some(path)) => DelegationToken::from_file(path, &cluster.services)?,
        (None, None) => {
            let user = config.user.clone().or_else(local_user);
            return Ok(Identity::Named { user, proxy_for: config.proxy_user.clone() });
        }
    };
    if !cluster.is_known && !token.is_for(&cluster.services) {
        return Err(Error::new(ErrorKind::Refused, "open", cluster.root.clone())
            .with_message("nothing says that the delegation token is for this cluster")
            .with_hint("name the cluster: `webhdfs-address`, or `HADOOP_CONF_DIR`"));
    }
    Ok(Identity::Token(token))
}

fn no_datanode(error: Error, target: &Url) -> Error {
    let error = named(error, target);
    if error.kind() != ErrorKind::Unreachable {
        return error;
    }
    error.with_hint(
        "the NameNode sends us to this DataNode: it must be reachable from here by that name",
    )
}

/// Says which server it was that gave no answer, and which setting may be wrong.
fn named(error: Error, server: &Url) -> Error {
    let words = error.message().unwrap_or_default().to_owned();
    let hint = match error.kind() {
        ErrorKind::Tls if words.contains("certificate") => Some(
            "give the cluster's certificate authority as a PEM file with `webhdfs-ca-bundle`, or ask \
             for the server by the name in its certificate",
        ),
        ErrorKind::Network if words.contains("no HTTP") => Some(
            "the server may speak TLS there: ask for it with `swebhdfs://`, or `hdfs://` and \
             `webhdfs-tls`",
        ),
        ErrorKind::Unreachable | ErrorKind::Tls => None,
        _ => return error,
    };
    let port = server.port_or_known_default().unwrap_or_default();
    let address = format!("{}:{port}", server.host_str().unwrap_or_default());
    let shown = mlfetch_store::escape(address.as_bytes());
    let error = error.with_message(format!("{words} ({shown})"));
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Adds nothing to a request, and keeps secrets out of what its server echoes.
#[derive(Debug)]
struct Hidden(Vec<Secret>);

impl Sign for Hidden {
    fn sign(&self, _: &Method, _: &Url, _: &[u8]) -> Result<HeaderMap> {
        Ok(HeaderMap::new())
    }

    fn secrets(&self) -> Vec<Secret> {
        self.0.clone()
    }
}

fn hidden(secrets: Vec<Secret>) -> Credential {
    Credential::Signed(Arc::new(Hidden(secrets)))
}
