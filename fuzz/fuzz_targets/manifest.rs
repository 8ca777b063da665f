//! Manifests, locks and lists of `sha256sum`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mlfetch_core::fuzzing::manifest(data);
});
