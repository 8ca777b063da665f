//! `meta.yaml` of the file store.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    mlfetch_mlflow::fuzzing::meta(text);
});
