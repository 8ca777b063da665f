//! HTTP(S) as a mlfetch store, and the careful client under it.
//!
//! [`HttpBackend`] opens locations, [`HttpStore`] is what it opens: objects below a URL, listed from
//! the directory indexes of nginx, Apache, lighttpd, Caddy and Python's `http.server`. [`HttpClient`]
//! is the client that other backends over HTTP use as well.
//!
//! What it promises, each with a test:
//!
//! - A credential goes to the origin it was given for and to no other, also after a redirect.
//! - Bytes are as the server has them: nothing is decompressed, a range is the range that was asked.
//! - A body that is shorter than announced is an error.
//! - A key is encoded exactly once. What a URL cannot carry is refused by name.
//! - A page that is no directory index is never read as one.
//! - User, password and query of a URL, tokens and passwords are in no message.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod address;
pub mod answer;
mod backend;
mod client;
mod config;
mod digest;
mod folding;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod html;
mod index;
mod store;

pub use backend::HttpBackend;
pub use client::{
    ClientConfig, Credential, HttpClient, HttpRequest, HttpResponse, MAX_ERROR_BODY_BYTES,
    Redirects, Sign, error_kind_of_status,
};
pub use reqwest::{Method, StatusCode, Url, header};
pub use store::HttpStore;
