//! What is done for each row of a listing before anything is fetched: `cargo bench -p mlfetch-core`.

use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use mlfetch_core::Filter;
use mlfetch_core::engine::{Engine, FetchSettings, NoObserver};
use mlfetch_core::resolve::{ResolveContext, Resolved, Target, resolve};
use mlfetch_store::{
    Backend, Backends, Key, Location, MemoryStore, Opened, OptionSpec, Options, Result,
};
use tokio::runtime::{Builder, Runtime};

const ROWS: u64 = 1000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    planning(&mut criterion, &runtime);
    criterion.final_summary();
}

fn planning(criterion: &mut Criterion, runtime: &Runtime) {
    let home = tempfile::tempdir().expect("a directory");
    let engine = Engine::new(Backends::new().with(Page(page())));
    let target = Target::new("page:/models/");
    let parts = runtime.block_on(resolve(&ResolveContext::new(), target)).expect("resolved");
    let filters = [
        ("no pattern", Filter::all()),
        ("two patterns", Filter::new(&["*.bin".to_owned()], &["tmp/**".to_owned()]).expect("two")),
    ];
    let mut group = criterion.benchmark_group("a page of 1000 rows planned");
    group.throughput(Throughput::Elements(ROWS));
    for (name, filter) in filters {
        let plan = || runtime.block_on(planned(&engine, &parts, home.path(), &filter));
        assert_eq!(plan(), ROWS);
        group.bench_function(name, |bencher| bencher.iter(plan));
    }
    group.finish();
}

async fn planned(engine: &Engine, parts: &[Resolved], home: &Path, filter: &Filter) -> u64 {
    let mut settings = FetchSettings::new();
    settings.dry_run = true;
    settings.filter = filter.clone();
    let observer = Arc::new(NoObserver);
    let report = engine.fetch(parts, &home.join("new"), settings, observer, Arc::default()).await;
    report.expect("planned").planned
}

fn page() -> MemoryStore {
    (0..ROWS).fold(MemoryStore::new(), |store, row| {
        store.with(Key::new(format!("models/d{:05}/f{row:08}.bin", row / 100)), "x")
    })
}

/// Opens the page.
#[derive(Debug)]
struct Page(MemoryStore);

#[async_trait::async_trait]
impl Backend for Page {
    fn name(&self) -> &'static str {
        "page"
    }
    fn schemes(&self) -> &'static [&'static str] {
        &["page"]
    }
    fn options(&self) -> &'static [OptionSpec] {
        &[]
    }
    async fn open(&self, location: &Location, _: &Options) -> Result<Opened> {
        let key = location.rest().trim_start_matches('/');
        Ok(Opened::new(Arc::new(self.0.clone()), Key::from(key)))
    }
}
