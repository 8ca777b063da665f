//! Tickets of a real realm, which `cargo xtask services` sets up.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use mlfetch_gssapi::{Error, ErrorKind, Gssapi, Identity};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "the variable `{name}` is not set: run `cargo xtask test`, or export what \
             `cargo xtask services up` prints"
        )
    })
}

fn with_cache(path: &str) -> Identity {
    let mut who = Identity::new();
    who.ticket_cache = Some(path.to_owned());
    who
}

fn with_keytab(path: &str, principal: &str) -> Identity {
    // The library keeps what it gets there, and the tests run side by side: one for each identity.
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let cache = std::env::temp_dir().join(format!("mlfetch-{}-{number}", std::process::id()));
    let mut who = with_cache(&format!("FILE:{}", cache.display()));
    who.keytab = Some(PathBuf::from(path));
    who.principal = Some(principal.to_owned());
    who
}

fn token(host: &str, who: &Identity) -> Result<Vec<u8>, Error> {
    // The realm's own configuration counts, by the variable that the library itself reads.
    variable("KRB5_CONFIG");
    Gssapi::load()?.token("HTTP", host, who)
}

#[test]
fn a_ticket_in_a_cache_gives_a_token() {
    let who = with_cache(&variable("MLFETCH_TEST_KERBEROS_CACHE"));
    let token = token("localhost", &who).expect("a token");
    // SPNEGO's first token is an application's (RFC 4178, 4.2).
    assert_eq!(token.first(), Some(&0x60));
    assert!(token.len() > 200, "{} bytes", token.len());
}

#[test]
fn a_key_gives_a_token_where_there_is_no_ticket() {
    let who = with_keytab(&variable("MLFETCH_TEST_KERBEROS_KEYTAB"), "alice");
    token("localhost", &who).expect("a token");
}

#[test]
fn each_failure_has_its_kind_and_its_words() {
    let cache = variable("MLFETCH_TEST_KERBEROS_CACHE");
    let keytab = variable("MLFETCH_TEST_KERBEROS_KEYTAB");
    let expired = variable("MLFETCH_TEST_KERBEROS_EXPIRED_CACHE");
    let skewed = variable("MLFETCH_TEST_KERBEROS_SKEWED_CACHE");
    let rows = [
        ("localhost", with_cache("/no/such/cache"), ErrorKind::NoTicket),
        ("localhost", with_keytab("/no/such/keytab", "alice"), ErrorKind::NoTicket),
        ("localhost", with_keytab(&keytab, "nobody"), ErrorKind::OtherPrincipal),
        ("localhost", with_keytab(&keytab, "alice@ELSEWHERE.TEST"), ErrorKind::OtherPrincipal),
        ("localhost", with_cache(&expired), ErrorKind::Expired),
        ("localhost", with_cache(&skewed), ErrorKind::ClockSkew),
        ("elsewhere.localhost", with_cache(&cache), ErrorKind::OtherRealm),
        ("not-in-the-realm.localhost", with_cache(&cache), ErrorKind::UnknownPrincipal),
    ];
    for (host, who, kind) in rows {
        let error = token(host, &who).expect_err("no token");
        assert_eq!(error.kind(), kind, "{host} {who:?}: {error}");
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn a_ticket_of_another_realm_than_was_asked_for_is_told_with_both() {
    let cache = variable("MLFETCH_TEST_KERBEROS_CACHE");
    let keytab = variable("MLFETCH_TEST_KERBEROS_KEYTAB");
    let mut with_ticket = with_cache(&cache);
    with_ticket.principal = Some("alice@ELSEWHERE.TEST".to_owned());
    for who in [with_ticket, with_keytab(&keytab, "alice@ELSEWHERE.TEST")] {
        let error = token("localhost", &who).expect_err("another realm");
        assert_eq!(error.kind(), ErrorKind::OtherPrincipal, "{who:?}: {error}");
        let text = error.to_string();
        assert!(text.contains("`ELSEWHERE.TEST`") && text.contains("`MLFETCH.TEST`"), "{text}");
    }
    // The cache is still that of who was there.
    token("localhost", &with_cache(&cache)).expect("a token");
}
