//! What NameNodes write in JSON.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mlfetch_webhdfs::fuzzing::wire(data);
});
