//! A bucket that questions are put to: it knows where it is, and whom they are signed by.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use http::{Response, StatusCode};
use hyper::body::Incoming;
use mlfetch_store::{Error, ErrorKind, Result, Secret, escape};

use crate::answer::{Answer, bytes_of_error};
use crate::client::Client;
use crate::clock::timestamp;
use crate::credentials::Keys;
use crate::endpoint::{Endpoint, Route};
use crate::error::{Asked, Refusal, unanswered};
use crate::request::{Call, Signing};
use crate::session::Session;
use crate::sign::Signer;
use crate::wire;

/// The longest answer about a session that is read, in bytes (`docs/concepts/limits.md`).
const MAX_SESSION_BYTES: usize = 64 * 1024;

/// A bucket, and what was learned of it.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// `s3://bucket/`, safe to show.
    pub(crate) root: String,
    client: Arc<Client>,
    route: Route,
    endpoint: RwLock<Arc<Endpoint>>,
    signer: RwLock<Option<Arc<Signer>>>,
    session: Session,
}

/// An answer, or a refusal of what it was asked with.
type Reply = Result<Answer, (Refusal, Used)>;

/// With what a question was asked.
struct Used {
    endpoint: Arc<Endpoint>,
    keys: Option<Arc<Keys>>,
}

impl Bucket {
    /// Finds out where a bucket is, as far as that needs no server.
    ///
    /// # Errors
    /// As [`Route::endpoint`].
    pub(crate) async fn new(client: Arc<Client>, name: &str) -> Result<Self> {
        let route = client.route(name);
        let endpoint = RwLock::new(Arc::new(route.endpoint(&client.region).await?));
        let root = format!("s3://{}/", escape(name.as_bytes()));
        let (signer, session) = (RwLock::default(), Session::default());
        Ok(Self { root, client, route, endpoint, signer, session })
    }

    /// The URL of the server, with what stands before the keys, where it is not Amazon's.
    pub(crate) fn server(&self) -> Option<String> {
        self.route.endpoint_url.as_ref()?;
        let endpoint = self.endpoint.read().unwrap_or_else(PoisonError::into_inner);
        Some(format!("{}{}", endpoint.base, endpoint.path))
    }

    /// The ID of the access key that signs.
    pub(crate) fn key_id(&self) -> Option<String> {
        self.client.ring.id()
    }

    /// Asks once. A refusal that says in which region the bucket is, or that the keys have expired,
    /// is no answer yet: the question is then put there, or with the new keys, one time.
    ///
    /// # Errors
    /// What the server says, as a kind; `Unreachable`, `Tls` or `Network` if it says nothing.
    pub(crate) async fn ask(&self, call: &Call<'_>) -> Result<Answer> {
        let (refusal, used) = match self.ask_with_current(call).await? {
            Ok(answer) => return Ok(answer),
            Err(refused) => refused,
        };
        if !self.learn(&refusal, &used).await? {
            return Err(self.refused(call, refusal, &used));
        }
        match self.ask_with_current(call).await? {
            Ok(answer) => Ok(answer),
            Err((refusal, used)) => Err(self.refused(call, refusal, &used)),
        }
    }

    async fn ask_with_current(&self, call: &Call<'_>) -> Result<Reply> {
        let endpoint = self.endpoint();
        let keys = if endpoint.session {
            Some(self.session.keys(|| self.open_session(&endpoint)).await?)
        } else {
            self.client.ring.keys().await?
        };
        self.ask_with(call, Used { endpoint, keys }).await
    }

    async fn ask_with(&self, call: &Call<'_>, used: Used) -> Result<Reply> {
        let (head, body) = self.send(call, &used).await?.into_parts();
        if head.status.is_success() {
            return Ok(Ok(Answer { head, body }));
        }
        let body = bytes_of_error(body).await;
        Ok(Err((Refusal::read(head.status, &head.headers, &body), used)))
    }

    async fn send(&self, call: &Call<'_>, used: &Used) -> Result<Response<Incoming>> {
        let now = timestamp(SystemTime::now());
        let signer = used
            .keys
            .as_ref()
            .map(|keys| self.signer(keys, &now[..8], &used.endpoint))
            .transpose()?;
        let signing = signer.as_deref().zip(used.keys.as_deref());
        let signing = signing.map(|(signer, keys)| Signing { signer, keys, timestamp: &now });
        let request = call.assemble(&used.endpoint, signing)?;
        self.client.transport.send(request).await.map_err(|cause| {
            let subject = call.subject();
            unanswered(&self.asked(call, subject.as_deref(), &[], true), &used.endpoint.base, cause)
        })
    }

    /// The keys of a directory bucket's session are asked for with the keys of the chain.
    async fn open_session(&self, endpoint: &Endpoint) -> Result<Arc<Keys>> {
        let call = self
            .call(Call::of_bucket("open a session with"))?
            .query("session", Cow::from(""))
            .header("x-amz-create-session-mode", Some("ReadOnly"))?;
        let endpoint = Arc::new(Endpoint { session: false, ..endpoint.clone() });
        let used = Used { endpoint, keys: self.client.ring.keys().await? };
        let answer = match self.ask_with(&call, used).await? {
            Ok(answer) => answer.bytes(MAX_SESSION_BYTES, &self.root).await?,
            Err((refusal, used)) => return Err(self.refused(&call, refusal, &used)),
        };
        let given = wire::session(&answer);
        let given =
            given.ok_or_else(|| Error::new(ErrorKind::Protocol, call.operation, &self.root))?;
        Ok(Arc::new(given))
    }

    /// The settings that go with every question.
    ///
    /// # Errors
    /// `InvalidInput` for an account that a header cannot carry.
    pub(crate) fn call<'a>(&self, call: Call<'a>) -> Result<Call<'a>> {
        let config = &self.client.config;
        call.header("x-amz-request-payer", config.request_payer.then_some("requester"))?
            .header("x-amz-expected-bucket-owner", config.expected_bucket_owner.as_deref())
    }

    /// Whether something was learned that makes another answer likely.
    async fn learn(&self, refusal: &Refusal, used: &Used) -> Result<bool> {
        if let Some(region) = &refusal.region
            && !used.endpoint.scope.is_region(region)
            && speaks_of_regions(refusal)
        {
            let endpoint = Arc::new(self.route.endpoint(region).await?);
            // An access point's ARN names its region: another one changes nothing.
            let another = endpoint != used.endpoint;
            *self.endpoint.write().unwrap_or_else(PoisonError::into_inner) = endpoint;
            return Ok(another);
        }
        match &used.keys {
            Some(keys) if refusal.is_expired() && used.endpoint.session => {
                self.session.forget(keys);
                Ok(true)
            }
            Some(keys) if refusal.is_expired() => Ok(self.client.ring.replace(keys).await),
            _ => Ok(false),
        }
    }

    fn refused(&self, call: &Call<'_>, refusal: Refusal, used: &Used) -> Error {
        let subject = call.subject();
        let of_proxies = self.client.transport.secrets().iter().map(Secret::expose);
        let of_keys = used.keys.iter().flat_map(|keys| keys.secrets());
        let secrets: Vec<&str> = of_keys.chain(of_proxies).collect();
        refusal.into_error(&self.asked(call, subject.as_deref(), &secrets, used.keys.is_some()))
    }

    fn asked<'a>(
        &'a self,
        call: &Call<'_>,
        subject: Option<&'a str>,
        secrets: &'a [&'a str],
        signed: bool,
    ) -> Asked<'a> {
        let subject = subject.unwrap_or(&self.root);
        Asked { operation: call.operation, subject, root: &self.root, secrets, signed }
    }

    fn endpoint(&self) -> Arc<Endpoint> {
        Arc::clone(&self.endpoint.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The signer of the day, kept.
    fn signer(&self, keys: &Arc<Keys>, day: &str, endpoint: &Endpoint) -> Result<Arc<Signer>> {
        let (scope, service) = (&endpoint.scope, &endpoint.service);
        let kept = self.signer.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(signer) = kept.filter(|signer| signer.is_for(keys, day, scope, service)) {
            return Ok(signer);
        }
        let signer = Arc::new(Signer::new(Arc::clone(keys), day, scope, service)?);
        *self.signer.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&signer));
        Ok(signer)
    }
}

/// Whether a refusal may be one for asking in the wrong region. Many others name the region too.
fn speaks_of_regions(refusal: &Refusal) -> bool {
    refusal.status.is_redirection()
        || refusal.status == StatusCode::BAD_REQUEST
            && matches!(
                refusal.code(),
                // An answer to HEAD has no code.
                "" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"
            )
}
