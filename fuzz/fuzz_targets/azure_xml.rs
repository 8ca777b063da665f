//! What Azure writes in XML.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mlfetch_azure::fuzzing::wire(data);
});
