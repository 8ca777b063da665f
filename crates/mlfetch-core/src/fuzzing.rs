//! What fuzz targets assert of this crate. No part of the interface: it is there only in builds for
//! fuzzing.

use std::path::{Component, Path};

use mlfetch_store::fuzzing::{assert_harmless, assert_harmless_error, lines};
use mlfetch_store::{Gate as _, Key, Location};

pub use crate::audit::fuzzing::audit;
pub use crate::manifest::fuzzing::manifest;
use crate::policy::{Pattern, Policy, Rule};
use crate::resolve::{Placement, Rewrite, RewriteRules, Target, checked_path};
use crate::{Filter, Layout, NameRefusal, RelativePath};

/// Keys on their way to paths.
pub fn names(data: &[u8]) {
    let mut keys = data.splitn(3, |byte| *byte == b'\n');
    let mut key = || keys.next().unwrap_or_default();
    let (one, other, asked) = (key(), key(), key());
    let paths = [path_of(one), path_of(other)];
    if let [Some(one_path), Some(other_path)] = &paths {
        // One path never stands for two keys.
        assert_eq!(one == other, one_path.as_path() == other_path.as_path());
    }
    let asked = String::from_utf8_lossy(asked);
    match checked_path(&asked) {
        Ok(asked) => placed(&asked, one),
        Err(error) => assert_harmless_error(&error),
    }
    patterns(&asked, one);
}

fn path_of(key: &[u8]) -> Option<RelativePath> {
    let path = RelativePath::new(key).ok()?;
    assert_eq!(path.as_bytes(), key);
    assert!(path.as_path().components().all(|part| matches!(part, Component::Normal(_))));
    let root = Path::new("/destination");
    assert_eq!(root.join(path.as_path()).ancestors().nth(path.segments().count()), Some(root));
    assert_harmless(&path.to_string());
    let (directory, name) = path.split();
    let again = directory.map_or_else(|| name.into(), |above| above.as_path().join(name));
    assert_eq!(again, path.as_path());
    Some(path)
}

/// What somebody asks for lands below the destination, or has no path at all.
fn placed(asked: &str, name: &[u8]) {
    for keeps_whole_path in [false, true] {
        let placement = Placement { under: Vec::new(), asked: asked.into(), keeps_whole_path };
        for layout in [Layout::Mlflow, Layout::Contents, Layout::Run] {
            let directory = layout.place_directory(&placement);
            let file = layout.place_file(&placement, name);
            assert!(asked.is_empty() || is_short_of_nothing(&file), "{file:?}");
            assert!(directory.is_empty() || is_short_of_nothing(&directory), "{directory:?}");
        }
    }
}

/// What `checked_path` lets through can be too long or ours; it never leads elsewhere.
fn is_short_of_nothing(path: &[u8]) -> bool {
    use NameRefusal::{DotSegment, EmptySegment, TrailingSlash};
    !matches!(RelativePath::new(path), Err(DotSegment | EmptySegment | TrailingSlash))
}

fn patterns(pattern: &str, name: &[u8]) {
    let Ok(excluding) = Filter::new(&[], &[pattern.to_owned()]).map_err(|error| {
        assert_harmless(&error.to_string());
    }) else {
        return;
    };
    let both = Filter::new(&[pattern.to_owned()], &[pattern.to_owned()]).expect("it is one");
    assert!(!both.wants_name(name), "exclude wins");
    assert_eq!(excluding.wants_name(name), !excluding.excludes(name));
}

/// Rewrite rules, and a URI that a server names.
pub fn rewrite(text: &str) {
    let [rule, other, uri] = lines(text);
    let rules = [rule, other].into_iter().filter_map(|rule| {
        Rewrite::parse(rule).map_err(|error| assert_harmless_error(&error)).ok()
    });
    let roots: Vec<&str> =
        [rule, other].iter().filter_map(|rule| Some(rule.split_once('=')?.1.trim())).collect();
    let Some((new, why)) = RewriteRules::new(rules.collect()).apply(uri) else { return };
    assert_harmless(&why);
    assert_harmless(&Target::new(new.as_str()).display());
    let below = roots.iter().filter_map(|root| new.strip_prefix(root.trim_end_matches('/')));
    let is_below = |rest: &str| {
        (rest.is_empty() || rest.starts_with('/')) && rest.split('/').all(|part| part != "..")
    };
    assert!(below.into_iter().any(is_below), "{new} is below none of {roots:?}");
}

/// A pattern, a root, and a path below it.
pub fn policy(text: &str) {
    let [pattern, root, below] = lines(text);
    let pattern: Pattern = match pattern.parse() {
        Ok(pattern) => pattern,
        Err(error) => return assert_harmless(&error.to_string()),
    };
    let Ok(root) = Location::parse(root) else { return };
    let below = Key::from(below);
    let allow = Rule::allow("rule 1", vec![pattern.clone()]);
    let only = Policy::new("policy").with_rule(allow.clone());
    let none =
        Policy::new("policy").with_rule(Rule::deny("rule 1", vec![pattern])).with_rule(allow);
    if let Err(error) = only.permit(&root, &below) {
        return assert_harmless_error(&error);
    }
    // What a pattern lets in by one rule it keeps out by another, and all below goes with it.
    let error = none.permit(&root, &below).expect_err("it is named");
    assert_harmless_error(&error);
    assert!(only.permit_server(&root).is_ok() || !below.is_root());
    assert!(only.permit(&root, &below.to_prefix().append("x")).is_ok());
}
