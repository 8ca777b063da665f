//! Whether an answer is one to what was asked.

use mlfetch_http::header::{LOCATION, WWW_AUTHENTICATE};
use mlfetch_http::{HttpResponse, StatusCode, Url};
use mlfetch_store::{Error, ErrorKind, Secret};

use crate::error::Refusal;
use crate::wire;

/// A success, or why it is none.
pub(crate) async fn success(
    answer: HttpResponse,
    secrets: &[Secret],
) -> Result<HttpResponse, Refusal> {
    if answer.status().is_success() {
        // WebHDFS speaks JSON and bytes; a page is what gateways show to those who are not signed in.
        return if answer.is_html() { Err(login_page(&answer).into()) } else { Ok(answer) };
    }
    if answer.status().is_redirection() {
        return Err(led_away(&answer).into());
    }
    let wants_ticket = wants_ticket(&answer);
    let (error, body) = match answer.failure().await {
        Ok(success) => return Ok(success),
        Err(failure) => failure,
    };
    match wire::remote_exception(&body) {
        Some(remote) => Err(Refusal::of(&error, remote, secrets)),
        None if wants_ticket => {
            Err(Refusal { wants_ticket, ..Refusal::from(explain_ticket(error)) })
        }
        None => Err(explain(error).into()),
    }
}

/// Whether the server asks for a Kerberos ticket (RFC 4559).
fn wants_ticket(answer: &HttpResponse) -> bool {
    let asked = answer.headers().get_all(WWW_AUTHENTICATE).iter();
    answer.status() == StatusCode::UNAUTHORIZED
        && asked.filter_map(|value| value.to_str().ok()).any(|text| {
            text.split(' ').next().is_some_and(|word| word.eq_ignore_ascii_case("negotiate"))
        })
}

fn explain_ticket(error: Error) -> Error {
    error.with_hint("this cluster wants Kerberos: the delegation token is not one that it accepts")
}

/// What a status without HDFS's own words may be due to.
fn explain(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => error.with_hint(
            "the server does not speak WebHDFS there: check the address, `dfs.webhdfs.enabled`",
        ),
        ErrorKind::Unauthenticated => {
            error.with_hint("sign in with a delegation token, or a certificate of a gateway")
        }
        _ => error,
    }
}

fn login_page(answer: &HttpResponse) -> Error {
    answer
        .error(ErrorKind::Unauthenticated)
        .with_message("the server answers with an HTML page, which looks like a login")
        .with_hint("check `webhdfs-address`: it may be a web page, or a gateway that wants a login")
}

fn led_away(answer: &HttpResponse) -> Error {
    let target = answer.header(LOCATION).and_then(|text| answer.url().join(text).ok());
    let host = target.as_ref().and_then(Url::host_str).unwrap_or("an unknown place");
    let shown = answer.safe_text(host.as_bytes());
    answer
        .error(ErrorKind::Refused)
        .with_message(format!("the server sends us on to {shown} with a question that it answers"))
        .with_hint("a gateway may want a login; give `webhdfs-address` as the gateway's own URL")
}

/// Where a redirect of a NameNode leads.
pub(crate) fn target(answer: &HttpResponse) -> Option<Url> {
    if !answer.status().is_redirection() {
        return None;
    }
    answer.url().join(answer.header(LOCATION)?).ok()
}
