//! What is done for each name, each byte and each range: `cargo bench -p mlfetch-core`.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use mlfetch_core::RelativePath;
use mlfetch_core::engine::Digests;
use mlfetch_core::engine::hot::Ranges;
use mlfetch_store::{Algorithm, Checksum, Coverage};

const MIB: usize = 1 << 20;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    names(&mut criterion);
    digests(&mut criterion);
    ranges(&mut criterion);
    criterion.final_summary();
}

fn names(criterion: &mut Criterion) {
    let key: &[u8] = b"models/fraud/42/weights/shard-00017.safetensors";
    criterion.bench_function("a key as a path", |bencher| {
        bencher.iter(|| RelativePath::new(black_box(key)));
    });
    criterion.bench_function("a refused key", |bencher| {
        bencher.iter(|| RelativePath::new(black_box(&b"models/fraud/../../etc/passwd"[..])));
    });
}

fn digests(criterion: &mut Criterion) {
    let bytes = vec![0x5a; MIB];
    let mut group = criterion.benchmark_group("checksum of 1 MiB");
    group.throughput(Throughput::Bytes(MIB as u64));
    for algorithm in [Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Md5, Algorithm::Sha256] {
        let sum = Checksum::new(algorithm, Vec::new());
        group.bench_function(format!("{algorithm:?}"), |bencher| {
            bencher.iter(|| {
                let mut digest = Digests::of(&sum).expect("computed here");
                digest.update(black_box(&bytes));
                digest.finish()
            });
        });
    }
    group.finish();
}

fn ranges(criterion: &mut Criterion) {
    let whole = Checksum::new(Algorithm::Crc64Nvme, Vec::new());
    let parts = whole.clone().with_coverage(Coverage::Parts(vec![8 * MIB as u64; 128]));
    let mut group = criterion.benchmark_group("the CRCs of 64 ranges put together");
    for (name, sum) in [("whole", whole), ("128 parts", parts)] {
        let ranges = Ranges::of_zeros(&sum, 1 << 30, 16 * MIB).expect("put together here");
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&ranges).join()));
    }
    group.finish();
}
