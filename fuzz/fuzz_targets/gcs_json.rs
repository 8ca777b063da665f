//! What Cloud Storage writes in JSON.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mlfetch_gcs::fuzzing::wire(data);
});
