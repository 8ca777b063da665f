//! Bodies that are cut short, and bodies with a flipped bit.

use bytes::Bytes;
use futures_util::{StreamExt as _, future};
use mlfetch_store::ObjectBody;

/// The first so many bytes of a body.
pub(crate) fn cut(body: ObjectBody, bytes: u64) -> ObjectBody {
    let shortened = body.scan(bytes, |left, chunk| {
        let chunk = chunk.map(|chunk| {
            let length = usize::try_from(*left).unwrap_or(usize::MAX).min(chunk.len());
            *left -= length as u64;
            chunk.slice(..length)
        });
        future::ready(Some(chunk))
    });
    shortened.filter(|chunk| future::ready(!chunk.as_ref().is_ok_and(Bytes::is_empty))).boxed()
}

/// The same body, with the lowest bit of one byte of the object flipped; it begins at `start`.
pub(crate) fn flip(body: ObjectBody, start: u64, byte: u64) -> ObjectBody {
    let flipped = body.scan(start, move |position, chunk| {
        let chunk = chunk.map(|chunk| {
            let at = byte.checked_sub(*position).and_then(|at| usize::try_from(at).ok());
            *position += chunk.len() as u64;
            match at.filter(|at| *at < chunk.len()) {
                Some(at) => with_flipped_bit(&chunk, at),
                None => chunk,
            }
        });
        future::ready(Some(chunk))
    });
    flipped.boxed()
}

fn with_flipped_bit(chunk: &Bytes, at: usize) -> Bytes {
    let mut bytes = chunk.to_vec();
    bytes[at] ^= 1;
    bytes.into()
}
