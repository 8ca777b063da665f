//! What is needed to fetch exactly the same bytes again: the places that a URI led to, and the
//! manifest of what came.

use std::path::Path;

use mlfetch_store::{Error, ErrorKind, Key, Result, escape};
use serde::{Deserialize, Serialize};

use super::document::push;
use super::row::{hex, unhex};
use super::{Manifest, read_file, save};
use crate::Layout;
use crate::destination::DestinationError;
use crate::resolve::{ModelMeta, Placement, Resolved, Target};

/// The form that this version writes and reads.
const FORM: &str = "mlfetch/1";

/// The places that a URI led to, and what came from there.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Lock {
    /// What was asked for, safe to show.
    pub asked: String,
    /// How it was laid out.
    pub layout: Layout,
    /// The patterns that chose files.
    pub include: Vec<String>,
    /// The patterns that left files out.
    pub exclude: Vec<String>,
    /// Whether a registered model was noted beside its files.
    pub model_meta: bool,
    /// The places, to be laid over each other in this order.
    pub targets: Vec<Target>,
    /// What came.
    pub manifest: Manifest,
}

/// The first line of a lock; a manifest follows.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    lock: String,
    asked: String,
    layout: String,
    include: Vec<String>,
    exclude: Vec<String>,
    model_meta: bool,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Part {
    uri: String,
    /// Exact bytes in hexadecimal, as the two below.
    path: String,
    under: String,
    placed: String,
    keeps_whole_path: bool,
    optional: bool,
    may_be_empty: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<(Option<String>, Option<String>)>,
}

impl Lock {
    /// Of what was asked for, where it led to, and what came.
    ///
    /// # Errors
    /// `Refused` for a place whose URI holds a credential: it would be in the file.
    pub fn new(asked: &str, parts: &[Resolved], manifest: Manifest) -> Result<Self> {
        for part in parts {
            let uri = &part.target.uri;
            if part.target.location()?.to_string() != escape(uri.as_bytes()) {
                return Err(Error::new(ErrorKind::Refused, "lock", part.target.display())
                    .with_message("its URI holds a user, a password or a query")
                    .with_hint("give the credential by a variable instead"));
            }
        }
        Ok(Self {
            asked: asked.to_owned(),
            layout: Layout::default(),
            include: Vec::new(),
            exclude: Vec::new(),
            model_meta: true,
            targets: parts.iter().map(|part| part.target.clone()).collect(),
            manifest,
        })
    }

    /// Reads a lock.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`, `Io` if it cannot be read; `InvalidInput` if it is none;
    /// `Integrity` if its manifest was changed.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read_file(path, "read the lock")?;
        Self::parse(&bytes, &escape(path.as_os_str().as_encoded_bytes()))
    }

    pub(super) fn parse(text: &[u8], name: &str) -> Result<Self> {
        let refuse = |why: String| {
            Error::new(ErrorKind::InvalidInput, "read the lock", name)
                .with_message(why)
                .with_hint("write it with `mlfetch get --lock`")
        };
        let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
        let (first, rest) = text.split_at(end);
        let head: Head = serde_json::from_slice(first)
            .map_err(|_| refuse("its first line is not that of a lock".into()))?;
        if head.lock != FORM {
            let found = escape(head.lock.as_bytes());
            return Err(refuse(format!("its form is `{found}`, and this version reads `{FORM}`")));
        }
        let targets: Option<Vec<Target>> = head.parts.into_iter().map(Part::target).collect();
        Ok(Self {
            asked: head.asked,
            layout: layout_of(&head.layout)
                .ok_or_else(|| refuse("its layout is not one of this version".into()))?,
            include: head.include,
            exclude: head.exclude,
            model_meta: head.model_meta,
            targets: targets.ok_or_else(|| refuse("one of its paths is not hexadecimal".into()))?,
            manifest: Manifest::parse(rest, name)?,
        })
    }

    /// Its text: a line of its own, then the manifest's.
    pub fn to_text(&self) -> Vec<u8> {
        let head = Head {
            lock: FORM.to_owned(),
            asked: self.asked.clone(),
            layout: layout_word(self.layout).to_owned(),
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            model_meta: self.model_meta,
            parts: self.targets.iter().map(Part::of).collect(),
        };
        let mut text = Vec::new();
        push(&mut text, &head);
        text.extend(self.manifest.to_text());
        text
    }

    /// Writes it to `path`, in one step.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path) -> std::result::Result<(), DestinationError> {
        save::save(path, &self.to_text())
    }
}

impl Part {
    fn of(target: &Target) -> Self {
        let Placement { under, asked, keeps_whole_path } = &target.placement;
        let model = target.model.clone().map(|ModelMeta { name, version }| (name, version));
        Self {
            uri: target.uri.clone(),
            path: hex(target.path.as_bytes()),
            under: hex(under),
            placed: hex(asked),
            keeps_whole_path: *keeps_whole_path,
            optional: target.optional,
            may_be_empty: target.may_be_empty,
            model,
        }
    }

    fn target(self) -> Option<Target> {
        let mut target = Target::new(self.uri).with_path(Key::new(unhex(&self.path)?));
        target.placement = Placement {
            under: unhex(&self.under)?,
            asked: unhex(&self.placed)?,
            keeps_whole_path: self.keeps_whole_path,
        };
        target.optional = self.optional;
        target.may_be_empty = self.may_be_empty;
        target.model = self.model.map(|(name, version)| ModelMeta { name, version });
        Some(target)
    }
}

fn layout_word(layout: Layout) -> &'static str {
    match layout {
        Layout::Mlflow => "mlflow",
        Layout::Contents => "contents",
        Layout::Run => "run",
    }
}

fn layout_of(word: &str) -> Option<Layout> {
    [Layout::Mlflow, Layout::Contents, Layout::Run]
        .into_iter()
        .find(|layout| layout_word(*layout) == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::{ResolveContext, resolve};

    async fn lock(target: Target) -> Result<Lock> {
        let parts = resolve(&ResolveContext::new(), target).await?;
        Lock::new("models:/fraud@champion", &parts, Manifest::default())
    }

    #[tokio::test]
    async fn what_is_written_is_read_again() {
        let model = ModelMeta { name: Some("fraud".into()), version: None };
        let placement = Placement::whole_path("a/\u{fffd}").under("b");
        let target = Target::new("s3://b/x?y").with_path(Key::new(b"p\xff/".as_slice()));
        let target = target.with_placement(placement).with_model(model).optional();
        let mut written = lock(target.clone()).await.expect("locked");
        (written.layout, written.include) = (Layout::Run, vec!["*.json".into()]);
        let read = Lock::parse(&written.to_text(), "lock").expect("read");
        assert_eq!(read.to_text(), written.to_text());
        assert_eq!((read.layout, read.asked), (Layout::Run, "models:/fraud@champion".into()));
        let found = &read.targets[0];
        assert_eq!((&found.uri, &found.path), (&target.uri, &target.path));
        assert_eq!((&found.placement, &found.model), (&target.placement, &target.model));
        assert!(found.optional);
    }

    #[tokio::test]
    async fn a_credential_is_never_locked() {
        for uri in ["https://u:p@h/x", "https://h/x?sig=1"] {
            let error = lock(Target::new(uri)).await.expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Refused);
        }
    }

    #[test]
    fn what_is_no_lock_is_refused() {
        for text in ["", "{}\n", "{\"manifest\":\"mlfetch/1\"}\n"] {
            let error = Lock::parse(text.as_bytes(), "lock").expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }
}
