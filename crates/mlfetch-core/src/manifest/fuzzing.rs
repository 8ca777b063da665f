//! What fuzz targets assert of manifests.

use mlfetch_store::fuzzing::assert_harmless_error;

use super::{Lock, Manifest, Sha256Sum, Sums, TreeDigest, line};

/// Manifests, locks and lists of `sha256sum`.
pub fn manifest(data: &[u8]) {
    match Manifest::parse(data, "name") {
        Ok(manifest) => {
            let text = manifest.to_text();
            let again = Manifest::parse(&text, "name").expect("what is written is read");
            assert_eq!((again.to_text(), &again), (text, &manifest));
            listed(&Sums::from(&manifest));
        }
        Err(error) => assert_harmless_error(&error),
    }
    match Lock::parse(data, "name") {
        Ok(lock) => {
            let text = lock.to_text();
            assert_eq!(
                Lock::parse(&text, "name").expect("what is written is read").to_text(),
                text
            );
        }
        Err(error) => assert_harmless_error(&error),
    }
    match Sums::parse(data, "name") {
        Ok(sums) => listed(&sums),
        Err(error) => assert_harmless_error(&error),
    }
}

fn listed(sums: &Sums) {
    let (mut list, mut digest) = (Vec::new(), TreeDigest::new());
    for (path, sum) in sums.iter() {
        line::write(&mut list, sum, &[b"./", path.as_bytes()].concat());
        digest.add(path, sum);
    }
    assert_eq!(Sha256Sum::of(&list), digest.finish());
    let again = Sums::parse(&list, "name").expect("what is written is read");
    assert!(again.iter().eq(sums.iter()));
}
