//! Prints every object below a URL that ends in `/`, or the bytes of the object at a URL:
//!
//! ```text
//! cargo run -- http://127.0.0.1:8000/
//! cargo run -- http://127.0.0.1:8000/model/MLmodel
//! ```
//!
//! `python3 -m http.server` is server enough to try it.

use std::io::Write as _;
use std::process::ExitCode;

use futures_util::{StreamExt as _, TryStreamExt as _};
use mlfetch_http::HttpBackend;
use mlfetch_store::{
    Backend as _, Backends, BoxError, Entry, Location, Opened, Options, ReadRequest, RetryPolicy,
    RetryingStore, WalkLimits, walk,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: embed-http URL");
        return ExitCode::from(2);
    };
    match run(&url).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `false` if something was listed that cannot be fetched.
async fn run(url: &str) -> Result<bool, BoxError> {
    let backend = HttpBackend::new();
    // User, password and certificates come from `MLFETCH_HTTP_…`.
    let options = Options::new().with_env(backend.options(), |name| std::env::var(name).ok());
    let backends = Backends::new().with(backend);
    let opened = backends.open(&Location::parse(url)?, &options).await?;
    if opened.key.is_prefix() { list(opened).await } else { print(opened).await }
}

async fn list(opened: Opened) -> Result<bool, BoxError> {
    let mut rows = walk(opened.store, opened.key, WalkLimits::default());
    let mut complete = true;
    while let Some(row) = rows.next().await {
        match row? {
            Entry::Object(info) => println!("{}", info.key),
            Entry::Refused(refused) => {
                eprintln!("error: {}", refused.error);
                complete = false;
            }
            _ => {}
        }
    }
    Ok(complete)
}

async fn print(opened: Opened) -> Result<bool, BoxError> {
    // One attempt per call is the store's rule: asking again is a wrapper's work.
    let store = RetryingStore::new(opened.store, RetryPolicy::default());
    let mut object = mlfetch_store::Store::read(&store, &opened.key, ReadRequest::new()).await?;
    let mut output = std::io::stdout().lock();
    while let Some(chunk) = object.body.try_next().await? {
        output.write_all(&chunk)?;
    }
    Ok(true)
}
