//! One file as a stream, checked as it passes.

use futures_util::{StreamExt as _, stream};
use mlfetch_store::{
    Checksum, Error, ErrorKind, Object, ObjectBody, ObjectInfo, ReadRequest, Result, StatRequest,
};

use super::digest::Digests;
use super::verify::{mismatch, strongest};
use super::{Engine, Shape, Source};
use crate::resolve::Target;

impl Engine {
    /// Begins to read the one file that a target names, tied to what is known of it. Nothing is
    /// written: the body ends with an `Integrity` error if its bytes are not what the strongest
    /// checksum says, and whoever took them must let them go.
    ///
    /// # Errors
    /// `IsDirectory` if it is not a file; those of [`open`](Self::open) and of reading.
    pub async fn read(&self, target: &Target) -> Result<Object> {
        let source = self.open(target).await?;
        let Shape::File(info) = &source.shape else {
            if matches!(source.shape, Shape::Perhaps) {
                source.explain_nothing().await?;
            }
            return Err(Error::new(ErrorKind::IsDirectory, "read", target.display())
                .with_hint("`mlfetch ls` shows what is in it, `mlfetch get` fetches it"));
        };
        let pinned = source.store.info().capabilities.conditional_reads;
        let request = ReadRequest::new()
            .with_if_match(info.etag.clone().filter(|_| pinned))
            .with_version(info.version.clone());
        let object = source.store.read(&source.key, request).await?;
        let checksums = known_checksums(&source, &object.info).await;
        Ok(checked(object, &checksums))
    }
}

/// Those of the answer; where it has none, those that a stat of their own gives.
async fn known_checksums(source: &Source, answered: &ObjectInfo) -> Vec<Checksum> {
    if !answered.checksums.is_empty() {
        return answered.checksums.clone();
    }
    // Who takes the bytes as they come cannot take them again.
    let request = StatRequest::new().with_version(answered.version.clone());
    let request = request.with_exact_checksums();
    match source.store.stat(&source.key, request).await {
        Ok(info) if info.etag == answered.etag => info.checksums,
        _ => Vec::new(),
    }
}

/// The same object, whose body ends with an error if the bytes are not what the store says.
fn checked(object: Object, checksums: &[Checksum]) -> Object {
    let check = strongest(checksums).and_then(|sum| Some((sum.clone(), Digests::of(sum)?)));
    let Some((sum, digest)) = check else { return object };
    let Object { info, start, body, .. } = object;
    let checking = Checking { body, digest, sum, name: info.key.to_string() };
    Object::new(info, start, stream::try_unfold(Some(checking), step).boxed())
}

/// A body on its way, and what it must come to.
struct Checking {
    body: ObjectBody,
    digest: Digests,
    sum: Checksum,
    name: String,
}

async fn step(checking: Option<Checking>) -> Result<Option<(bytes::Bytes, Option<Checking>)>> {
    let Some(mut checking) = checking else { return Ok(None) };
    if let Some(chunk) = checking.body.next().await {
        let chunk = chunk?;
        checking.digest.update(&chunk);
        return Ok(Some((chunk, Some(checking))));
    }
    let ours = checking.digest.finish();
    if ours == checking.sum.value {
        return Ok(None);
    }
    let message = mismatch(&checking.sum, ours);
    Err(Error::new(ErrorKind::Integrity, "verify", checking.name).with_message(message))
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;
    use mlfetch_store::{Algorithm, Key};

    use super::*;

    async fn read(md5: Vec<u8>) -> Result<usize> {
        let info = ObjectInfo::new(Key::from("x"));
        let body = stream::iter([Ok(bytes::Bytes::from_static(b"123456789"))]).boxed();
        let object = checked(Object::new(info, 0, body), &[Checksum::new(Algorithm::Md5, md5)]);
        object.body.try_fold(0, |sum, chunk| async move { Ok(sum + chunk.len()) }).await
    }

    #[tokio::test]
    async fn a_body_ends_with_an_error_if_its_bytes_are_others() {
        let right = [
            0x25, 0xf9, 0xe7, 0x94, 0x32, 0x3b, 0x45, 0x38, 0x85, 0xf5, 0x18, 0x1f, 0x1b, 0x62,
            0x4d, 0x0b,
        ];
        assert_eq!(read(right.to_vec()).await.expect("the right bytes"), 9);
        let error = read(vec![0; 16]).await.expect_err("other bytes");
        assert_eq!(error.kind(), ErrorKind::Integrity);
    }
}
