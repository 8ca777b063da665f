//! Hadoop's configuration and token files.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mlfetch_webhdfs::fuzzing::tokens(data);
    if let Ok(text) = std::str::from_utf8(data) {
        mlfetch_webhdfs::fuzzing::site(text);
    }
});
