//! Reads everything below a location, so many objects at a time, and says what that cost:
//!
//! ```text
//! cargo run --release --example many_small_blobs -- wasbs://models@account.blob.core.windows.net/small/ 32
//! ```
//!
//! Credentials and endpoint come from the environment (`MLFETCH_AZURE_…`, `AZURE_STORAGE_…`).

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mlfetch_azure::AzureBackend;
use mlfetch_store::{
    Backend as _, BoxError, Entry, Key, Location, Options, ReadRequest, Store, WalkLimits, walk,
};

#[tokio::main(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "a program")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(uri) = arguments.next() else {
        eprintln!("usage: many_small_blobs URI [AT_ONCE]");
        return ExitCode::from(2);
    };
    let at_once = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(32);
    match run(&uri, at_once).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(uri: &str, at_once: usize) -> Result<(), BoxError> {
    let backend = AzureBackend::new();
    let options = Options::new().with_env(backend.options(), |name| std::env::var(name).ok());
    let opened = backend.open(&Location::parse(uri)?, &options).await?;
    let meter = Meter::start();
    let rows = walk(Arc::clone(&opened.store), opened.key, WalkLimits::default());
    let keys: Vec<Key> = rows.try_filter_map(key_of).try_collect().await?;
    meter.say("listed", keys.len());
    let meter = Meter::start();
    let count = keys.len();
    let tasks = stream::iter(keys).map(|key| tokio::spawn(read(Arc::clone(&opened.store), key)));
    let mut sizes = tasks.buffer_unordered(at_once);
    while let Some(size) = sizes.next().await {
        size??;
    }
    meter.say("read", count);
    Ok(())
}

async fn key_of(entry: Entry) -> Result<Option<Key>, mlfetch_store::Error> {
    match entry {
        Entry::Object(info) => Ok(Some(info.key)),
        Entry::Refused(refused) => Err(refused.error),
        _ => Ok(None),
    }
}

async fn read(store: Arc<dyn Store>, key: Key) -> Result<usize, mlfetch_store::Error> {
    let mut body = store.read(&key, ReadRequest::new()).await?.body;
    let mut size = 0;
    while let Some(chunk) = body.try_next().await? {
        size += chunk.len();
    }
    Ok(size)
}

/// Wall and processor time since it was started.
struct Meter {
    began: Instant,
    used: Duration,
}

impl Meter {
    fn start() -> Self {
        Self { began: Instant::now(), used: processor_time() }
    }

    #[expect(clippy::print_stdout, reason = "a program")]
    fn say(&self, what: &str, count: usize) {
        let (wall, used) = (self.began.elapsed(), processor_time().saturating_sub(self.used));
        let each = used.as_micros() / count.max(1) as u128;
        println!("{what} {count}: {wall:.2?} wall, {used:.2?} processor, {each} µs each");
    }
}

/// What this process has used of the processor, in ticks of 10 ms (`proc_pid_stat(5)`); nothing
/// where there is no `/proc`.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
