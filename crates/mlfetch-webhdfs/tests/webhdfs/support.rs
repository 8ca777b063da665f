//! What the tests share.

use futures_util::TryStreamExt as _;
use mlfetch_store::{Error, Key, Object, ReadRequest, Store};

/// A variable that describes a server; a test without a server fails, it is never skipped.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "the variable `{name}` is not set: run `cargo xtask test`, or export what \
             `cargo xtask services up` prints"
        )
    })
}

/// All bytes of an object.
pub(crate) async fn bytes(object: Object) -> Result<Vec<u8>, Error> {
    let chunks: Vec<bytes::Bytes> = object.body.try_collect().await?;
    Ok(chunks.concat())
}

/// Reads a whole object.
pub(crate) async fn read(store: &dyn Store, key: &str) -> Result<Vec<u8>, Error> {
    bytes(store.read(&Key::from(key), ReadRequest::new()).await?).await
}

/// Bytes without a pattern, always the same for the same length.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state: u64 = 0x1234_5678_9abc_def1;
    let words = std::iter::repeat_with(move || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state ^ (state >> 29)).to_le_bytes()
    });
    words.flatten().take(length).collect()
}
