//! Registered models and logged models.

use crate::difference::Difference::{
    ExactNames, LeftoverDirectory, MetaQuoting, ModelFromRun, ModelIdWithPath, Neighbours,
    NothingIsAnError, PartialFailure, PrintedPlace,
};
use crate::row::Outcome::{Fails, FailsWith, Gives};
use crate::row::{DISK, PROXIED, Row, SERVERLESS, SERVERS, both_fail, differs, same};

pub(crate) const ROWS: &[Row] = &[
    same("download -u models:/{shop}/1 -d {out}"),
    same("download -u models:/{shop}/2 -d {out}"),
    differs(
        ModelFromRun,
        "download -u models:/{shop}/3 -d {out}",
        Gives(
            "{out}",
            &[
                ". = trained/model",
                "model = model",
                "model/registered_model_meta : model_name: null\nmodel_version: null\n",
                "registered_model_meta : model_name: {shop}\nmodel_version: '3'\n",
            ],
        ),
        Gives(
            "{out}",
            &[
                ". = model",
                "extra.txt = trained/model/extra.txt",
                "registered_model_meta : model_name: {shop}\nmodel_version: '3'\n",
            ],
        ),
    ),
    same("download -u models:/{shop}/4 -d {out}"),
    same("download -u models:/{shop}/5 -d {out}"),
    same("download -u models:/{shop}/6 -d {out}"),
    same("download -u models:/{shop}/02 -d {out}"),
    same("download -u models:/{shop}/2/ -d {out}"),
    same("download -u models:/{shop}/latest -d {out}"),
    same("download -u models:/{shop}/LATEST -d {out}"),
    same("download -u models:/{shop}/Staging -d {out}"),
    same("download -u models:/{shop}/staging -d {out}"),
    differs(
        ModelFromRun,
        "download -u models:/{shop}/Production -d {out}",
        Gives(
            "{out}",
            &[
                ". = trained/model",
                "model = model",
                "model/registered_model_meta : model_name: null\nmodel_version: null\n",
                "registered_model_meta : model_name: {shop}\nmodel_version: '3'\n",
            ],
        ),
        Gives(
            "{out}",
            &[
                ". = model",
                "extra.txt = trained/model/extra.txt",
                "registered_model_meta : model_name: {shop}\nmodel_version: '3'\n",
            ],
        ),
    ),
    same("download -u models:/{shop}/Archived -d {out}"),
    same("download -u models:/{shop}/None -d {out}"),
    same("download -u models:/{shop}@champion -d {out}").on(SERVERS),
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
    .on(SERVERLESS),
    same("download -u models:/{shop}@Straße-1 -d {out}"),
    same("download -u models:/{shop}@a_b-c -d {out}"),
    differs(
        ModelFromRun,
        "download -u models:/{fromrun}/1 -d {out}",
        Gives(
            "{out}",
            &[
                "model = model",
                "model/registered_model_meta : model_name: null\nmodel_version: null\n",
            ],
        ),
        Gives(
            "{out}",
            &[". = model", "registered_model_meta : model_name: {fromrun}\nmodel_version: '1'\n"],
        ),
    ),
    same("download -u models:/{shop}@latest -d {out}"),
    same("download -u models:/{shop}@Latest -d {out}"),
    same("download -u models:/{shop}@champion/ -d {out}").on(SERVERS),
    differs(
        MetaQuoting,
        "download -u models:/{shop}@champion/ -d {out}",
        Gives(
            "{out}",
            &[". = model", "registered_model_meta : model_name: {shop}\nmodel_version: 2\n"],
        ),
        Gives(
            "{out}",
            &[". = model", "registered_model_meta : model_name: {shop}\nmodel_version: '2'\n"],
        ),
    )
    .on(SERVERLESS),
    same("download -u models:/{shop}@champion/data -d {out}"),
    same("download -u models:/{shop}@champion/data/ -d {out}"),
    same("download -u models:/{shop}@champion/data/model.bin -d {out}"),
    same("download -u models:/{shop}@champion/data/nested/n.txt -d {out}"),
    same("download -u models:/{shop}@champion/MLmodel -d {out}"),
    same("download -u models:/{shop}/2/data -d {out}"),
    same("download -u models:/{shop}/2/data/model.bin -d {out}"),
    same("download -u 'models:/{shop}/2/data/two words.txt' -d {out}"),
    same("download -u models:/{shop}/2/data/nested -d {out}"),
    both_fail("download -u models:/{shop}/2//data -d {out}", "it is absolute"),
    same("download -u models:/{shop}/latest/weights.bin -d {out}"),
    differs(
        LeftoverDirectory,
        "download -u models:/{shop}/Production/extra.txt -d {out}",
        Gives("{out}/extra.txt", &["extra.txt = trained/model/extra.txt", "model/"]),
        Gives("{out}/extra.txt", &["extra.txt = trained/model/extra.txt"]),
    ),
    same("download -u models:/{shop}/Staging/data/nested -d {out}"),
    same("download -u models:/{shop}/1/q -d {out}"),
    same("download -u models:/{shop}/1/q/r.txt -d {out}"),
    same("download -u models:/{shop}/4/q/r.txt -d {out}"),
    same("download -u models:/{shop}/5/data -d {out}"),
    both_fail("download -u models:/{shop}/2/nope -d {out}", "no artifact of that name"),
    both_fail(
        "download -u models:/{shop}/2/../2 -d {out}",
        "leads out of the artifact root with `..`",
    ),
    both_fail("download -u models:/{shop}/9 -d {out}", "the model has no such version"),
    both_fail("download -u models:/{shop}@nope -d {out}", "the model has no such alias"),
    both_fail("download -u models:/{shop}@ -d {out}", "a name and an alias belong around the `@`"),
    both_fail("download -u models:/{shop}/nostage -d {out}", "is neither a version nor a stage"),
    both_fail("download -u models:/{shop} -d {out}", "no logged model has this id"),
    both_fail("download -u models:/nope/1 -d {out}", "no registered model has this name"),
    both_fail("download -u models:/nope@champion -d {out}", "no registered model has this name"),
    both_fail("download -u models:/nope/latest -d {out}", "no registered model has this name"),
    both_fail("download -u models:/{none}/latest -d {out}", "the model has no versions"),
    both_fail("download -u models:/{none}/1 -d {out}", "the model has no such version"),
    same("download -u models:/{many}/latest -d {out}"),
    same("download -u models:/{many}/9 -d {out}"),
    same("download -u models:/{many}/11/q -d {out}"),
    differs(
        NothingIsAnError,
        "download -u models:/{gone}/1 -d {out}",
        Gives("{out}", &["."]),
        Fails("no artifact of that name"),
    ),
    same("download -u 'models:/{spaced}/1' -d {out}"),
    same("download -u 'models:/{spaced}@champion' -d {out}").on(SERVERS),
    differs(
        MetaQuoting,
        "download -u 'models:/{spaced}@champion' -d {out}",
        Gives(
            "{out}",
            &[". = model", "registered_model_meta : model_name: {spaced}\nmodel_version: 1\n"],
        ),
        Gives(
            "{out}",
            &[". = model", "registered_model_meta : model_name: {spaced}\nmodel_version: '1'\n"],
        ),
    )
    .on(SERVERLESS),
    same("download -u 'models:/{spaced}@champion/data' -d {out}"),
    differs(
        MetaQuoting,
        "download -u \"models:/{quoted}/1\" -d {out}",
        Gives(
            "{out}",
            &[". = model", "registered_model_meta : model_name: {quoted}\nmodel_version: '1'\n"],
        ),
        Gives(
            "{out}",
            &[
                ". = model",
                "registered_model_meta : model_name: '1{mark}''s'\nmodel_version: '1'\n",
            ],
        ),
    ),
    both_fail("download -u models:/ -d {out}", "it names no model"),
    both_fail("download -u models: -d {out}", "a `/` is missing behind"),
    both_fail("download -u models://{shop}/2 -d {out}", "it names a host"),
    same("download -u models:///{shop}/2 -d {out}"),
    same("download -u MODELS:/{shop}/2 -d {out}"),
    differs(
        ExactNames,
        "download -u models:/{shop}/2#x -d {out}",
        Gives(
            "{out}",
            &[". = model", "registered_model_meta : model_name: {shop}\nmodel_version: '2'\n"],
        ),
        Fails("is neither a version nor a stage"),
    ),
    differs(
        ExactNames,
        "download -u models:/{shop}/2?x -d {out}",
        Gives(
            "{out}",
            &[". = model", "registered_model_meta : model_name: {shop}\nmodel_version: '2'\n"],
        ),
        Fails("is neither a version nor a stage"),
    ),
    both_fail("download -u models:/{shop}/-1 -d {out}", "is neither a version nor a stage"),
    both_fail("download -u models:/{shop}/1.5 -d {out}", "is neither a version nor a stage"),
    same("download -u models:/{model_id} -d {out}"),
    same("download -u models:/{model_id}/ -d {out}"),
    differs(
        ModelIdWithPath,
        "download -u models:/{model_id}/data -d {out}",
        Fails("Registered Model with name={model_id} not found"),
        Gives("{out}/data", &["data = model/data"]),
    ),
    differs(
        ModelIdWithPath,
        "download -u models:/{model_id}/data/model.bin -d {out}",
        Fails("Registered Model with name={model_id} not found"),
        Gives("{out}/data/model.bin", &["data/model.bin = model/data/model.bin"]),
    ),
    same("download -u models:/{bare_id} -d {out}"),
    both_fail(
        "download -u models:/m-00000000000000000000000000000000 -d {out}",
        "no logged model has this id",
    ),
    both_fail("download -u models:/word -d {out}", "no logged model has this id"),
    same("download -u runs:/{trained}/model -d {out}"),
    same("download -u runs:/{trained}/model/ -d {out}"),
    same("download -u runs:/{trained}/model/MLmodel -d {out}"),
    differs(
        LeftoverDirectory,
        "download -u runs:/{trained}/model/extra.txt -d {out}",
        Gives("{out}/extra.txt", &["extra.txt = trained/model/extra.txt", "model/"]),
        Gives("{out}/extra.txt", &["extra.txt = trained/model/extra.txt"]),
    ),
    same("download -u runs:/{trained}/model/data -d {out}"),
    differs(
        PrintedPlace,
        "download -u runs:/{trained}/model/data/ -d {out}",
        Gives("{out}", &["model/data = model/data"]),
        Gives("{out}/model/data", &["model/data = model/data"]),
    ),
    same("download -u runs:/{trained}/model/data/model.bin -d {out}"),
    same("download -u runs:/{trained}/second -d {out}"),
    same("download -u runs:/{trained}/second/second.txt -d {out}"),
    both_fail("download -u runs:/{trained}/second/nope -d {out}", "no artifact of that name"),
    same("download -u runs:/{trained}/plain -d {out}"),
    same("download -u runs:/{only}/model -d {out}"),
    same("download -u runs:/{only}/model/data/nested/n.txt -d {out}"),
    same("download -u runs:/{only}/bare -d {out}"),
    same("download -r {trained} -a model -d {out}"),
    same("download -r {trained} -a model/ -d {out}"),
    same("download -r {trained} -a model/data/nested -d {out}"),
    same("download -r {trained} -d {out}"),
    same("download -r {only} -d {out}"),
    same("download -r {only} -a model/MLmodel -d {out}"),
    differs(
        PartialFailure,
        "download -r {partial} -a part -d {out}",
        Gives("{out}/part", &["part/fine.txt = partial/part/fine.txt"]),
        FailsWith(
            "1 of 3 files failed",
            &[
                "part/fine.txt = partial/part/fine.txt",
                "part/MLmodel = broken/MLmodel",
                "part/registered_model_meta : model_name: null\nmodel_version: null\n",
            ],
        ),
    )
    .on(DISK),
    differs(
        PartialFailure,
        "download -r {partial} -a part -d {out}",
        Gives("{out}/part", &["part/fine.txt = partial/part/fine.txt"]),
        FailsWith("500 Internal Server Error", &["part/fine.txt = partial/part/fine.txt"]),
    )
    .on(PROXIED),
    differs(
        LeftoverDirectory,
        "download -r {partial} -a part/fine.txt -d {out}",
        Gives("{out}/fine.txt", &["fine.txt = partial/part/fine.txt", "part/"]),
        Gives("{out}/fine.txt", &["fine.txt = partial/part/fine.txt"]),
    ),
    both_fail("download -r {partial} -a part/weights.bin -d {out}", "leads nowhere").on(DISK),
    both_fail("download -r {partial} -a part/weights.bin -d {out}", "no artifact of that name")
        .on(PROXIED),
    differs(
        Neighbours,
        "download -u models:/{broken_id} -d {out}",
        Fails("No such file or directory"),
        FailsWith(
            "1 of 2 files failed",
            &[
                "MLmodel = broken/MLmodel",
                "registered_model_meta : model_name: null\nmodel_version: null\n",
            ],
        ),
    )
    .on(DISK),
    both_fail("download -u models:/{broken_id} -d {out}", "500 Internal Server Error").on(PROXIED),
    same("download -u {model_id_uri} -d {out}"),
    same("download -u {model_id_uri}/ -d {out}"),
    same("download -u {model_id_uri}/data/model.bin -d {out}"),
];
