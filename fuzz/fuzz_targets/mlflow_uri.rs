//! `runs:/`, `models:/` and `mlflow-artifacts:/`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    mlfetch_mlflow::fuzzing::uri(text);
});
