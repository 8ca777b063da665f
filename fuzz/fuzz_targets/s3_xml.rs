//! What S3 writes in XML.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mlfetch_s3::fuzzing::wire(data);
});
