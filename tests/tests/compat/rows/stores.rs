//! Which tracking store is meant.

use crate::difference::Difference::{FileStoreAllowed, MetaQuoting, NothingCreated};
use crate::row::Outcome::{Fails, FailsCreating, Gives};
use crate::row::{DISK, FILES, Row, SERVERLESS, SERVERS, SQLITE, both_fail, differs, same};
use crate::store::StoreKind;

pub(crate) const ROWS: &[Row] = &[
    same("download -r {run} -a nest -d {out}")
        .with(&[("MLFLOW_TRACKING_URI", "")])
        .inside("{store}")
        .on(SERVERLESS),
    same("list -r {run} -a nest")
        .with(&[("MLFLOW_TRACKING_URI", "")])
        .inside("{store}")
        .on(SERVERLESS),
    differs(
        MetaQuoting,
        "download -u models:/{shop}@champion -d {out}",
        Gives(
            "{out}",
            &[". = model", "registered_model_meta : model_name: {shop}\nmodel_version: 2\n"],
        ),
        Gives(
            "{out}",
            &[". = model", "registered_model_meta : model_name: {shop}\nmodel_version: '2'\n"],
        ),
    )
    .with(&[("MLFLOW_TRACKING_URI", "")])
    .inside("{store}")
    .on(SERVERLESS),
    differs(
        NothingCreated,
        "download -r {run} -a nest -d {out}",
        FailsCreating("not found", "cwd/mlflow.db"),
        Fails("there is no such file"),
    )
    .with(&[("MLFLOW_TRACKING_URI", "")]),
    differs(
        NothingCreated,
        "list -r {run}",
        FailsCreating("not found", "cwd/mlflow.db"),
        Fails("there is no such file"),
    )
    .with(&[("MLFLOW_TRACKING_URI", "")]),
    same("download -r {run} -a nest -d {out}")
        .with(&[("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")])
        .inside("{store}")
        .on(SQLITE),
    same("download -r {run} -a nest -d {out}")
        .with(&[("MLFLOW_TRACKING_URI", "sqlite:///./mlflow.db")])
        .inside("{store}")
        .on(SQLITE),
    same("download -r {run} -a nest -d {out}")
        .with(&[("MLFLOW_TRACKING_URI", "sqlite+pysqlite:///mlflow.db")])
        .inside("{store}")
        .on(SQLITE),
    differs(
        NothingCreated,
        "download -r {run} -a nest -d {out}",
        FailsCreating("not found", "cwd/nope.db"),
        Fails("there is no such file"),
    )
    .with(&[("MLFLOW_TRACKING_URI", "sqlite:///nope.db")]),
    same("download -r {run} -a nest -d {out}")
        .with(&[("MLFLOW_TRACKING_URI", "mlruns")])
        .inside("{store}")
        .on(FILES),
    same("download -r {run} -a nest -d {out}")
        .with(&[("MLFLOW_TRACKING_URI", "./mlruns")])
        .inside("{store}")
        .on(FILES),
    same("download -r {run} -a nest -d {out}")
        .with(&[("MLFLOW_TRACKING_URI", "file:{store}/mlruns")])
        .on(FILES),
    same("download -r {run} -a nest -d {out}")
        .with(&[("MLFLOW_TRACKING_URI", "file://{store}/mlruns")])
        .on(FILES),
    differs(
        FileStoreAllowed,
        "download -r {run} -a nest -d {out}",
        Fails("is in maintenance mode"),
        Gives("{out}/nest", &["nest = run/nest"]),
    )
    .with(&[("MLFLOW_ALLOW_FILE_STORE", "")])
    .on(FILES),
    same("download -r {run} -a nest -d {out}")
        .with(&[("MLFLOW_TRACKING_URI", "{tracking}/")])
        .on(SERVERS),
    both_fail("download -r {run} -a nest -d {out}", "the server cannot be reached")
        .with(&[("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")]),
    both_fail("download -r {run} -a nest -d {out}", "no tracking store has the scheme")
        .with(&[("MLFLOW_TRACKING_URI", "bogus://x")]),
    differs(
        NothingCreated,
        "download -r {run} -a nest -d {out}",
        FailsCreating("not found", "none/0/meta.yaml"),
        Fails("there is no such directory"),
    )
    .with(&[("MLFLOW_TRACKING_URI", "{box}/none")])
    .on(FILES),
    both_fail("download -r {run} -a nest -d {out}", "there is no such directory")
        .with(&[("MLFLOW_TRACKING_URI", "{box}/none")])
        .on(&[StoreKind::Proxied, StoreKind::Direct, StoreKind::Sqlite]),
    both_fail("download -u models:/{shop}@champion -d {out}", "no tracking store has the scheme")
        .with(&[("MLFLOW_REGISTRY_URI", "bogus://x")]),
    same("download -u runs:/{run}/nest -d {out}").with(&[("MLFLOW_REGISTRY_URI", "bogus://x")]),
    same("download -u models:/{shop}/1/q -d {out}")
        .with(&[("MLFLOW_REGISTRY_URI", "{store}/mlruns")])
        .on(FILES),
    same("download -u {run_path}/nest -d {out}")
        .with(&[("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")])
        .on(DISK),
    same("download -u {run_path}/nest -d {out}").with(&[("MLFLOW_TRACKING_URI", "")]).on(DISK),
    both_fail("download -r {run} -a nest -d {out}", "it must be a whole number from 0 to 10")
        .with(&[("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "many")])
        .on(SERVERS),
];
