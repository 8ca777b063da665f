//! Prints every object below a prefix, or the bytes of one object:
//!
//! ```text
//! cargo run -- gs://models/fraud/
//! cargo run -- gs://models/fraud/MLmodel
//! ```

use std::io::Write as _;
use std::process::ExitCode;

use futures_util::{StreamExt as _, TryStreamExt as _};
use mlfetch_gcs::GcsBackend;
use mlfetch_store::{
    Backend as _, Backends, BoxError, Entry, Location, Opened, Options, ReadRequest, RetryPolicy,
    RetryingStore, WalkLimits, walk,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(uri) = std::env::args().nth(1) else {
        eprintln!("usage: embed-gcs URI");
        return ExitCode::from(2);
    };
    match run(&uri).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `false` if something was listed that cannot be fetched.
async fn run(uri: &str) -> Result<bool, BoxError> {
    let backend = GcsBackend::new();
    // The emulator, credentials and more come from Google's own variables.
    let options = Options::new().with_env(backend.options(), |name| std::env::var(name).ok());
    let backends = Backends::new().with(backend);
    let opened = backends.open(&Location::parse(uri)?, &options).await?;
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
