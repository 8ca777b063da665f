//! Checking an audit log.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mlfetch_core::fuzzing::audit(data);
});
