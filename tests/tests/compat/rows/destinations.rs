//! What is, or is not, at the destination.

use crate::difference::Difference::{DirectoryInTheWay, LinkInTheWay, NothingInTheStore};
use crate::row::Outcome::{Fails, FailsAmid, Gives};
use crate::row::{DISK, PROXIED, Row, both_fail, differs, same};

pub(crate) const ROWS: &[Row] = &[
    same("download -r {run} -a nest -d {out}/a/b/c"),
    same("download -r {run} -a nest -d {out}/"),
    same("download -r {run} -a nest -d {out}//x/"),
    same("download -r {run} -a nest -d {out}/x/../y").before(&["directory out/x"]),
    same("download -r {run} -a nest -d sub"),
    same("download -r {run} -a nest -d ./sub/deep"),
    same("download -r {run} -a nest -d ."),
    same("download -r {run} -a nest -d ../out"),
    same("download -r {run} -a y.txt -d '{out} with spaces'"),
    same("download -r {run} -a y.txt -d {out}#hash"),
    same("download -r {run} -a y.txt -d {out}%41"),
    same("download -r {run} -a y.txt -d '~'"),
    same("download -r {run} -a y.txt -d {out}/数据"),
    same("download -r {run} -a y.txt -d ''"),
    same("download -u runs:/{run}/nest"),
    same("download -u runs:/{run}/nest/y.txt"),
    same("download -u runs:/{run}/nest/"),
    same("download -r {run} -a nest"),
    same("download -r {run} -a nest/"),
    same("download -r {run} -a y.txt"),
    same("download -r {run}"),
    same("download -r {empty}"),
    same("download -r {run} -d ''"),
    same("download -u {run_uri}"),
    same("download -u {run_uri}/"),
    same("download -u {run_uri}/nest"),
    same("download -u {run_uri}/nest/"),
    same("download -u {run_uri}/nest/y.txt"),
    same("download -u {run_path}/nest").on(DISK),
    same("download -u file://{run_path}/nest/y.txt").on(DISK),
    same("download -u nest").inside("{run_path}").on(DISK),
    same("download -u ./nest/y.txt").inside("{run_path}").on(DISK),
    both_fail("download -u {run_path}/nope", "it does not exist").on(DISK),
    same("download -u models:/{shop}/1"),
    same("download -u models:/{shop}/1/q"),
    same("download -u models:/{inplace}/1").on(PROXIED),
    differs(
        NothingInTheStore,
        "download -u models:/{inplace}/1",
        Gives(
            "{inplace_id_path}",
            &["@watched/registered_model_meta : model_name: {inplace}\nmodel_version: '1'\n"],
        ),
        Gives("{inplace_id_path}", &[]),
    )
    .watching("{inplace_id_path}")
    .on(DISK),
    same("download -u models:/{untouched_id}").on(PROXIED),
    differs(
        NothingInTheStore,
        "download -u models:/{untouched_id}",
        Gives(
            "{untouched_id_path}",
            &["@watched/registered_model_meta : model_name: null\nmodel_version: null\n"],
        ),
        Gives("{untouched_id_path}", &[]),
    )
    .watching("{untouched_id_path}")
    .on(DISK),
    same("download -u models:/{shop}/2/data"),
    same("download -u runs:/{trained}/model"),
    same("download -u runs:/{only}/model/data"),
    same("download -r {run} -a nest -d {out}").before(&["directory out"]),
    same("download -r {run} -a nest -d {out}")
        .before(&["file out/nest/y.txt old and longer than the new"]),
    same("download -r {run} -a nest -d {out}").before(&["file out/nest/y.txt y in nest\n"]),
    same("download -r {run} -a nest -d {out}").before(&["file out/nest/mine.txt mine"]),
    same("download -r {run} -a nest -d {out}")
        .before(&["file out/mine.txt mine", "directory out/nest/a/other"]),
    same("download -r {run} -a y.txt -d {out}").before(&["file out/y.txt old"]),
    same("download -r {run} -a y.txt -d {out}").before(&["file out/Y.txt another"]),
    same("download -r {run} -a nest/ -d {out}").before(&["file out/y.txt old"]),
    both_fail("download -r {run} -a y.txt -d {out}", "it, or something above it, is a file")
        .before(&["file out in the way"]),
    both_fail("download -r {run} -a nest -d {out}", "it, or something above it, is a file")
        .before(&["file out in the way"]),
    both_fail("download -r {run} -a y.txt -d {out}/x", "it, or something above it, is a file")
        .before(&["file out in the way"]),
    both_fail("download -r {run} -a y.txt -d {out}", "a directory of that name is there")
        .before(&["directory out/y.txt"])
        .on(PROXIED),
    differs(
        DirectoryInTheWay,
        "download -r {run} -a y.txt -d {out}",
        Gives("{out}/y.txt", &["y.txt/y.txt = run/y.txt"]),
        Fails("a directory of that name is there"),
    )
    .before(&["directory out/y.txt"])
    .on(DISK),
    both_fail("download -r {run} -a y.txt -d {out}", "a directory of that name is there")
        .before(&["file out/y.txt/inner.txt inner"])
        .on(PROXIED),
    differs(
        DirectoryInTheWay,
        "download -r {run} -a y.txt -d {out}",
        Gives("{out}/y.txt", &["y.txt/y.txt = run/y.txt"]),
        Fails("a directory of that name is there"),
    )
    .before(&["file out/y.txt/inner.txt inner"])
    .on(DISK),
    differs(
        DirectoryInTheWay,
        "download -r {run} -a nest -d {out}",
        Fails("Failed to download artifacts from path 'nest'"),
        FailsAmid(
            "a directory of that name is there",
            &[
                "nest/empty.txt = run/nest/empty.txt",
                "nest/a = run/nest/a",
                "nest/two words = run/nest/two words",
            ],
        ),
    )
    .before(&["directory out/nest/y.txt"])
    .on(PROXIED),
    differs(
        DirectoryInTheWay,
        "download -r {run} -a nest -d {out}",
        Gives(
            "{out}/nest",
            &[
                "nest/y.txt/y.txt = run/nest/y.txt",
                "nest/empty.txt = run/nest/empty.txt",
                "nest/a = run/nest/a",
                "nest/two words = run/nest/two words",
            ],
        ),
        FailsAmid(
            "a directory of that name is there",
            &[
                "nest/empty.txt = run/nest/empty.txt",
                "nest/a = run/nest/a",
                "nest/two words = run/nest/two words",
            ],
        ),
    )
    .before(&["directory out/nest/y.txt"])
    .on(DISK),
    both_fail("download -r {run} -a nest -d {out}", "it, or something above it, is a file")
        .before(&["file out/nest in the way"]),
    both_fail("download -r {run} -a nest -d {out}", "it, or something above it, is a file")
        .before(&["file out/nest/a in the way"]),
    same("download -r {run} -a y.txt -d {out}").before(&["directory real", "link out real"]),
    both_fail("download -r {run} -a y.txt -d {out}", "it is a link that leads nowhere")
        .before(&["link out nowhere"]),
    differs(
        LinkInTheWay,
        "download -r {run} -a y.txt -d {out}",
        Gives("{out}/y.txt", &["other.txt = run/y.txt"]),
        Gives("{out}/y.txt", &["y.txt = run/y.txt"]),
    )
    .before(&["file out/other.txt other", "link out/y.txt other.txt"]),
    differs(
        LinkInTheWay,
        "download -r {run} -a y.txt -d {out}",
        Fails("Failed to download artifacts from path 'y.txt'"),
        Gives("{out}/y.txt", &["y.txt = run/y.txt"]),
    )
    .before(&["file elsewhere.txt outside", "link out/y.txt ../elsewhere.txt"]),
    differs(
        LinkInTheWay,
        "download -r {run} -a y.txt -d {out}",
        Gives("{out}/y.txt", &["nowhere = run/y.txt"]),
        Gives("{out}/y.txt", &["y.txt = run/y.txt"]),
    )
    .before(&["directory out", "link out/y.txt nowhere"]),
    differs(
        LinkInTheWay,
        "download -r {run} -a y.txt -d {out}",
        Fails("Failed to download artifacts from path 'y.txt'"),
        Gives("{out}/y.txt", &["y.txt = run/y.txt"]),
    )
    .before(&["directory out", "link out/y.txt ../nowhere"]),
    both_fail("download -r {run} -a nest -d {out}", "a link is in the way").before(&[
        "directory elsewhere",
        "directory out",
        "link out/nest ../elsewhere",
    ]),
    differs(
        LinkInTheWay,
        "download -r {run} -a nest -d {out}",
        Gives("{out}/nest", &["real = run/nest"]),
        Fails("a link is in the way"),
    )
    .before(&["directory out/real", "link out/nest real"]),
    both_fail("download -r {run} -a nest -d {out}", "a link is in the way").before(&[
        "directory elsewhere",
        "directory out/nest",
        "link out/nest/a ../../elsewhere",
    ]),
    same("download -r {run} -a y.txt -d {out}")
        .before(&["file out/y.txt old", "mode 400 out/y.txt"]),
    same("download -u models:/{shop}/2 -d {out}").before(&["file out/registered_model_meta old"]),
    same("download -u models:/{shop}/1 -d {out}").before(&["file out/MLmodel not from the store"]),
    same("download -u runs:/{trained}/model -d {out}").before(&["file out/model/MLmodel old"]),
    same("download -r {run} -a nest -d {out}").before(&["file out/nest/two words in the way"]),
];
