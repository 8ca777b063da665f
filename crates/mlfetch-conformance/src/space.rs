//! A seeded namespace, and the questions that cases put to it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use mlfetch_store::{
    Depth, Entry, Error, ErrorKind, Key, ListRequest, ObjectBody, ObjectInfo, ReadRequest, Refused,
    Result, StatRequest, Store, WalkLimits, walk,
};

use crate::{Behaviour, Fixture, Seeded};

/// More pages than any case needs: a listing that goes round is noticed.
const MAX_PAGES: usize = 1000;

/// What a fixture seeded, and what is known of its server.
pub(crate) struct Space {
    seeded: Seeded,
    behaviours: Vec<Behaviour>,
}

/// What a listing gave, by kind.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) objects: Vec<ObjectInfo>,
    pub(crate) directories: Vec<Key>,
    pub(crate) refused: Vec<Refused>,
    /// The most rows that came in one page.
    pub(crate) largest_page: usize,
}

impl Space {
    pub(crate) fn new(seeded: Seeded, fixture: &dyn Fixture) -> Self {
        let behaviours = fixture.quirks().iter().filter_map(crate::Quirk::as_behaviour).collect();
        Self { seeded, behaviours }
    }

    /// Seeds objects that every server can hold.
    pub(crate) async fn with(fixture: &dyn Fixture, objects: &[(Key, Bytes)]) -> Self {
        let seeded = fixture.seed(objects).await.expect("the fixture seeds plain objects");
        Self::new(seeded, fixture)
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.seeded.store
    }

    pub(crate) fn has(&self, behaviour: Behaviour) -> bool {
        self.behaviours.contains(&behaviour)
    }

    /// The kind of error that what is missing gives.
    pub(crate) fn missing_kind(&self) -> ErrorKind {
        let named = self.behaviours.iter().find_map(|behaviour| match behaviour {
            Behaviour::MissingIs(kind) => Some(*kind),
            _ => None,
        });
        named.unwrap_or(ErrorKind::NotFound)
    }

    /// The whole key of a name in this namespace.
    pub(crate) fn key(&self, name: impl AsRef<[u8]>) -> Key {
        self.seeded.prefix.append(name)
    }

    /// The name in this namespace of a whole key.
    pub(crate) fn name(&self, key: &Key) -> Key {
        let name = key.strip_prefix(&self.seeded.prefix);
        Key::new(name.unwrap_or_else(|| panic!("`{key}` was listed outside its prefix")))
    }

    pub(crate) async fn stat(&self, name: impl AsRef<[u8]>) -> Result<ObjectInfo> {
        self.store().stat(&self.key(name), StatRequest::new()).await
    }

    pub(crate) async fn read(&self, name: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        self.read_as(name, ReadRequest::new()).await
    }

    pub(crate) async fn read_as(
        &self,
        name: impl AsRef<[u8]>,
        request: ReadRequest,
    ) -> Result<Vec<u8>> {
        collect(self.store().read(&self.key(name), request).await?.body).await
    }

    /// One directory, all its pages.
    pub(crate) async fn list(&self, name: &str, page: Option<usize>) -> Result<Listed> {
        let page = page.and_then(NonZeroUsize::new);
        let mut request = ListRequest::new(self.key(name), Depth::One).with_max_entries(page);
        let mut listed = Listed::default();
        for _ in 0..MAX_PAGES {
            let answer = self.store().list_page(request.clone()).await?;
            let rows = answer.entries.len();
            let counted = answer.entries.iter().filter(|entry| self.counts(entry)).count();
            assert!(
                page.is_none_or(|page| counted <= page.get()),
                "{rows} rows in a page of {page:?}"
            );
            listed.largest_page = listed.largest_page.max(rows);
            answer.entries.into_iter().for_each(|entry| listed.push(entry));
            let Some(next) = answer.next else { return Ok(self.sorted(listed)) };
            request.token = Some(next);
        }
        panic!("the listing of `{name}` has no end");
    }

    /// Sorted, and each directory once where the server is known to repeat them.
    fn sorted(&self, listed: Listed) -> Listed {
        let mut listed = listed.sorted();
        if self.has(Behaviour::DirectoriesBesidePages) {
            listed.directories.dedup();
        }
        listed
    }

    /// Whether the server counts a row among those that were asked for.
    fn counts(&self, entry: &Entry) -> bool {
        !(self.has(Behaviour::DirectoriesBesidePages) && matches!(entry, Entry::Directory(_)))
    }

    /// Everything below a prefix.
    pub(crate) async fn walk(&self, name: &str, page: Option<usize>) -> Result<Listed> {
        let limits = WalkLimits::default().with_page_entries(page.and_then(NonZeroUsize::new));
        let mut rows = walk(Arc::clone(self.store()), self.key(name), limits);
        let mut listed = Listed::default();
        while let Some(row) = rows.next().await {
            listed.push(row?);
        }
        Ok(listed.sorted())
    }

    /// Whether the store lists at all; if it says that it does not, that it says so properly.
    pub(crate) async fn lists(&self) -> bool {
        if !self.has(Behaviour::NoListing) {
            return true;
        }
        let error = self.list("", None).await.expect_err("the quirk NoListing is out of date");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        false
    }
}

impl Listed {
    fn push(&mut self, entry: Entry) {
        match entry {
            Entry::Object(info) => self.objects.push(info),
            Entry::Directory(key) => self.directories.push(key),
            Entry::Refused(refused) => self.refused.push(refused),
            other => panic!("the suite does not know this row: {other:?}"),
        }
    }

    fn sorted(mut self) -> Self {
        self.objects.sort_by(|left, right| left.key.cmp(&right.key));
        self.directories.sort();
        self
    }

    /// The names of the objects in a namespace; nothing may be refused.
    pub(crate) fn names(&self, space: &Space) -> Vec<String> {
        assert!(self.refused.is_empty(), "nothing is to be refused: {:?}", self.refused);
        self.objects.iter().map(|info| space.name(&info.key).to_string()).collect()
    }

    pub(crate) fn directory_names(&self, space: &Space) -> Vec<String> {
        self.directories.iter().map(|key| space.name(key).to_string()).collect()
    }
}

/// All bytes of a body.
pub(crate) async fn collect(mut body: ObjectBody) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(chunk) = body.next().await {
        all.extend_from_slice(&chunk?);
    }
    Ok(all)
}

/// Objects from names and texts.
pub(crate) fn objects(pairs: &[(&str, &'static str)]) -> Vec<(Key, Bytes)> {
    pairs.iter().map(|(name, text)| (Key::from(*name), Bytes::from(*text))).collect()
}

/// Bytes without a pattern, always the same for the same length: a multiply-and-shift sequence.
pub(crate) fn noise(length: usize) -> Bytes {
    let mut state: u64 = 0x1234_5678_9abc_def1;
    let words = std::iter::repeat_with(move || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state ^ (state >> 29)).to_le_bytes()
    });
    words.flatten().take(length).collect::<Vec<u8>>().into()
}
