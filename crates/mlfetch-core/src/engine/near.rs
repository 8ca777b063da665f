//! Names that somebody may have meant.

use mlfetch_store::{Depth, Entry, Key, ListRequest, Result, Store};

/// Names that are offered at most.
const MAX_OFFERED: usize = 3;

/// The names beside `key` that are most like it, best first.
///
/// # Errors
/// Those of listing.
pub(super) async fn near_names(store: &dyn Store, key: &Key) -> Result<Vec<String>> {
    let trimmed = Key::new(key.as_bytes().strip_suffix(b"/").unwrap_or(key.as_bytes()));
    let (parent, wanted) = trimmed.split_last();
    let request = ListRequest::new(parent.clone(), Depth::One);
    let page = store.list_page(request).await?;
    let mut scored: Vec<(usize, String)> = Vec::new();
    for entry in page.entries {
        let found = match entry {
            Entry::Object(info) => info.key,
            Entry::Directory(key) => key,
            _ => continue,
        };
        let Some(name) = found.strip_prefix(&parent) else { continue };
        let name = name.strip_suffix(b"/").unwrap_or(name);
        if let Some(score) = likeness(wanted, name) {
            scored.push((score, mlfetch_store::escape(name)));
        }
    }
    scored.sort();
    Ok(scored.into_iter().take(MAX_OFFERED).map(|(_, name)| name).collect())
}

/// Smaller is more alike; `None` for names that nobody confuses.
fn likeness(wanted: &[u8], name: &[u8]) -> Option<usize> {
    if wanted.eq_ignore_ascii_case(name) {
        return Some(0);
    }
    if !wanted.is_empty() && (name.starts_with(wanted) || wanted.starts_with(name)) {
        return Some(1);
    }
    let chars = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let distance = strsim::levenshtein(&chars(wanted), &chars(name));
    (distance <= 1 + wanted.len() / 4).then_some(1 + distance)
}

#[cfg(test)]
mod tests {
    use mlfetch_store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn the_most_alike_come_first() {
        let mut store = MemoryStore::new();
        for key in ["m/MLmodel", "m/model.pkl", "m/conda.yaml", "m/data/x"] {
            store = store.with(Key::from(key), "x");
        }
        let near = async |key| near_names(&store, &Key::from(key)).await.expect("a listing");
        assert_eq!(near("m/mlmodel").await, ["MLmodel"]);
        assert_eq!(near("m/model.pk").await, ["model.pkl"]);
        assert_eq!(near("m/dta/").await, ["data"]);
        assert!(near("m/nothing").await.is_empty());
    }
}
