//! `cargo run -- DIRECTORY [FILE]`: what is below a directory, and the bytes of one file in it.

use std::{env, io, io::Write as _, sync::Arc};

use futures_util::TryStreamExt as _;
use mlfetch_local::{LocalConfig, LocalStore};
use mlfetch_store::{Entry, Key, ReadRequest, Store as _, WalkLimits, walk};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let root = arguments.next().unwrap_or_else(|| ".".to_owned());
    let store = Arc::new(LocalStore::open(root, LocalConfig::default())?);
    let mut rows = walk(store.clone(), Key::root(), WalkLimits::default());
    while let Some(row) = rows.try_next().await? {
        match row {
            Entry::Object(info) => println!("{:>12} {}", info.size.unwrap_or(0), info.key),
            Entry::Refused(refused) => eprintln!("{}", refused.error),
            _ => {}
        }
    }
    if let Some(name) = arguments.next() {
        let mut body = store.read(&Key::from(name), ReadRequest::new()).await?.body;
        while let Some(bytes) = body.try_next().await? {
            io::stdout().write_all(&bytes)?;
        }
    }
    Ok(())
}
