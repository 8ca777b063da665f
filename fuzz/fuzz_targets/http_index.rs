//! Directory indexes of web servers.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mlfetch_http::fuzzing::index(data);
});
