//! What fuzz targets assert of this crate. No part of the interface: it is there only in builds for
//! fuzzing.

use mlfetch_http::Url;
use mlfetch_store::fuzzing::{MARK, assert_harmless_error, lines};
use mlfetch_store::{Key, Location, Result};

use crate::resolve::{Model, ModelPath, RunPath, Which};
use crate::{asked_for, proxy_base, proxy_of_url};

pub use crate::files::fuzzing::meta;
pub use crate::proxy::fuzzing::listing;
pub use crate::rest::fuzzing::answers;
pub use crate::settings::fuzzing::settings;

/// A URI of a run, of a model, of a proxy.
pub fn uri(text: &str) {
    harmless(asked_for(text));
    for scheme in ["runs:/", "models:/"] {
        let uri = format!("{scheme}{text}");
        let Ok(location) = Location::parse(uri) else { continue };
        if let Some(run) = harmless(RunPath::parse(&location)).filter(|_| scheme == "runs:/") {
            let again = parse(&format!("runs:/{}/{}", run.run_id, run.path), RunPath::parse);
            assert_eq!((again.run_id, &again.path), (run.run_id, &run.path));
            leads_nowhere_else(&run.path);
        }
        if let Some(model) = harmless(ModelPath::parse(&location)).filter(|_| scheme == "models:/")
        {
            assert_eq!(parse(&written(&model), ModelPath::parse), model);
            leads_nowhere_else(&model.path);
        }
    }
    let [tracking, artifact] = lines(text);
    if let Some(address) = harmless(proxy_base(tracking, artifact)) {
        assert!(matches!(address.artifacts.scheme(), "http" | "https"));
        assert!(address.artifacts.username().is_empty() && address.artifacts.query().is_none());
        let origin = Url::parse(tracking).expect("it was one").origin();
        assert_eq!(address.same_origin, address.artifacts.origin() == origin);
    }
    if let Ok(url) = Url::parse(tracking)
        && let Some(address) = proxy_of_url(&url, Some(&url))
    {
        assert!(address.same_origin && address.artifacts.password().is_none());
    }
    let with_password = format!("{tracking}://user:{MARK}@host/{MARK}?x={MARK}");
    let shown = format!("{:?}", proxy_base(&with_password, artifact).err());
    assert!(
        !shown.contains(&format!(":{MARK}")) && !shown.contains(&format!("={MARK}")),
        "{shown}"
    );
}

fn parse<T>(uri: &str, parse: fn(&Location) -> Result<T>) -> T {
    parse(&Location::parse(uri).expect("a location")).unwrap_or_else(|error| panic!("{error}"))
}

fn written(parsed: &ModelPath) -> String {
    let path = &parsed.path;
    match &parsed.model {
        Model::Logged(id) => format!("models:/{id}/{path}"),
        Model::Registered { name, which: Which::Alias(alias) } => {
            format!("models:/{name}@{alias}/{path}")
        }
        Model::Registered { name, which: Which::Version(version) } => {
            format!("models:/{name}/{version}/{path}")
        }
        Model::Registered { name, which: Which::Stage(stage) } => {
            format!("models:/{name}/{stage}/{path}")
        }
    }
}

fn leads_nowhere_else(path: &str) {
    assert!(!path.starts_with('/') && !path.contains("//"));
    assert!(path.split('/').all(|part| part != ".." && part != "."));
    let _ = Key::from(path);
}

fn harmless<T>(parsed: Result<T>) -> Option<T> {
    parsed.map_err(|error| assert_harmless_error(&error)).ok()
}
