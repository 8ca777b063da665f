//! The mount table of `viewfs:` (Hadoop's "View File System Guide").

use mlfetch_store::{Error, Key, Location, Result};

use super::unknown;
use crate::location::{Place, Scheme, key_of};
use crate::site::Site;

/// The table that counts where the URI names none.
const DEFAULT_TABLE: &str = "default";

/// Where a place of `viewfs:` really is.
///
/// # Errors
/// `InvalidInput` where no mount leads there, naming those that there are.
pub(super) fn follow(place: &Place, site: &Site) -> Result<Place> {
    let table = place.authority.as_deref().unwrap_or(DEFAULT_TABLE);
    let start = format!("fs.viewfs.mounttable.{table}.");
    let path = format!("/{}", place.key.to_str()?);
    let links = format!("{start}link.");
    let mut mounts: Vec<(String, String)> =
        site.below(&links).map(|(mount, target)| (mount.to_owned(), target)).collect();
    mounts.sort();
    let found = mounts
        .iter()
        .filter_map(|(mount, target)| Some((mount, target, below(mount, &path)?)))
        .max_by_key(|(mount, ..)| mount.len());
    if let Some((_, target, rest)) = found {
        return join(target, rest);
    }
    let whole = ["linkMergeSlash", "linkFallback"];
    match whole.iter().find_map(|name| site.get(&format!("{start}{name}"))) {
        Some(target) => join(&target, &path),
        None => Err(not_mounted(place, &mounts)),
    }
}

/// What follows a mount in a path, if the mount is it or a directory above it.
fn below<'a>(mount: &str, path: &'a str) -> Option<&'a str> {
    let rest = path.strip_prefix(mount.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

fn join(target: &str, rest: &str) -> Result<Place> {
    let place = Place::parse(&Location::parse(target)?)?;
    let base = place.key.to_str()?;
    let key = key_of(&format!("{}/{rest}", base.trim_end_matches('/')));
    Ok(Place { key: without_added_slash(key, rest), ..place })
}

/// A mount that is named itself is asked for without a `/` that nobody wrote.
fn without_added_slash(key: Key, rest: &str) -> Key {
    match key.as_bytes().split_last() {
        Some((b'/', before)) if rest.is_empty() => Key::new(before),
        _ => key,
    }
}

fn not_mounted(place: &Place, mounts: &[(String, String)]) -> Error {
    debug_assert_eq!(place.scheme, Scheme::ViewFs);
    if mounts.is_empty() {
        return unknown(place, "there is no such mount table")
            .with_hint("give HADOOP_CONF_DIR: `fs.viewfs.mounttable.…` stands in core-site.xml");
    }
    let known: Vec<&str> = mounts.iter().map(|(mount, _)| mount.as_str()).collect();
    let known = mlfetch_store::escape(known.join(", ").as_bytes());
    unknown(place, "no mount leads there").with_hint(format!("the mounts are: {known}"))
}
