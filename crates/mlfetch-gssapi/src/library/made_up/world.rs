//! What the made-up library is to do, what it was asked, and what it has handed out.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::library::Status;

/// `GSS_S_FAILURE`.
pub(crate) const FAILURE: Status = 13 << 16;

/// What the library says beside it: a number of its own.
pub(crate) const CAUSE: Status = 7;

/// What a status means, text by text.
pub(crate) type Texts = &'static [&'static [u8]];

/// What the library is to do.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an oddity by itself")]
pub(crate) struct Script {
    /// Whose ticket there is.
    pub(crate) owner: &'static [u8],
    /// What it makes for the server.
    pub(crate) token: &'static [u8],
    /// What it says of a failure, and of its cause.
    pub(crate) general: Texts,
    pub(crate) special: Texts,
    /// Which steps fail, counted from 0.
    pub(crate) fails: Vec<usize>,
    /// Whether nothing is null, or a pointer to what does not count.
    pub(crate) empty_is_null: bool,
    /// Whether what could not be begun has a token and a context all the same (RFC 2744, 5.19).
    pub(crate) is_left_begun: bool,
    /// Whether it says after each text that there is another.
    pub(crate) is_endless: bool,
    /// Whether a credential has no name.
    pub(crate) is_nameless: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Credential,
    Context,
    Buffer,
}

#[derive(Debug, Default)]
struct World {
    script: Script,
    asked: Vec<String>,
    /// What is out, by its address, with its size.
    out: BTreeMap<usize, (Kind, usize)>,
    wrong: Vec<String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            owner: b"alice@R",
            token: b"\x60token",
            general: &[b"It failed"],
            special: &[b"Its cause"],
            fails: Vec::new(),
            empty_is_null: true,
            is_left_begun: true,
            is_endless: false,
            is_nameless: false,
        }
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

fn with<T>(look: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(look)
}

pub(super) fn begin(script: Script) {
    with(|world| *world = World { script, ..World::default() });
}

pub(super) fn scripted<T>(look: impl FnOnce(&Script) -> T) -> T {
    with(|world| look(&world.script))
}

/// Notes what is asked, and tells whether it is to succeed.
pub(super) fn step(asked: String) -> bool {
    with(|world| {
        world.asked.push(asked);
        !world.script.fails.contains(&(world.asked.len() - 1))
    })
}

pub(super) fn hand_out(kind: Kind, address: usize, size: usize) {
    with(|world| world.out.insert(address, (kind, size)));
}

pub(super) fn is_out(kind: Kind, address: usize) -> bool {
    with(|world| {
        let found = world.out.get(&address).is_some_and(|(found, _)| *found == kind);
        if !found {
            world.wrong.push(format!("no {kind:?} is used as one"));
        }
        found
    })
}

/// The size of what comes back. What is not out stays as it is: nothing is freed twice.
pub(super) fn give_back(kind: Kind, address: usize) -> Option<usize> {
    with(|world| match world.out.remove(&address) {
        Some((found, size)) if found == kind => Some(size),
        found => {
            world.wrong.push(format!("{found:?} is given back as {kind:?}"));
            None
        }
    })
}

/// Whether that many texts may be asked for. Who never stops fails, and does not hang.
pub(super) fn is_patient(texts: u32) -> bool {
    let is_patient = texts < 100;
    if !is_patient {
        with(|world| world.wrong.push(format!("{texts} texts of one status are asked for")));
    }
    is_patient
}

/// What the library was asked for since it was made, in order.
pub(crate) fn asked() -> Vec<String> {
    with(|world| world.asked.clone())
}

/// What was not given back, and what was given back or used wrongly.
pub(crate) fn faults() -> Vec<String> {
    let kept = |(kind, _): &(Kind, usize)| format!("{kind:?} is not given back");
    with(|world| world.out.values().map(kept).chain(world.wrong.clone()).collect())
}
