//! Tickets of a library that is made up: what it is asked, what comes of it, and that it gets
//! everything back.

use crate::library::made_up::{self, Script, Texts, asked, faults};
use crate::{Error, ErrorKind, Identity};

/// A token of the library as `script` has it, which gets everything back whatever comes of it.
fn token(script: Script, who: &Identity) -> Result<Vec<u8>, Error> {
    let result = made_up::library(script).token("HTTP", "host", who);
    assert_eq!(faults(), [""; 0], "{who:?}: {result:?}");
    result
}

/// What a library says that fails at its first step.
fn words(mut script: Script) -> String {
    script.fails = vec![0];
    token(script, &Identity::new()).expect_err("the first step fails").to_string()
}

fn principal(name: &str) -> Identity {
    Identity { principal: Some(name.to_owned()), ..Identity::new() }
}

const BY_KERBEROS: &str = "acquire anybody by 1.2.840.113554.1.2.2";

#[test]
fn a_token_is_asked_for_by_the_names_and_places_that_are_given() {
    let who = Identity {
        ticket_cache: Some("FILE:/cache".to_owned()),
        keytab: Some("/keys".into()),
        principal: Some("alice@R".to_owned()),
    };
    assert_eq!(token(Script::default(), &who).expect("a token"), b"\x60token");
    let places = "ccache FILE:/cache, client_keytab /keys";
    assert_eq!(
        asked(),
        [
            "import HTTP@host as 1.2.840.113554.1.2.1.4",
            "import alice@R as 1.2.840.113554.1.2.1.1",
            &format!("acquire alice@R by 1.2.840.113554.1.2.2, {places}"),
            &format!("acquire alice@R by 1.3.6.1.5.5.2, {places}"),
            "begin alice@R to HTTP@host by 1.3.6.1.5.5.2",
        ]
    );
}

#[test]
fn whoever_has_a_ticket_is_taken_where_nobody_is_named() {
    token(Script::default(), &Identity::new()).expect("a token");
    let steps = asked();
    assert_eq!(steps[1..3], [BY_KERBEROS, "acquire anybody by 1.3.6.1.5.5.2"]);
    assert_eq!(steps.len(), 4, "{steps:?}");
}

#[test]
fn each_step_that_fails_says_why_and_leaves_nothing_behind() {
    for is_left_begun in [true, false] {
        let mut failed = Vec::new();
        for step in 0.. {
            let script = Script { fails: vec![step], is_left_begun, ..Script::default() };
            let Err(error) = token(script, &principal("alice@R")) else { break };
            assert_eq!(error.to_string(), "Its cause", "{step}");
            let steps = asked();
            failed.push(steps[step].split(' ').next().expect("a word").to_owned());
        }
        assert_eq!(failed, ["import", "import", "acquire", "acquire", "begin"]);
    }
}

#[test]
fn somebody_else_s_ticket_is_told_with_both_names() {
    let error = token(Script::default(), &principal("bob@R")).expect_err("alice's");
    assert_eq!(error.kind(), ErrorKind::OtherPrincipal);
    assert_eq!(error.to_string(), "`bob@R` is asked for, and what there is, is of `alice@R`");
    assert_eq!(asked()[3..], [BY_KERBEROS, "inquire alice@R", "display alice@R"]);
}

#[test]
fn a_search_for_the_owner_that_fails_leaves_the_first_error_and_nothing_else() {
    for step in 3..=5 {
        let script = Script { fails: vec![step], ..Script::default() };
        let error = token(script, &principal("bob@R")).expect_err("alice's");
        assert_eq!(error.to_string(), "Its cause", "{step}");
        assert_eq!(asked().len(), step + 1, "{:?}", asked());
    }
    let script = Script { is_nameless: true, ..Script::default() };
    let error = token(script, &principal("bob@R")).expect_err("nobody's");
    assert_eq!(error.to_string(), "Its cause");
}

#[test]
fn whose_key_it_is_is_found_with_a_cache_in_memory() {
    let who = Identity {
        ticket_cache: Some("FILE:/cache".to_owned()),
        keytab: Some("/keys".into()),
        ..principal("bob@R")
    };
    let error = token(Script::default(), &who).expect_err("alice's");
    assert_eq!(error.kind(), ErrorKind::OtherPrincipal);
    let search = &asked()[3];
    assert!(search.starts_with(&format!("{BY_KERBEROS}, ccache MEMORY:mlfetch-0x")), "{search}");
    assert!(search.ends_with(", client_keytab /keys"), "{search}");
}

#[test]
fn a_name_that_is_not_utf_8_is_shown_as_far_as_it_is() {
    let script = Script { owner: b"al\xffce@R", ..Script::default() };
    let error = token(script, &principal("bob@R")).expect_err("somebody else's");
    assert!(error.to_string().ends_with("is of `al\u{fffd}ce@R`"), "{error}");
    let script = Script { owner: b"", ..Script::default() };
    let error = token(script, &principal("bob@R")).expect_err("nobody's");
    assert!(error.to_string().ends_with("is of ``"), "{error}");
}

#[test]
fn a_token_is_taken_as_it_is_also_an_empty_one() {
    for text in [&b"\0\xff\0"[..], b"x", b""] {
        for empty_is_null in [true, false] {
            let script = Script { token: text, empty_is_null, ..Script::default() };
            assert_eq!(token(script, &Identity::new()).expect("a token"), text);
        }
    }
}

#[test]
fn a_status_is_told_with_all_its_texts() {
    let rows: [(Texts, Texts, &str); 7] = [
        (&[b"General"], &[b"Special"], "Special"),
        (&[b"General"], &[b"One", b"Two ", b"Three"], "One; Two; Three"),
        (&[b"General"], &[b"One", b"", b"Three"], "One; Three"),
        (&[b"General", b"and more"], &[b""], "General; and more"),
        (&[b"General"], &[b"Unknown error"], "General"),
        (&[b"General"], &[b"not \xff UTF-8\0"], "not \u{fffd} UTF-8\0"),
        (&[b" "], &[b""], "Kerberos failed without a word"),
    ];
    for (general, special, expected) in rows {
        for empty_is_null in [true, false] {
            let script = Script { general, special, empty_is_null, ..Script::default() };
            assert_eq!(words(script), expected);
        }
    }
}

#[test]
fn a_kind_is_found_in_any_of_the_texts() {
    // So MIT's library tells a status of two errors.
    let general: Texts =
        &[b"A required input parameter could not be read", b"No credentials were supplied"];
    let script = Script { general, special: &[b""], fails: vec![0], ..Script::default() };
    let error = token(script, &Identity::new()).expect_err("it fails");
    assert_eq!(error.kind(), ErrorKind::NoTicket, "{error}");
}

#[test]
fn a_library_that_cannot_say_what_failed_is_no_second_failure() {
    let mute = Script { general: &[], special: &[], ..Script::default() };
    assert_eq!(words(mute), "Kerberos failed without a word");
    let script = Script { special: &[], ..Script::default() };
    assert_eq!(words(script), "It failed");
}

#[test]
fn a_library_that_always_has_another_text_is_not_heard_to_its_end() {
    let script = Script { is_endless: true, ..Script::default() };
    assert_eq!(words(script), "Its cause");
}

#[test]
fn a_path_with_a_nul_is_refused_before_a_ticket_is_asked_for() {
    let cache = Identity { ticket_cache: Some("/a\0b".to_owned()), ..principal("alice@R") };
    let keytab = Identity { keytab: Some("/a\0b".into()), ..principal("alice@R") };
    for who in [cache, keytab] {
        let error = token(Script::default(), &who).expect_err("a NUL");
        assert_eq!(error.kind(), ErrorKind::NoTicket);
        assert_eq!(error.to_string(), "a path cannot hold a NUL");
        assert!(asked().iter().all(|step| step.starts_with("import")), "{:?}", asked());
    }
}
