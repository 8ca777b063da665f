//! What fuzz targets assert of files of tokens.

use mlfetch_store::Secret;
use mlfetch_store::fuzzing::assert_harmless;

use super::{DelegationToken, choose, parse};

/// Any bytes as a file: each of its tokens says in a URL what it said there.
pub fn tokens(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = DelegationToken::new(Secret::new(text)).is_for(&["service".to_owned()]);
    let Some(tokens) = parse(data) else { return };
    for stored in &tokens {
        let token = DelegationToken::new(Secret::new(stored.url_text()));
        let service = String::from_utf8_lossy(&stored.service).into_owned();
        assert_eq!(token.is_for(std::slice::from_ref(&service)), stored.is_for(&service));
        assert!(!token.is_for(&[service + "x"]));
    }
    if let Err(known) = choose(&tokens, &[]) {
        assert_harmless(&known);
    }
}
