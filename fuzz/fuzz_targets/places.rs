//! What a URI names, to each backend.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    mlfetch_s3::fuzzing::location(text);
    mlfetch_azure::fuzzing::location(text);
    mlfetch_gcs::fuzzing::location(text);
    mlfetch_webhdfs::fuzzing::location(text);
    mlfetch_http::fuzzing::location(text);
    if let Ok(location) = mlfetch_store::Location::parse(text)
        && let Err(error) = mlfetch_local::local_path(&location)
    {
        mlfetch_store::fuzzing::assert_harmless_error(&error);
    }
});
