//! Odd keys: each class is listed, described and read exactly, or its quirk is checked.

use bytes::Bytes;
use mlfetch_store::{Error, ErrorKind, Key};

use crate::space::Space;
use crate::{Behaviour, Fixture, KeyClass, KeyFate};

/// An object beside the odd ones, at the top and in the directory they share.
const NEIGHBOURS: [&str; 2] = ["neighbour.txt", "in/neighbour.txt"];

/// Every key of the class is exact; those that are a quirk of the server behave as it says.
pub async fn exact(fixture: &dyn Fixture, class: KeyClass) {
    let mut plain = Vec::new();
    let mut odd: [Vec<Key>; 3] = Default::default();
    for key in class.keys() {
        match fixture.quirks().iter().find_map(|quirk| quirk.fate(class, &key)) {
            None => plain.push(key),
            Some(fate) => odd[fate as usize].push(key),
        }
    }
    if !plain.is_empty() {
        let seeded = fixture.seed(&objects(&plain)).await.expect("the fixture seeds these keys");
        let space = Space::new(seeded, fixture);
        if let Err(found) = everything_is_exact(&space, &plain).await {
            panic!("{found}");
        }
    }
    for (fate, keys) in [KeyFate::NotHeld, KeyFate::NotServed, KeyFate::PoisonsListing]
        .into_iter()
        .zip(&odd)
        .filter(|(_, keys)| !keys.is_empty())
    {
        no_look_alike_answers(fixture, class, keys).await;
        the_quirk_is_real(fixture, fate, keys).await;
    }
}

/// The keys and the neighbours, each with bytes of its own.
fn objects(keys: &[Key]) -> Vec<(Key, Bytes)> {
    let neighbours = NEIGHBOURS.iter().map(|name| Key::from(*name));
    keys.iter().cloned().chain(neighbours).map(|key| (key.clone(), bytes_of(&key))).collect()
}

fn bytes_of(key: &Key) -> Bytes {
    format!("the bytes of {key}").into()
}

/// What differs from an exact listing, stat and read of `keys` and the neighbours.
async fn everything_is_exact(space: &Space, keys: &[Key]) -> Result<(), String> {
    let expected = objects(keys);
    if !space.has(Behaviour::NoListing) {
        listing_is_exact(space, &expected).await?;
    }
    for (key, bytes) in &expected {
        let info = space.stat(key.as_bytes()).await.map_err(|error| error.to_string())?;
        if info.key != space.key(key.as_bytes()) {
            return Err(format!("a stat of `{key}` answers for `{}`", info.key));
        }
        if info.size.is_some_and(|size| size != bytes.len() as u64) {
            return Err(format!("the size of `{key}` is wrong"));
        }
        let arrived = space.read(key.as_bytes()).await.map_err(|error| error.to_string())?;
        if arrived != *bytes {
            return Err(format!("`{key}` has other bytes"));
        }
    }
    Ok(())
}

async fn listing_is_exact(space: &Space, expected: &[(Key, Bytes)]) -> Result<(), String> {
    let listed = space.walk("", None).await.map_err(|error| error.to_string())?;
    if let Some(refused) = listed.refused.first() {
        return Err(format!("`{}` is refused: {}", refused.key, refused.error));
    }
    let names: Vec<Key> = listed.objects.iter().map(|info| space.name(&info.key)).collect();
    let mut wanted: Vec<Key> = expected.iter().map(|(key, _)| key.clone()).collect();
    wanted.sort();
    if names == wanted { Ok(()) } else { Err(format!("listed: {names:?}, seeded: {wanted:?}")) }
}

/// With only the look-alikes there, asking for the keys is a clean error.
async fn no_look_alike_answers(fixture: &dyn Fixture, class: KeyClass, keys: &[Key]) {
    let space = Space::with(fixture, &objects(&class.look_alikes())).await;
    for key in keys {
        for error in
            [space.stat(key.as_bytes()).await.err(), space.read(key.as_bytes()).await.err()]
        {
            let error = error.unwrap_or_else(|| panic!("something answers for `{key}`"));
            assert_clean(&space, key, &error);
        }
    }
}

fn assert_clean(space: &Space, key: &Key, error: &Error) {
    let kinds = [
        ErrorKind::NotFound,
        ErrorKind::IsDirectory,
        ErrorKind::InvalidKey,
        ErrorKind::Refused,
        ErrorKind::Unsupported,
        space.missing_kind(),
    ];
    assert!(kinds.contains(&error.kind()), "`{key}`: {error:?}");
    assert!(error.to_string().contains(&key.to_string()), "`{key}` is not named: {error}");
}

/// The server has the quirk still, its neighbours arrive, and no wrong bytes do.
async fn the_quirk_is_real(fixture: &dyn Fixture, fate: KeyFate, keys: &[Key]) {
    let seeded = fixture.seed(&objects(keys)).await;
    let seeded = match (seeded, fate) {
        (Err(_), KeyFate::NotHeld) => return,
        (seeded, _) => seeded.expect("the server holds these keys"),
    };
    let space = Space::new(seeded, fixture);
    let exact = everything_is_exact(&space, keys).await;
    assert!(exact.is_err(), "the quirk is out of date: {keys:?} work");
    for key in keys {
        match space.read(key.as_bytes()).await {
            Ok(bytes) => assert_eq!(bytes, bytes_of(key), "`{key}` has other bytes"),
            Err(error) => assert_clean(&space, key, &error),
        }
    }
    for name in NEIGHBOURS {
        let bytes = space.read(name).await.expect("the neighbour arrives");
        assert_eq!(bytes, bytes_of(&Key::from(name)));
    }
    if !space.has(Behaviour::NoListing) {
        neighbours_are_listed(&space, fate).await;
    }
}

async fn neighbours_are_listed(space: &Space, fate: KeyFate) {
    let listed = space.walk("", None).await;
    if fate == KeyFate::PoisonsListing {
        let whole = listed.is_ok_and(|listed| listed.refused.is_empty());
        assert!(!whole, "the listing is not poisoned: say `unserved_key`");
        return;
    }
    let listed = listed.expect("a listing");
    let names: Vec<Key> = listed.objects.iter().map(|info| space.name(&info.key)).collect();
    for neighbour in NEIGHBOURS {
        assert!(names.contains(&Key::from(neighbour)), "`{neighbour}` is not listed");
    }
}
