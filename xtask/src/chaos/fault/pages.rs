//! A listing that says that there is more, in each protocol's words.

use crate::chaos::site::Backend;

/// A page that leads to a next one by a token. The token is the same each time.
pub(super) fn endless(backend: Backend, page: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(page).ok()?;
    let changed = match backend {
        Backend::S3 => text.replace(
            "<IsTruncated>false</IsTruncated>",
            "<IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>",
        ),
        Backend::Azure => ["<NextMarker/>", "<NextMarker />", "<NextMarker></NextMarker>"]
            .iter()
            .fold(text.to_owned(), |text, old| text.replace(old, "<NextMarker>again</NextMarker>")),
        Backend::Gcs => text.replacen('{', "{\"nextPageToken\":\"again\",", 1),
        Backend::Webhdfs => text.replace("\"remainingEntries\":0", "\"remainingEntries\":7"),
        Backend::MlflowArtifacts | Backend::Http | Backend::HttpJson => return None,
    };
    (changed != text).then(|| changed.into_bytes())
}

/// A page that says that there is more, and not where.
pub(super) fn without_token(backend: Backend, page: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(page).ok()?;
    let changed = match backend {
        Backend::S3 => {
            text.replace("<IsTruncated>false</IsTruncated>", "<IsTruncated>true</IsTruncated>")
        }
        _ => return None,
    };
    (changed != text).then(|| changed.into_bytes())
}
