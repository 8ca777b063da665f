//! The backends of this build.

use std::sync::Arc;

#[cfg(feature = "azure")]
use mlfetch_azure::AzureBackend;
use mlfetch_http::HttpBackend;
use mlfetch_local::LocalBackend;
use mlfetch_mlflow::{ArtifactsBackend, Stores, Via};
#[cfg(feature = "s3")]
use mlfetch_s3::S3Backend;
use mlfetch_store::{Backend as _, Backends, OptionSpec};

/// Schemes that come with a cargo feature. In a build without it, the error names it.
const OPTIONAL: &[(&str, &str, bool)] = &[
    ("s3", "s3", cfg!(feature = "s3")),
    ("s3a", "s3", cfg!(feature = "s3")),
    ("r2", "s3", cfg!(feature = "s3")),
    ("b2", "s3", cfg!(feature = "s3")),
    ("wasbs", "azure", cfg!(feature = "azure")),
    ("wasb", "azure", cfg!(feature = "azure")),
    ("abfss", "azure", cfg!(feature = "azure")),
    ("abfs", "azure", cfg!(feature = "azure")),
    ("az", "azure", cfg!(feature = "azure")),
];

/// Every backend of this build.
pub(crate) fn backends(stores: &Arc<Stores>, via: Via) -> Backends {
    let artifacts = ArtifactsBackend::new(Arc::clone(stores), via);
    let mut backends = Backends::new().with(LocalBackend).with(artifacts);
    #[cfg(feature = "s3")]
    {
        backends = backends.with(S3Backend::new());
    }
    #[cfg(feature = "azure")]
    {
        backends = backends.with(AzureBackend::new());
    }
    for (scheme, feature, _) in OPTIONAL.iter().filter(|(.., is_here)| !is_here) {
        backends = backends.with_left_out(scheme, feature);
    }
    backends
}

/// The settings that the backends of this build understand, as rows.
pub fn builtin_options() -> Vec<OptionSpec> {
    let mut rows = [LocalBackend.options(), HttpBackend::new().options()].concat();
    #[cfg(feature = "s3")]
    rows.extend(S3Backend::new().options());
    #[cfg(feature = "azure")]
    rows.extend(AzureBackend::new().options());
    rows
}
