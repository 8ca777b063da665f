//! A place on the way, and what belongs to it.

use mlfetch_store::{Error, ErrorKind, Key, Location, Result};

/// A place on the way: a root, and the path asked for below it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Target {
    /// The root's URI or path. Links and permissions are judged against this root.
    pub uri: String,
    /// The path below it, as exact bytes; a trailing `/` asks for a directory's contents.
    pub path: Key,
    /// Who named this URI.
    pub named_by: NamedBy,
    /// Where it lands below the destination.
    pub placement: Placement,
    /// The registered model this is, to be noted beside it.
    pub model: Option<ModelMeta>,
    /// Whether this part may be missing as long as another part of the same request is there.
    pub optional: bool,
    /// Whether nothing may be there: the root of a run or a model that has no artifacts. A place that
    /// somebody named by its own URI must hold something.
    pub may_be_empty: bool,
    /// The same place as the server that named it gives it out itself, for where the place can not
    /// be followed: a path on the server's own disk.
    pub through_server: Option<String>,
    /// Things worth telling the user: a run that is deleted, a stage that is ambiguous.
    pub warnings: Vec<String>,
}

/// Who named a URI: it decides what may be followed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NamedBy {
    /// The user, on this machine.
    #[default]
    User,
    /// A tracking store on this machine: a local database, local files, a server on loopback.
    LocalStore(String),
    /// A tracking server elsewhere.
    RemoteStore(String),
}

/// Where a target lands below the destination, before the layout is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placement {
    /// A directory of its own below the destination; empty for none.
    pub under: Vec<u8>,
    /// The path asked for, from the root of the run, model or location.
    pub asked: Vec<u8>,
    /// MLflow keeps all of `asked` for models and only its last segment otherwise
    /// (MLflow 3.17; MLflow 2 kept all of it for runs too).
    pub keeps_whole_path: bool,
}

/// What MLflow notes beside a model in the file `registered_model_meta`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelMeta {
    /// The registered name; `None` for a logged model.
    pub name: Option<String>,
    /// The version; `None` for a logged model.
    pub version: Option<String>,
}

impl ModelMeta {
    /// The file's text, as MLflow 3.17 writes it.
    pub(crate) fn to_yaml(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let name = self.name.as_deref().map_or("null".to_owned(), |name| {
            if is_plain_yaml(name) { name.to_owned() } else { quoted(name) }
        });
        let version = self.version.as_deref().map_or("null".to_owned(), quoted);
        format!("model_name: {name}\nmodel_version: {version}\n")
    }
}

/// Whether YAML reads the text as a string without quotes; when in doubt it is quoted.
fn is_plain_yaml(text: &str) -> bool {
    let letters = |character: char| {
        character.is_alphanumeric() || matches!(character, '-' | '_' | '.' | ' ' | '/')
    };
    let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "~"];
    text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(letters)
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
}

impl Target {
    /// A root named by the user, nothing below it.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            path: Key::root(),
            named_by: NamedBy::User,
            placement: Placement::default(),
            model: None,
            optional: false,
            may_be_empty: false,
            through_server: None,
            warnings: Vec::new(),
        }
    }

    /// With a path below the root.
    #[must_use]
    pub fn with_path(mut self, path: Key) -> Self {
        self.path = path;
        self
    }

    /// With what decides where it lands.
    #[must_use]
    pub fn with_placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// With the registered model it is.
    #[must_use]
    pub fn with_model(mut self, model: ModelMeta) -> Self {
        self.model = Some(model);
        self
    }

    /// May hold nothing, as a run without artifacts does.
    #[must_use]
    pub fn with_may_be_empty(mut self, may_be_empty: bool) -> Self {
        self.may_be_empty = may_be_empty;
        self
    }

    /// May be missing as long as another part is there.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Another URI for the same thing, named by a store.
    #[must_use]
    pub fn hop(&self, uri: impl Into<String>, named_by: NamedBy) -> Self {
        Self { uri: uri.into(), named_by, through_server: None, ..self.clone() }
    }

    /// With the place at which the server that named it gives it out.
    #[must_use]
    pub fn with_through_server(mut self, uri: impl Into<Option<String>>) -> Self {
        self.through_server = uri.into();
        self
    }

    /// With one more warning.
    #[must_use]
    pub fn with_warning(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// The URI, split.
    ///
    /// # Errors
    /// `InvalidInput` if it is empty or holds a NUL.
    pub fn location(&self) -> Result<Location> {
        Location::parse(self.uri.as_str())
    }

    /// The URI with the path, safe to show.
    pub fn display(&self) -> String {
        let root = match self.location() {
            Ok(root) => root.to_string(),
            Err(error) => error.subject().to_owned(),
        };
        if self.path.is_root() {
            return root;
        }
        format!("{}/{}", root.trim_end_matches('/'), self.path)
    }
}

impl Placement {
    /// What was asked for below a root; MLflow keeps its last segment.
    pub fn last_segment(asked: impl Into<Vec<u8>>) -> Self {
        Self { asked: asked.into(), ..Self::default() }
    }

    /// What was asked for below a root; all of it is kept.
    pub fn whole_path(asked: impl Into<Vec<u8>>) -> Self {
        Self { asked: asked.into(), keeps_whole_path: true, ..Self::default() }
    }

    /// The same in a directory of its own below the destination.
    #[must_use]
    pub fn under(mut self, directory: impl Into<Vec<u8>>) -> Self {
        self.under = directory.into();
        self
    }
}

/// Refuses the paths that a user cannot mean below a root: absolute ones, and any with `..`; drops
/// empty and `.` segments, which MLflow's joining drops too. A trailing `/` stays, and a trailing
/// `/.` is one.
///
/// # Errors
/// `InvalidInput`, naming the path.
pub fn checked_path(path: &str) -> Result<String> {
    let refuse = |why: &'static str| {
        Err(Error::new(
            ErrorKind::InvalidInput,
            "use the artifact path",
            mlfetch_store::escape(path.as_bytes()),
        )
        .with_message(why)
        .with_hint("give the path relative to the root of the run or model, like `model/MLmodel`"))
    };
    if path.starts_with('/') {
        return refuse("it is absolute");
    }
    if path.split(['/', '\\']).any(|segment| segment == "..") {
        return refuse("it leads out of the artifact root with `..`");
    }
    let kept: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let mut checked = kept.join("/");
    if !checked.is_empty() && (path.ends_with('/') || path.ends_with("/.")) {
        checked.push('/');
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_joined_as_mlflow_joins_it() {
        let rows = [
            ("a/b", "a/b"),
            ("a//b", "a/b"),
            ("./a/b", "a/b"),
            (".", ""),
            ("a/", "a/"),
            ("a/.", "a/"),
            ("", ""),
        ];
        for (given, kept) in rows {
            assert_eq!(checked_path(given).expect(given), kept);
        }
    }

    #[test]
    fn model_meta_is_what_mlflow_writes() {
        let meta = |name: Option<&str>, version: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            ModelMeta { name: own(name), version: own(version) }.to_yaml()
        };
        assert_eq!(meta(Some("mymodel"), Some("1")), "model_name: mymodel\nmodel_version: '1'\n");
        assert_eq!(meta(None, None), "model_name: null\nmodel_version: null\n");
        assert_eq!(meta(Some("12"), Some("1")), "model_name: '12'\nmodel_version: '1'\n");
        assert_eq!(meta(Some("it's"), Some("1")), "model_name: 'it''s'\nmodel_version: '1'\n");
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        for bad in ["..", "../x", "a/../../x", "a\\..\\x", "/etc"] {
            assert!(checked_path(bad).is_err(), "{bad}");
        }
    }
}
