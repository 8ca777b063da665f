//! The suite that every store passes, and stores that fail on purpose.
//!
//! # How to use it
//!
//! 1. Add `mlfetch-conformance.workspace = true` to `[dev-dependencies]`.
//! 2. Implement [`Fixture`]: [`seed`](Fixture::seed) puts exact keys and bytes into a fresh namespace
//!    (a bucket, prefix or directory) through a client that is not ours, opens it with our backend
//!    and returns [`Seeded::new(store, prefix)`](Seeded::new). What must live as long as the test
//!    (a temporary directory, a server process) goes in [`Seeded::with_guard`].
//!    [`secrets`](Fixture::secrets) lists what must never be printed.
//! 3. Name what the server cannot do in [`quirks`](Fixture::quirks), each with a reason:
//!    - [`Quirk::no_key`]: the server cannot hold keys of a [`KeyClass`];
//!    - [`Quirk::unserved_key`]: it holds them, and its protocol does not give them out;
//!    - [`Quirk::poisoned_listing`]: one such key makes the listing of its directory fail;
//!    - [`Quirk::behaviour`]: it does something else than others ([`Behaviour`]).
//!
//!    `.only(&["100%"])` narrows a quirk to some keys of the class ([`KeyClass::keys`]).
//! 4. In `tests/conformance.rs`, outside any function: `conformance_suite!(MyFixture::new());`.
//!    The expression is evaluated anew in each test, inside an `async` block of a tokio runtime: it
//!    may `.await`. Each case becomes one `#[test]`, with a limit of two minutes.
//!
//! A quirk is never a skipped test. The keys of a quirk are asked for, must give a clean error that
//! names them and never the bytes of a look-alike; and when a quirk turns out not to exist any
//! more, its case fails.
//!
//! # Stores that fail
//!
//! [`FaultyStore`] wraps any store: it fails calls, cuts, breaks, flips, stalls.
#![doc = ""]
#![doc = include_str!("../README.md")]

#[doc(hidden)]
pub mod cases;
mod faulty;
mod fixture;
mod keys;
mod quirk;
mod space;
mod spoil;
mod suite;

pub use bytes::Bytes;
pub use faulty::{FaultyStore, Operation};
pub use fixture::{Fixture, Seeded};
pub use keys::KeyClass;
pub use quirk::{Behaviour, KeyFate, Quirk};
#[doc(hidden)]
pub use suite::run_case;
