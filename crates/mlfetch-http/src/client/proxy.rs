//! What the environment says of proxies, as far as it is secret. The proxies themselves are the
//! transport's own business: it reads the same variables.

use mlfetch_store::Secret;
use reqwest::Url;

use crate::address::credential_of;

const VARIABLES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// What a proxy might echo and nobody may see.
pub(super) fn secrets() -> Vec<Secret> {
    secrets_of(VARIABLES.iter().filter_map(|name| std::env::var(name).ok()))
}

fn secrets_of(values: impl Iterator<Item = String>) -> Vec<Secret> {
    // The transport takes `user:password@host:port` for HTTP too.
    let urls = values.filter_map(|value| {
        let text = if value.contains("://") { value } else { format!("http://{value}") };
        Url::parse(&text).ok()
    });
    let credentials = urls.filter_map(|url| credential_of(&url));
    credentials.flat_map(|credential| credential.secrets()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_decoded_and_as_it_is_sent() {
        for value in ["http://me:p%40ss@proxy:3128", "me:p%40ss@proxy:3128"] {
            let found = secrets_of([value.to_owned()].into_iter());
            let found: Vec<&str> = found.iter().map(Secret::expose).collect();
            assert_eq!(found, ["p@ss", "bWU6cEBzcw=="], "{value}");
        }
        for value in ["", "http://proxy:3128", "proxy", "http://me@:x"] {
            assert!(secrets_of([value.to_owned()].into_iter()).is_empty(), "{value}");
        }
    }
}
