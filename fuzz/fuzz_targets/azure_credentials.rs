//! Connection strings and signatures.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    mlfetch_azure::fuzzing::credentials(text);
});
