//! The artifact proxy of a tracking server: artifacts that lie where only the server can reach
//! them, or straight from its bucket by URLs that it signs.
//!
//! # Names
//!
//! The server reads a path as a URI, decodes it until nothing changes, and so cannot be asked for
//! every name that it lists. As it was run (MLflow 3.17.2, names written straight into the storage;
//! *disk*: `--artifacts-destination <directory>`, *S3*: `s3://…`; *model*: the route of a logged
//! model's files). Where a cell says *other*, the bytes of another file come if that file exists,
//! with status 200, and 404 (S3: 500) if it does not:
//!
//! | name | proxy and `get-artifact`, disk | the same, S3 | signed URL | model, disk | model, S3 |
//! |---|---|---|---|---|---|
//! | blanks, `+`, `&`, `:`, `=`, quotes, a backslash, `100%`, `%zz`, `a?b`, `a;b`, non-Latin | yes | yes | yes | yes | yes |
//! | `%41`, `a%20b`, `%25`, `a%2Fb`, `%ff` | other | other | other | other | yes |
//! | `a?`, `a;` (other: `a`) | with `/` behind | other | other | other | yes |
//! | `a#b` | 400 | 400 | 400 | 400 | 400 |
//! | `#` | 400 | 200 without bytes; `get-artifact`: 400 | 404 | 400 | yes |
//! | `?` | with `/` behind | 200 without bytes; `get-artifact`: 400 | 404 | 400 | yes |
//! | tab (other: without it) | other | other | other | other | yes |
//! | newline (other: without it) | 404; `get-artifact`: other | the same | 404 | 500 | 500 |
//! | carriage return (other: without it) | other | other | other | 500 | 500 |
//! | other control characters (other: `%01`) | other | other | other | other | in a header that HTTP does not allow |
//! | not UTF-8 | its directory's listing is 500 | – | – | – | – |
//!
//! Encoding twice or more changes nothing. A directory with such a name is listed as another one,
//! so it is not entered. What [`ProxyStore`] does: a name that the proxy's route leaves alone is
//! asked for there; one that loses its last character gets a `/`, and the answer must be a disk's;
//! the others go through the logged model's route where the store was given a [`ModelFiles`], the
//! server keeps its artifacts in S3, and the size is the listed one. What is left is an
//! `InvalidKey` that says what else to do; no request is made for it, because another file could
//! answer.
//!
//! # Servers
//!
//! A server with its artifacts on its own disk gives lengths, tags and ranges. One with a bucket
//! copies each object to its own disk first: under uvicorn it gives none of them, answers 500 for
//! what is missing and 200 without bytes for a directory, and the listing of the parent tells the
//! truth then; under gunicorn and waitress each answer has the tag of a new temporary file, which
//! is not passed on. With S3 behind it, it signs URLs instead. `HEAD` is never asked: its tag is
//! not that of `GET`.

mod address;
mod answer;
mod checksums;
mod config;
mod error;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod listing;
mod model_route;
mod names;
mod proxied;
mod server;
mod signed;
mod signed_url;
mod store;
mod wire;

pub use address::{ProxyAddress, proxy_base, proxy_of_url};
pub use config::{ModelFiles, ProxyConfig, Transfer};
pub use store::ProxyStore;
