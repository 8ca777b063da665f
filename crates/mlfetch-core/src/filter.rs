//! Which files: name patterns.

use globset::{Candidate, Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use mlfetch_store::escape;

use crate::RelativePath;

/// A pattern that is none.
#[derive(Debug, thiserror::Error)]
#[error("the pattern `{}` is not a glob: {}", escape(.pattern.as_bytes()), escape(.reason.as_bytes()))]
pub struct FilterError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Which files are wanted. Exclude always wins over include; no include pattern means all.
///
/// A pattern without `/` is matched against the file's name, wherever it lies; one with `/`
/// against the path below what was asked for. `*` and `?` do not cross a `/`, `**` does; a pattern
/// that matches a directory (or ends in `/`) takes all below it.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Filter {
    /// All files.
    pub fn all() -> Self {
        Self::default()
    }

    /// Files that match one of `include` (all, if there is none) and none of `exclude`.
    ///
    /// # Errors
    /// For a pattern that is not a glob.
    ///
    /// ```
    /// use mlfetch_core::{Filter, RelativePath};
    /// let filter = Filter::new(&["*.json".into()], &["checkpoints/".into()]).unwrap();
    /// assert!(filter.wants(&RelativePath::new(b"a/b.json").unwrap()));
    /// assert!(!filter.wants(&RelativePath::new(b"checkpoints/c.json").unwrap()));
    /// ```
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, FilterError> {
        let include = if include.is_empty() { None } else { Some(glob_set(include)?) };
        Ok(Self { include, exclude: glob_set(exclude)? })
    }

    /// Whether every file is wanted.
    pub fn is_all(&self) -> bool {
        self.include.is_none() && self.exclude.is_empty()
    }

    /// Whether the file at this path, relative to what was asked for, is wanted.
    pub fn wants(&self, path: &RelativePath) -> bool {
        self.wants_name(path.as_bytes())
    }

    /// The same for a name that may not be a path.
    pub(crate) fn wants_name(&self, name: &[u8]) -> bool {
        let included = self.include.as_ref().is_none_or(|globs| matches(globs, name));
        included && !self.excludes(name)
    }

    /// Whether this, and all below it if it is a directory, is left out by name.
    pub(crate) fn excludes(&self, name: &[u8]) -> bool {
        matches(&self.exclude, name)
    }
}

/// Whether the name or that of a directory above it matches.
fn matches(globs: &GlobSet, name: &[u8]) -> bool {
    if globs.is_empty() {
        return false;
    }
    let slashes = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    let ends = slashes.chain([name.len()]);
    ends.filter(|end| *end > 0).any(|end| {
        let part = name[..end].strip_suffix(b"/").unwrap_or(&name[..end]);
        globs.is_match_candidate(&Candidate::from_bytes(part))
    })
}

fn glob_set(patterns: &[String]) -> Result<GlobSet, FilterError> {
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        globs.add(glob(pattern)?);
    }
    globs.build().map_err(|cause| refuse(patterns.join(", "), &cause))
}

fn glob(pattern: &str) -> Result<Glob, FilterError> {
    let trimmed = pattern.trim_start_matches("./").trim_end_matches('/');
    if trimmed.is_empty() {
        return Err(FilterError { pattern: pattern.into(), reason: "it is empty".into() });
    }
    let anchored = trimmed.contains('/');
    let text = match trimmed.strip_prefix('/') {
        Some(rest) => rest.to_owned(),
        None if anchored => trimmed.to_owned(),
        None => format!("**/{trimmed}"),
    };
    let built = GlobBuilder::new(&text).literal_separator(true).backslash_escape(true).build();
    built.map_err(|cause| refuse(pattern.to_owned(), &cause))
}

fn refuse(pattern: String, cause: &globset::Error) -> FilterError {
    FilterError { pattern, reason: cause.kind().to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wants(include: &[&str], exclude: &[&str], path: &str) -> bool {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let filter = Filter::new(&own(include), &own(exclude)).expect("patterns");
        filter.wants(&RelativePath::new(path).expect("a path"))
    }

    #[test]
    fn a_pattern_without_a_slash_is_a_name_anywhere() {
        assert!(wants(&["*.bin"], &[], "a/b/c.bin"));
        assert!(!wants(&["*.bin"], &[], "a/b/c.bin.txt"));
    }

    #[test]
    fn a_pattern_with_a_slash_is_a_path() {
        assert!(wants(&["a/*.bin"], &[], "a/c.bin"));
        assert!(!wants(&["a/*.bin"], &[], "a/b/c.bin"));
        assert!(wants(&["a/**/*.bin"], &[], "a/b/d/c.bin"));
        assert!(!wants(&["/c.bin"], &[], "a/c.bin"));
    }

    #[test]
    fn a_directory_takes_all_below_it_and_exclude_wins() {
        assert!(!wants(&[], &["checkpoints/"], "run/checkpoints/1/w.bin"));
        assert!(!wants(&["*.bin"], &["w.bin"], "w.bin"));
        assert!(wants(&["model"], &[], "model/MLmodel"));
    }

    #[test]
    fn a_pattern_that_is_no_glob_is_named() {
        let error = Filter::new(&["a[".into()], &[]).expect_err("not a glob");
        assert!(error.to_string().contains("`a[`"));
    }

    #[test]
    fn a_pattern_is_shown_without_what_moves_a_terminal() {
        let error = Filter::new(&["\u{1b}[2J[".into()], &[]).expect_err("not a glob");
        assert!(error.to_string().contains("`\\u{1b}[2J[`"), "{error}");
    }

    #[test]
    fn a_name_that_is_no_path_can_be_left_out_too() {
        let filter = Filter::new(&[], &["bad/".into(), "*.tmp".into()]).expect("patterns");
        for name in ["bad//x", "bad/", "a//b.tmp", "../x.tmp", "bad"] {
            assert!(filter.excludes(name.as_bytes()) && !filter.wants_name(name.as_bytes()));
        }
        for name in ["/", "", "a//bad.txt", "a/"] {
            assert!(!filter.excludes(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_matched_as_they_are() {
        let filter = Filter::new(&["*.bin".into()], &[]).expect("patterns");
        assert!(filter.wants_name(b"\xff\xfe.bin") && !filter.wants_name(b"\xff\xfe.bi"));
    }

    proptest! {
        #[test]
        fn exclude_always_wins_and_what_lies_in_a_directory_shares_its_fate(
            include in proptest::collection::vec("[ab*?/]{1,4}", 0..3),
            exclude in proptest::collection::vec("[ab*?/]{1,4}", 0..3),
            name in "[ab]{1,3}(/[ab]{1,3}){0,3}",
        ) {
            let (Ok(both), Ok(excluding)) =
                (Filter::new(&include, &exclude), Filter::new(&[], &exclude)) else { return Ok(()) };
            let (name, below) = (name.as_bytes(), format!("{name}/x"));
            prop_assert!(!both.wants_name(name) || excluding.wants_name(name));
            prop_assert_eq!(both.excludes(name), !excluding.wants_name(name));
            prop_assert!(!both.excludes(name) || !both.wants_name(below.as_bytes()));
            let is_included = Filter::new(&include, &[]).is_ok_and(|filter| filter.wants_name(name));
            prop_assert!(both.wants_name(name) == (is_included && excluding.wants_name(name)));
        }
    }
}
