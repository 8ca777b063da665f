//! Rules that map one root to another, so that bytes come straight from where they lie.

use std::borrow::Cow;

use mlfetch_store::{Error, ErrorKind, Location, Result};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What a `file:` URI must encode so that its path comes back the same.
const FILE_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#');

/// Maps every URI below one root to the same place below another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    from: String,
    to: String,
}

impl Rewrite {
    /// Maps `from` to `to`. Paths and `file:` URIs are the same thing here.
    ///
    /// # Errors
    /// `InvalidInput` if either is empty.
    pub fn new(from: &str, to: &str) -> Result<Self> {
        if from.is_empty() || to.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "use the rewrite rule",
                format!("{}={}", shown(from), shown(to)),
            )
            .with_message("it needs a root on both sides")
            .with_hint("write it as FROM=TO, like `mlflow-artifacts:/=s3://bucket/prefix`"));
        }
        Ok(Self { from: comparable(from).trim_end_matches('/').to_owned(), to: to.to_owned() })
    }

    /// Reads `FROM=TO`, cut at the first `=`.
    ///
    /// # Errors
    /// `InvalidInput` if there is no `=` or a side is empty.
    pub fn parse(text: &str) -> Result<Self> {
        let (from, to) = text.split_once('=').unwrap_or((text, ""));
        Self::new(from.trim(), to.trim())
    }

    /// The scheme of the root it maps, in lower case; empty for a path.
    pub fn scheme(&self) -> &str {
        self.from.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// The new URI if `uri` lies below this rule's root: the root itself, or anything after a `/`. A
    /// `..` behind it may lead out, and a rule is good for no more than its root.
    fn apply(&self, uri: &str) -> Option<String> {
        let comparable = comparable(uri);
        let rest = comparable.strip_prefix(&self.from)?;
        if !rest.is_empty() && !rest.starts_with('/') || rest.split('/').any(|part| part == "..") {
            return None;
        }
        let root = self.to.trim_end_matches('/');
        if self.to.starts_with("file:") {
            return Some(format!("{root}{}", utf8_percent_encode(rest, FILE_PATH)));
        }
        Some(format!("{root}{rest}"))
    }
}

/// A form in which equal places are equal text: `file:` URIs become paths, schemes lower case.
fn comparable(uri: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = uri.split_once(':') else { return Cow::Borrowed(uri) };
    if scheme.eq_ignore_ascii_case("file") {
        let path = rest.strip_prefix("//localhost").or_else(|| rest.strip_prefix("//"));
        let path = path.unwrap_or(rest);
        return Cow::Owned(percent_decode_str(path).decode_utf8_lossy().into_owned());
    }
    // `scheme:///path` and `scheme:/path` name the same root.
    match rest.strip_prefix("///") {
        Some(path) => Cow::Owned(format!("{}:/{path}", scheme.to_ascii_lowercase())),
        None => Cow::Borrowed(uri),
    }
}

/// A root, safe to show.
fn shown(root: &str) -> String {
    Location::parse(root).map_or_else(|error| error.subject().to_owned(), |root| root.to_string())
}

/// The rules in force; the one with the longest root that fits counts, and only once.
#[derive(Debug, Clone, Default)]
pub struct RewriteRules(Vec<Rewrite>);

impl RewriteRules {
    /// These rules.
    pub fn new(mut rules: Vec<Rewrite>) -> Self {
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.from.len()));
        Self(rules)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The new URI and the reason, if a rule fits.
    pub fn apply(&self, uri: &str) -> Option<(String, String)> {
        let (rule, new) = self.0.iter().find_map(|rule| Some((rule, rule.apply(uri)?)))?;
        let why = format!("rewrite rule {} = {}", shown(&rule.from), shown(&rule.to));
        Some((new, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> RewriteRules {
        RewriteRules::new(texts.iter().map(|text| Rewrite::parse(text).expect("a rule")).collect())
    }

    fn apply(rules_of: &[&str], uri: &str) -> Option<String> {
        rules(rules_of).apply(uri).map(|(new, _)| new)
    }

    #[test]
    fn a_rule_maps_a_root_and_all_below_it() {
        let rule = ["mlflow-artifacts:/=s3://bucket/prefix"];
        let new = apply(&rule, "mlflow-artifacts:/1/run/artifacts");
        assert_eq!(new.as_deref(), Some("s3://bucket/prefix/1/run/artifacts"));
        assert_eq!(apply(&rule, "mlflow-artifacts:///1").as_deref(), Some("s3://bucket/prefix/1"));
        assert_eq!(apply(&rule, "s3://other/1"), None);
    }

    #[test]
    fn a_root_ends_at_a_segment() {
        assert_eq!(apply(&["/srv/ml=/x"], "/srv/mlruns/1"), None);
        assert_eq!(apply(&["/srv/ml/=/x/"], "/srv/ml/1").as_deref(), Some("/x/1"));
    }

    #[test]
    fn a_file_uri_and_a_path_are_the_same_place() {
        assert_eq!(apply(&["file:///old=./here"], "/old/a b").as_deref(), Some("./here/a b"));
        assert_eq!(apply(&["/old=./here"], "file:///old/a%20b").as_deref(), Some("./here/a b"));
        let back = apply(&["/old=file:///new"], "/old/50%.txt");
        assert_eq!(back.as_deref(), Some("file:///new/50%25.txt"));
    }

    #[test]
    fn the_longest_root_counts() {
        let both = ["s3://b=/all", "s3://b/deep=/deep"];
        assert_eq!(apply(&both, "s3://b/deep/x").as_deref(), Some("/deep/x"));
    }

    #[test]
    fn a_rule_is_good_for_nothing_outside_its_root() {
        let to_disk = ["mlflow-artifacts:/=/mnt/store", "/old=file:///mnt/store"];
        for uri in [
            "mlflow-artifacts:/../../etc/passwd",
            "mlflow-artifacts:/1/../../../etc",
            "/old/..",
            "file:///old/%2e%2e/%2E./etc/passwd",
        ] {
            assert_eq!(apply(&to_disk, uri), None, "{uri}");
        }
        let inside = apply(&to_disk, "mlflow-artifacts:/1/..a/...");
        assert_eq!(inside.as_deref(), Some("/mnt/store/1/..a/..."));
    }

    #[test]
    fn a_rule_is_shown_without_its_password() {
        let rule = ["https://h/x=https://me:hunter2@h/y?sig=hunter2"];
        let (_, why) = rules(&rule).apply("https://h/x/a").expect("a rule");
        assert_eq!(why, "rewrite rule https://h/x = https://h/y");
        let half = Rewrite::parse("https://me:hunter2@h/\u{1b}x").expect_err("half a rule");
        assert_eq!(half.subject(), "https://h/\\u{1b}x=");
    }

    #[test]
    fn half_a_rule_is_refused() {
        assert!(Rewrite::parse("s3://b").is_err());
        assert!(Rewrite::parse("=x").is_err());
    }
}
