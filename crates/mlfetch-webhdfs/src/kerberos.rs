//! Signing in by a Kerberos ticket, once for a long run: the ticket gets a delegation token, and the
//! token is given back in the end.

use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlfetch_gssapi::{ErrorKind as TicketError, Gssapi, Identity as Who};
use mlfetch_http::header::{AUTHORIZATION, COOKIE, HeaderValue, SET_COOKIE};
use mlfetch_http::{ClientConfig, HttpClient, HttpRequest, HttpResponse, Method, Redirects, Url};
use mlfetch_store::{Error, ErrorKind, Result, Secret};
use tokio::sync::Mutex;

use crate::answer::success;
use crate::config::WebHdfsConfig;
use crate::encode;
use crate::error::Refusal;
use crate::token::DelegationToken;
use crate::wire;

/// How long the end of a run waits for a token to be given back. It would expire by itself.
const CANCEL_WITHIN: Duration = Duration::from_secs(2);

/// The longest answer with a token, in bytes (`docs/concepts/limits.md`).
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// The cookie by which Hadoop knows again who has shown a ticket.
const COOKIE_NAME: &str = "hadoop.auth=";

/// Who signs in where a server asks for a ticket, and what came of it.
#[derive(Debug)]
pub(crate) struct Kerberos {
    who: Who,
    proxy_for: Option<String>,
    connect: ClientConfig,
    /// One at a time: thousands of reads that begin together need one ticket.
    turn: Mutex<()>,
    signed_in: StdMutex<Option<SignedIn>>,
}

#[derive(Debug, Clone)]
struct SignedIn {
    server: Url,
    token: DelegationToken,
    cookie: Option<Secret>,
}

impl Kerberos {
    pub(crate) fn new(config: &WebHdfsConfig) -> Self {
        let mut who = Who::new();
        who.ticket_cache.clone_from(&config.ticket_cache);
        who.principal.clone_from(&config.principal);
        who.keytab.clone_from(&config.keytab);
        Self {
            who,
            proxy_for: config.proxy_user.clone(),
            connect: config.client(),
            turn: Mutex::new(()),
            signed_in: StdMutex::new(None),
        }
    }

    /// The token that a ticket got, if one was asked for.
    pub(crate) fn token(&self) -> Option<DelegationToken> {
        self.signed_in().as_ref().map(|signed_in| signed_in.token.clone())
    }

    /// A token from this NameNode; the one that is there already unless it is `stale`.
    ///
    /// # Errors
    /// `Unauthenticated` without a ticket, or with one that is not accepted, saying why.
    pub(crate) async fn sign_in(
        &self,
        client: &HttpClient,
        server: &Url,
        stale: Option<&DelegationToken>,
    ) -> Result<DelegationToken, Refusal> {
        let _turn = self.turn.lock().await;
        if let Some(token) = self.token()
            && stale.is_none_or(|stale| stale.expose() != token.expose())
        {
            return Ok(token);
        }
        let answer = self.show_ticket(client, server).await?;
        let cookie = cookie(&answer);
        let body = answer.bytes(MAX_TOKEN_BYTES).await?;
        let text = wire::token(&body).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "sign in to", shown(server))
                .with_message("the server took the ticket and gave no delegation token")
        })?;
        let token = DelegationToken::new(Secret::new(text));
        let signed_in = SignedIn { server: server.clone(), token: token.clone(), cookie };
        *self.signed_in() = Some(signed_in);
        Ok(token)
    }

    /// Asks for a token, showing a ticket for this very server.
    async fn show_ticket(
        &self,
        client: &HttpClient,
        server: &Url,
    ) -> Result<HttpResponse, Refusal> {
        let ticket = Secret::new(self.ticket(server).await?);
        let proxy = self.proxy_for.as_ref();
        let proxy = proxy.map(|user| format!("&doas={}", encode::query(user))).unwrap_or_default();
        let url = with_query(server, &format!("op=GETDELEGATIONTOKEN{proxy}"))?;
        let mut value = HeaderValue::try_from(format!("Negotiate {}", ticket.expose()))
            .expect("base64 is a header's value");
        value.set_sensitive(true);
        let request = HttpRequest::get(url)
            .with_header(AUTHORIZATION, value)
            .with_redirects(Redirects::Never)
            .named("sign in to", shown(server));
        let answer = client.send(request).await?;
        success(answer, &[ticket]).await.map_err(explain_refused)
    }

    /// The ticket, as `Negotiate` carries it (RFC 4559). The library may ask the realm and block.
    async fn ticket(&self, server: &Url) -> Result<String> {
        let host = server.host_str().unwrap_or_default().to_owned();
        let who = self.who.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let token = Gssapi::load()?.token("HTTP", &host, &who)?;
            Ok::<_, mlfetch_gssapi::Error>(STANDARD.encode(token))
        });
        let failed = |cause: mlfetch_gssapi::Error| explain_ticket(&cause, server);
        asked.await.map_or_else(
            |_| Err(Error::new(ErrorKind::Other, "sign in to", shown(server))),
            |ticket| ticket.map_err(failed),
        )
    }

    fn signed_in(&self) -> std::sync::MutexGuard<'_, Option<SignedIn>> {
        // Each change leaves a whole value.
        self.signed_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the token back, so that nobody finds it useful later. It is no error if that fails.
impl Drop for Kerberos {
    fn drop(&mut self) {
        let Some(signed_in) = self.signed_in().take() else { return };
        let connect = self.connect.clone();
        let (done, ended) = std::sync::mpsc::channel();
        // The runtime of the run may be ending: this has one of its own.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                let _ = runtime.block_on(cancel(&connect, &signed_in));
            }
            let _ = done.send(());
        });
        let _ = ended.recv_timeout(CANCEL_WITHIN);
    }
}

async fn cancel(connect: &ClientConfig, signed_in: &SignedIn) -> Result<()> {
    let token = encode::query(signed_in.token.expose());
    let url = with_query(&signed_in.server, &format!("op=CANCELDELEGATIONTOKEN&token={token}"))?;
    let mut request = HttpRequest::new(Method::PUT, url)
        .with_redirects(Redirects::Never)
        .named("sign out from", shown(&signed_in.server));
    if let Some(cookie) = &signed_in.cookie
        && let Ok(mut value) = HeaderValue::try_from(cookie.expose())
    {
        value.set_sensitive(true);
        request = request.with_header(COOKIE, value);
    }
    HttpClient::new(connect)?.send(request).await.map(drop)
}

/// The cookie by which the server knows us again, without its conditions.
fn cookie(answer: &HttpResponse) -> Option<Secret> {
    let all = answer.headers().get_all(SET_COOKIE).iter();
    let mut texts = all.filter_map(|value| value.to_str().ok());
    let found = texts.find(|text| text.starts_with(COOKIE_NAME))?;
    found.split(';').next().map(|cookie| Secret::new(cookie.trim()))
}

fn with_query(server: &Url, query: &str) -> Result<Url> {
    let text = format!("{}/?{query}", server.as_str().trim_end_matches('/'));
    Url::parse(&text).map_err(|cause| {
        Error::new(ErrorKind::InvalidInput, "sign in to", shown(server)).with_source(cause)
    })
}

fn shown(server: &Url) -> String {
    let port = server.port_or_known_default().unwrap_or_default();
    mlfetch_store::escape(format!("{}:{port}", server.host_str().unwrap_or_default()).as_bytes())
}

fn explain_ticket(cause: &mlfetch_gssapi::Error, server: &Url) -> Error {
    let words = mlfetch_store::SafeText::new(cause.to_string().as_bytes(), []);
    let (message, hint) = match cause.kind() {
        TicketError::NoLibrary => (
            format!("it wants Kerberos, and the library is not on this machine: {words}"),
            "install MIT Kerberos (Debian: libgssapi-krb5-2), or give a delegation token",
        ),
        TicketError::NoTicket => (
            format!("it wants Kerberos, and there is no ticket: {words}"),
            "run `kinit`, or give `kerberos-ticket-cache`, a keytab or a delegation token",
        ),
        TicketError::Expired => {
            (format!("the Kerberos ticket has expired: {words}"), "run `kinit` again")
        }
        TicketError::OtherPrincipal => (
            format!("the Kerberos ticket or key is somebody else's: {words}"),
            "check `kerberos-user`, its name and its realm; `klist` shows whose ticket there is",
        ),
        TicketError::OtherRealm => (
            format!("its Kerberos realm is another than the ticket's: {words}"),
            "get a ticket of its realm by `kinit`, or check `domain_realm` in krb5.conf",
        ),
        TicketError::UnknownPrincipal => (
            format!("the Kerberos realm does not know it: {words}"),
            "ask for the NameNode by the full name that its realm knows",
        ),
        TicketError::Realm => (
            format!("its Kerberos realm is not to be found: {words}"),
            "check krb5.conf (`KRB5_CONFIG`): the realm, and the address of its KDC",
        ),
        TicketError::ClockSkew => (
            format!("Kerberos does not accept the clock: {words}"),
            "set the clock of this machine: it may be five minutes off at most",
        ),
        _ => (
            format!("it wants Kerberos, which failed: {words}"),
            "`klist` shows the tickets that there are",
        ),
    };
    Error::new(ErrorKind::Unauthenticated, "sign in to", shown(server))
        .with_message(message)
        .with_hint(hint)
}

/// Hadoop answers 403 to a ticket that it cannot use, and says why in its title.
fn explain_refused(refusal: Refusal) -> Refusal {
    let Refusal { error, exception, .. } = refusal;
    if exception.is_some()
        || !matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unauthenticated)
    {
        return Refusal { error, exception, wants_ticket: false };
    }
    let words = error.message().unwrap_or_default().to_owned();
    let error = Error::new(ErrorKind::Unauthenticated, error.operation(), error.subject())
        .with_message(format!("it does not accept the Kerberos ticket: {words}"))
        .with_hint("its clock, its realm or its keytab may differ: `klist` shows the ticket");
    Refusal { error, exception, wants_ticket: false }
}
