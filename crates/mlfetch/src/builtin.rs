//! The backends of this build.

use std::sync::Arc;

use mlfetch_http::HttpBackend;
use mlfetch_local::LocalBackend;
use mlfetch_mlflow::{ArtifactsBackend, Stores, Via};
use mlfetch_store::{Backend as _, Backends, OptionSpec};

/// Schemes that another build of mlfetch opens, and the cargo feature that brings them.
const LEFT_OUT: [(&str, &str); 0] = [];

/// Every backend of this build.
pub(crate) fn backends(stores: &Arc<Stores>, via: Via) -> Backends {
    let artifacts = ArtifactsBackend::new(Arc::clone(stores), via);
    let mut backends = Backends::new().with(LocalBackend).with(artifacts);
    for (scheme, feature) in LEFT_OUT {
        backends = backends.with_left_out(scheme, feature);
    }
    backends
}

/// The settings that the backends of this build understand, as rows.
pub fn builtin_options() -> Vec<OptionSpec> {
    [LocalBackend.options(), HttpBackend::new().options()].concat()
}
