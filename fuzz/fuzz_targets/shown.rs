//! A server's own words.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (before, secret, after) = (part(), part(), part());
    let secret = String::from_utf8_lossy(secret);
    mlfetch_store::fuzzing::safe_text(before, &secret, after);
});
