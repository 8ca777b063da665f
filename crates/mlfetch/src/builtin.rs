//! The backends of this build.

use std::sync::Arc;

#[cfg(feature = "azure")]
use mlfetch_azure::AzureBackend;
#[cfg(feature = "gcs")]
use mlfetch_gcs::GcsBackend;
use mlfetch_http::HttpBackend;
use mlfetch_local::LocalBackend;
use mlfetch_mlflow::{ArtifactsBackend, Stores, Via};
#[cfg(feature = "s3")]
use mlfetch_s3::S3Backend;
use mlfetch_store::{Backend as _, Backends, OptionSpec};
#[cfg(feature = "webhdfs")]
use mlfetch_webhdfs::WebHdfsBackend;

/// Schemes that not every build opens: the cargo feature that brings them, and whether it is here.
const OPTIONAL: &[(&str, &[&str], bool)] = &[
    ("azure", &["wasbs", "wasb", "abfss", "abfs", "az"], cfg!(feature = "azure")),
    ("gcs", &["gs"], cfg!(feature = "gcs")),
    ("s3", &["s3", "s3a", "r2", "b2"], cfg!(feature = "s3")),
    ("webhdfs", &["hdfs", "webhdfs", "swebhdfs", "viewfs"], cfg!(feature = "webhdfs")),
];

/// Every backend of this build.
pub(crate) fn backends(stores: &Arc<Stores>, via: Via) -> Backends {
    let artifacts = ArtifactsBackend::new(Arc::clone(stores), via);
    let mut backends = Backends::new().with(LocalBackend).with(artifacts);
    #[cfg(feature = "azure")]
    {
        backends = backends.with(AzureBackend::new());
    }
    #[cfg(feature = "gcs")]
    {
        backends = backends.with(GcsBackend::new());
    }
    #[cfg(feature = "s3")]
    {
        backends = backends.with(S3Backend::new());
    }
    #[cfg(feature = "webhdfs")]
    {
        backends = backends.with(WebHdfsBackend::new());
    }
    for (feature, schemes, _) in OPTIONAL.iter().filter(|(.., is_here)| !is_here) {
        for scheme in *schemes {
            backends = backends.with_left_out(scheme, feature);
        }
    }
    backends
}

/// The settings that the backends of this build understand, as rows.
pub fn builtin_options() -> Vec<OptionSpec> {
    let mut rows = [LocalBackend.options(), HttpBackend::new().options()].concat();
    #[cfg(feature = "azure")]
    rows.extend(AzureBackend::new().options());
    #[cfg(feature = "gcs")]
    rows.extend(GcsBackend::new().options());
    #[cfg(feature = "s3")]
    rows.extend(S3Backend::new().options());
    #[cfg(feature = "webhdfs")]
    rows.extend(WebHdfsBackend::new().options());
    rows
}
