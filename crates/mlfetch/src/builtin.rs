//! The backends of this build.

use std::sync::Arc;

#[cfg(feature = "gcs")]
use mlfetch_gcs::GcsBackend;
use mlfetch_http::HttpBackend;
use mlfetch_local::LocalBackend;
use mlfetch_mlflow::{ArtifactsBackend, Stores, Via};
#[cfg(feature = "s3")]
use mlfetch_s3::S3Backend;
use mlfetch_store::{Backend as _, Backends, OptionSpec};

/// Schemes that another build of mlfetch opens, and the cargo feature that brings them.
const LEFT_OUT: &[(&str, &str)] = &[
    #[cfg(not(feature = "gcs"))]
    ("gs", "gcs"),
    #[cfg(not(feature = "s3"))]
    ("s3", "s3"),
    #[cfg(not(feature = "s3"))]
    ("s3a", "s3"),
    #[cfg(not(feature = "s3"))]
    ("r2", "s3"),
    #[cfg(not(feature = "s3"))]
    ("b2", "s3"),
];

/// Every backend of this build.
pub(crate) fn backends(stores: &Arc<Stores>, via: Via) -> Backends {
    let artifacts = ArtifactsBackend::new(Arc::clone(stores), via);
    let mut backends = Backends::new().with(LocalBackend).with(artifacts);
    #[cfg(feature = "gcs")]
    {
        backends = backends.with(GcsBackend::new());
    }
    #[cfg(feature = "s3")]
    {
        backends = backends.with(S3Backend::new());
    }
    for &(scheme, feature) in LEFT_OUT {
        backends = backends.with_left_out(scheme, feature);
    }
    backends
}

/// The settings that the backends of this build understand, as rows.
pub fn builtin_options() -> Vec<OptionSpec> {
    let mut rows = [LocalBackend.options(), HttpBackend::new().options()].concat();
    #[cfg(feature = "gcs")]
    rows.extend(GcsBackend::new().options());
    #[cfg(feature = "s3")]
    rows.extend(S3Backend::new().options());
    rows
}
