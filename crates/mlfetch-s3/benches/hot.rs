//! What is done for each object and each page: `cargo bench -p mlfetch-s3`.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use mlfetch_s3::hot::{Asker, listed};
use mlfetch_store::Key;

const ROWS: u64 = 1000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    signing(&mut criterion);
    listing(&mut criterion);
    criterion.final_summary();
}

fn signing(criterion: &mut Criterion) {
    let asker = Asker::new().expect("somebody who signs");
    let plain = Key::from("models/fraud/42/weights/shard-00017.safetensors");
    let odd = Key::from("modelle/größe/a b+c%41/🦀/shard-00017.safetensors");
    for (name, key) in [("sign a plain key", plain), ("sign an odd key", odd)] {
        assert!(asker.ask(&key).is_ok());
        criterion.bench_function(name, |bencher| bencher.iter(|| asker.ask(black_box(&key))));
    }
}

fn listing(criterion: &mut Criterion) {
    let page = page();
    assert_eq!(listed(page.as_bytes()), Some(1000));
    let mut group = criterion.benchmark_group("listing");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("a page of 1000 objects", |bencher| {
        bencher.iter(|| listed(black_box(page.as_bytes())));
    });
    group.finish();
}

fn page() -> String {
    let mut text = "<ListBucketResult><EncodingType>url</EncodingType>".to_owned();
    for row in 0..ROWS {
        let _ = write!(
            text,
            "<Contents><Key>models/fraud/{row:05}/a+file%2B.bin</Key><Size>{row}</Size>\
             <LastModified>2026-01-01T00:00:00.000Z</LastModified>\
             <ETag>&quot;{row:032x}&quot;</ETag><StorageClass>STANDARD</StorageClass></Contents>"
        );
    }
    text + "<IsTruncated>false</IsTruncated></ListBucketResult>"
}
