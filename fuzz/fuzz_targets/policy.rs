//! Patterns of a policy, and places that somebody asks for.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    mlfetch_core::fuzzing::policy(text);
});
