//! A URI as every backend gets it, and what is shown of it.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    mlfetch_store::fuzzing::location(text);
    mlfetch_store::fuzzing::credentials(text);
});
