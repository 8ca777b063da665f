//! From keys to paths; patterns.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mlfetch_core::fuzzing::names(data);
});
