//! The HTTP client that mlfetch's backends share: one request, one attempt, no surprises.
//!
//! What it does on purpose, and others do not: a credential belongs to one scheme, host and port
//! and is dropped when a redirect leaves it; bodies are never decompressed; a body shorter than its
//! `Content-Length` is an error; every buffered body has a limit; URLs lose user, password and
//! query in every message.

mod config;
mod credential;
mod error;
mod proxy;
mod redirect;
mod request;
mod response;
mod send;

pub use config::ClientConfig;
pub use credential::{Credential, Sign};
pub use error::error_kind_of_status;
pub use redirect::Redirects;
pub use request::HttpRequest;
pub use response::{HttpResponse, MAX_ERROR_BODY_BYTES};
pub use send::HttpClient;
