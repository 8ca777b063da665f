//! Rewrite rules, and a URI that a server names.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    mlfetch_core::fuzzing::rewrite(text);
});
