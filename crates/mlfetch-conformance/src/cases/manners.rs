//! What a store says, and what it must not say.

use std::error::Error as _;

use mlfetch_store::{Error, escape};

use crate::Fixture;
use crate::space::{Space, objects};

/// No error and no description holds a secret, also not in its causes.
pub async fn nothing_secret_is_shown(fixture: &dyn Fixture) {
    let space = Space::with(fixture, &objects(&[("a.txt", "a")])).await;
    let mut texts = vec![format!("{:?}", space.store()), format!("{:?}", space.store().info())];
    for error in [
        space.stat("nobody").await.err(),
        space.read("nobody").await.err(),
        space.read("a.txt/below").await.err(),
        space.list("nobody/", None).await.err(),
    ] {
        texts.extend(error.iter().flat_map(texts_of));
    }
    for secret in fixture.secrets() {
        assert!(texts.iter().all(|text| !text.contains(&secret)), "a secret is shown");
    }
}

fn texts_of(error: &Error) -> Vec<String> {
    let mut texts = vec![error.to_string(), format!("{error:?}")];
    let mut cause = error.source();
    while let Some(inner) = cause {
        texts.push(format!("{inner} {inner:?}"));
        cause = inner.source();
    }
    texts
}

/// Errors read as the house writes them: lower case, no full stop, the subject in backticks.
pub async fn errors_read_well(fixture: &dyn Fixture) {
    let space = Space::with(fixture, &objects(&[("a.txt", "a")])).await;
    for error in [space.stat("no\nbody").await, space.stat("nobody").await] {
        let text = error.expect_err("there is none").to_string();
        assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
        assert!(text.contains('`'), "{text}");
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}

/// The root that is shown is harmless on a terminal, and names something.
pub async fn the_root_can_be_shown(fixture: &dyn Fixture) {
    let space = Space::with(fixture, &objects(&[("a.txt", "a")])).await;
    let info = space.store().info();
    assert!(!info.root.is_empty() && !info.backend.is_empty());
    assert_eq!(escape(info.root.as_bytes()), info.root);
}
