//! What tracking servers and their proxy write in JSON.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mlfetch_mlflow::fuzzing::answers(data);
    mlfetch_mlflow::fuzzing::listing(data);
});
