//! Names that MLflow loses: it decodes, cuts or refuses them, or the files beside them.

use crate::difference::Difference::{
    ExactNames, Neighbours, Permissions, SameNamedChild, ServerNames,
};
use crate::row::Outcome::{Fails, FailsWith, Gives};
use crate::row::{DISK, PROXIED, Row, both_fail, differs, same};

pub(crate) const ROWS: &[Row] = &[
    differs(
        ExactNames,
        "download -r {odd} -a 'escape/%41.txt' -d {out}",
        Fails("Failed to download artifacts from path '%41.txt'"),
        Gives("{out}/%41.txt", &["%41.txt = odd/escape/%41.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a 'escape/%41.txt' -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a escape -d {out}",
        Fails("Failed to download artifacts from path 'escape'"),
        Gives("{out}/escape", &["escape = odd/escape"]),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {odd} -a escape -d {out}",
        Fails("Failed to download artifacts from path 'escape'"),
        FailsWith("1 of 2 files failed", &["escape/plain.txt = odd/escape/plain.txt"]),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a 'escaped-space/a%20b.txt' -d {out}",
        Fails("Failed to download artifacts from path 'a%20b.txt'"),
        Gives("{out}/a%20b.txt", &["a%20b.txt = odd/escaped-space/a%20b.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a 'escaped-space/a%20b.txt' -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a escaped-space -d {out}",
        Fails("Failed to download artifacts from path 'escaped-space'"),
        Gives("{out}/escaped-space", &["escaped-space = odd/escaped-space"]),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {odd} -a escaped-space -d {out}",
        Fails("Failed to download artifacts from path 'escaped-space'"),
        FailsWith(
            "1 of 2 files failed",
            &["escaped-space/plain.txt = odd/escaped-space/plain.txt"],
        ),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a 'escaped-slash/a%2Fb.txt' -d {out}",
        Fails("Failed to download artifacts from path 'a%2Fb.txt'"),
        Gives("{out}/a%2Fb.txt", &["a%2Fb.txt = odd/escaped-slash/a%2Fb.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a 'escaped-slash/a%2Fb.txt' -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a escaped-slash -d {out}",
        Fails("Failed to download artifacts from path 'escaped-slash'"),
        Gives("{out}/escaped-slash", &["escaped-slash = odd/escaped-slash"]),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {odd} -a escaped-slash -d {out}",
        Fails("Failed to download artifacts from path 'escaped-slash'"),
        FailsWith(
            "1 of 2 files failed",
            &["escaped-slash/plain.txt = odd/escaped-slash/plain.txt"],
        ),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a 'escaped-twice/%2541.txt' -d {out}",
        Fails("Failed to download artifacts from path '%2541.txt'"),
        Gives("{out}/%2541.txt", &["%2541.txt = odd/escaped-twice/%2541.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a 'escaped-twice/%2541.txt' -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a escaped-twice -d {out}",
        Fails("Failed to download artifacts from path 'escaped-twice'"),
        Gives("{out}/escaped-twice", &["escaped-twice = odd/escaped-twice"]),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {odd} -a escaped-twice -d {out}",
        Fails("Failed to download artifacts from path 'escaped-twice'"),
        FailsWith(
            "1 of 2 files failed",
            &["escaped-twice/plain.txt = odd/escaped-twice/plain.txt"],
        ),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a 'hash/a#b.txt' -d {out}",
        Fails("Failed to download artifacts from path 'a'"),
        Gives("{out}/a#b.txt", &["a#b.txt = odd/hash/a#b.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a 'hash/a#b.txt' -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a hash -d {out}",
        Fails("Failed to download artifacts from path 'hash'"),
        Gives("{out}/hash", &["hash = odd/hash"]),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {odd} -a hash -d {out}",
        Fails("Failed to download artifacts from path 'hash'"),
        FailsWith("1 of 2 files failed", &["hash/plain.txt = odd/hash/plain.txt"]),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a 'tab/a\tb.txt' -d {out}",
        Fails("Failed to download artifacts from path 'ab.txt'"),
        Gives("{out}/a\tb.txt", &["a\tb.txt = odd/tab/a\tb.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a 'tab/a\tb.txt' -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a tab -d {out}",
        Fails("Failed to download artifacts from path 'tab'"),
        Gives("{out}/tab", &["tab = odd/tab"]),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {odd} -a tab -d {out}",
        Fails("Failed to download artifacts from path 'tab'"),
        FailsWith("1 of 2 files failed", &["tab/plain.txt = odd/tab/plain.txt"]),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a 'newline/a\nb.txt' -d {out}",
        Fails("Failed to download artifacts from path 'ab.txt'"),
        Gives("{out}/a\nb.txt", &["a\nb.txt = odd/newline/a\nb.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a 'newline/a\nb.txt' -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a newline -d {out}",
        Fails("Failed to download artifacts from path 'newline'"),
        Gives("{out}/newline", &["newline = odd/newline"]),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {odd} -a newline -d {out}",
        Fails("Failed to download artifacts from path 'newline'"),
        FailsWith("1 of 2 files failed", &["newline/plain.txt = odd/newline/plain.txt"]),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a 'return/a\rb.txt' -d {out}",
        Fails("Failed to download artifacts from path 'ab.txt'"),
        Gives("{out}/a\rb.txt", &["a\rb.txt = odd/return/a\rb.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a 'return/a\rb.txt' -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a return -d {out}",
        Fails("Failed to download artifacts from path 'return'"),
        Gives("{out}/return", &["return = odd/return"]),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {odd} -a return -d {out}",
        Fails("Failed to download artifacts from path 'return'"),
        FailsWith("1 of 2 files failed", &["return/plain.txt = odd/return/plain.txt"]),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a 'control/a\x01b.txt' -d {out}",
        Fails("Failed to download artifacts from path 'a\\x01b.txt'"),
        Gives("{out}/a\x01b.txt", &["a\x01b.txt = odd/control/a\x01b.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a 'control/a\x01b.txt' -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a control -d {out}",
        Fails("Failed to download artifacts from path 'control'"),
        Gives("{out}/control", &["control = odd/control"]),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {odd} -a control -d {out}",
        Fails("Failed to download artifacts from path 'control'"),
        FailsWith("1 of 2 files failed", &["control/plain.txt = odd/control/plain.txt"]),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a 'question/a?b.txt' -d {out}",
        Fails("Failed to download artifacts from path 'a'"),
        Gives("{out}/a?b.txt", &["a?b.txt = odd/question/a?b.txt"]),
    ),
    differs(
        ExactNames,
        "download -r {odd} -a question -d {out}",
        Fails("Failed to download artifacts from path 'question'"),
        Gives("{out}/question", &["question = odd/question"]),
    )
    .on(PROXIED),
    same("download -r {odd} -a question -d {out}").on(DISK),
    differs(
        ExactNames,
        "download -r {odd} -a 'leading-space/ leading.txt' -d {out}",
        Fails("Failed to download artifacts from path ' leading.txt'"),
        Gives("{out}/ leading.txt", &[" leading.txt = odd/leading-space/ leading.txt"]),
    )
    .on(DISK),
    same("download -r {odd} -a 'leading-space/ leading.txt' -d {out}").on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a leading-space -d {out}",
        Fails("Failed to download artifacts from path 'leading-space'"),
        Gives("{out}/leading-space", &["leading-space = odd/leading-space"]),
    )
    .on(PROXIED),
    same("download -r {odd} -a leading-space -d {out}").on(DISK),
    differs(
        ExactNames,
        "download -r {odd} -a 'semicolon-end/a;' -d {out}",
        Fails("Failed to download artifacts from path 'a;'"),
        Gives("{out}/a;", &["a; = odd/semicolon-end/a;"]),
    ),
    differs(
        ExactNames,
        "download -r {odd} -a semicolon-end -d {out}",
        Fails("Failed to download artifacts from path 'semicolon-end'"),
        Gives("{out}/semicolon-end", &["semicolon-end = odd/semicolon-end"]),
    ),
    same("download -r {odd} -a hash/plain.txt -d {out}"),
    differs(
        ExactNames,
        "download -r {odd} -a decoy/%41.txt -d {out}",
        Gives("{out}/%41.txt", &["%41.txt = odd/decoy/A.txt"]),
        Gives("{out}/%41.txt", &["%41.txt = odd/decoy/%41.txt"]),
    )
    .on(DISK),
    differs(
        ServerNames,
        "download -r {odd} -a decoy/%41.txt -d {out}",
        Gives("{out}/%41.txt", &["%41.txt = odd/decoy/A.txt"]),
        Fails("an MLflow server reads this name as another one"),
    )
    .on(PROXIED),
    same("download -r {odd} -a decoy/A.txt -d {out}"),
    differs(
        ExactNames,
        "download -r {odd} -a decoy -d {out}",
        Gives("{out}/decoy", &["decoy/A.txt = odd/decoy/A.txt", "decoy/%41.txt = odd/decoy/A.txt"]),
        Gives("{out}/decoy", &["decoy = odd/decoy"]),
    )
    .on(DISK),
    differs(
        ServerNames,
        "download -r {odd} -a decoy -d {out}",
        Gives("{out}/decoy", &["decoy/A.txt = odd/decoy/A.txt"]),
        FailsWith("1 of 2 files failed", &["decoy/A.txt = odd/decoy/A.txt"]),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a escaped-directory/%41 -d {out}",
        Fails("Failed to download artifacts from path '%41'"),
        Gives("{out}/%41", &["%41 = odd/escaped-directory/%41"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a escaped-directory/%41 -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a escaped-directory/%41/x.txt -d {out}",
        Fails("Failed to download artifacts from path 'x.txt'"),
        Gives("{out}/x.txt", &["x.txt = odd/escaped-directory/%41/x.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a escaped-directory/%41/x.txt -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a escaped-directory -d {out}",
        Fails("Failed to download artifacts from path 'escaped-directory'"),
        Gives("{out}/escaped-directory", &["escaped-directory = odd/escaped-directory"]),
    )
    .on(DISK),
    differs(
        ExactNames,
        "download -r {odd} -a hash-directory/a#b -d {out}",
        Fails("Failed to download artifacts from path 'a'"),
        Gives("{out}/a#b", &["a#b = odd/hash-directory/a#b"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a hash-directory/a#b -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a hash-directory/a#b/x.txt -d {out}",
        Fails("Failed to download artifacts from path 'a'"),
        Gives("{out}/x.txt", &["x.txt = odd/hash-directory/a#b/x.txt"]),
    )
    .on(DISK),
    both_fail(
        "download -r {odd} -a hash-directory/a#b/x.txt -d {out}",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a hash-directory -d {out}",
        Fails("Failed to download artifacts from path 'hash-directory'"),
        Gives("{out}/hash-directory", &["hash-directory = odd/hash-directory"]),
    )
    .on(DISK),
    differs(
        ServerNames,
        "download -r {odd} -a escaped-directory -d {out}",
        Gives("{out}/escaped-directory", &["escaped-directory/A/"]),
        Fails("1 of 1 files failed"),
    )
    .on(PROXIED),
    differs(
        Neighbours,
        "download -r {odd} -a hash-directory -d {out}",
        Fails("Failed to download artifacts from path 'hash-directory'"),
        Fails("1 of 1 files failed"),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -a split/d%2Ff.txt -d {out}",
        Gives("{out}/d%2Ff.txt", &["d%2Ff.txt = odd/split/d/f.txt"]),
        Fails("no artifact of that name"),
    )
    .on(DISK),
    differs(
        ServerNames,
        "download -r {odd} -a split/d%2Ff.txt -d {out}",
        Gives("{out}/d%2Ff.txt", &["d%2Ff.txt = odd/split/d/f.txt"]),
        Fails("an MLflow server reads this name as another one"),
    )
    .on(PROXIED),
    same("download -r {odd} -a twins/same -d {out}").on(DISK),
    differs(
        SameNamedChild,
        "download -r {odd} -a twins/same -d {out}",
        Fails("Failed to download artifacts from path 'same'"),
        Gives("{out}/same", &["same = odd/twins/same"]),
    )
    .on(PROXIED),
    same("download -r {odd} -a twins/same/ -d {out}"),
    same("download -r {odd} -a twins/same/same -d {out}"),
    same("download -r {odd} -a twins/beside -d {out}"),
    same("download -r {odd} -a twins -d {out}").on(DISK),
    differs(
        SameNamedChild,
        "download -r {odd} -a twins -d {out}",
        Gives("{out}/twins", &["twins/same/", "twins/beside = odd/twins/beside"]),
        Gives("{out}/twins", &["twins = odd/twins"]),
    )
    .on(PROXIED),
    differs(
        ExactNames,
        "download -r {odd} -d {out}",
        Fails("No such artifact"),
        Gives("{out}", &[". = odd"]),
    )
    .on(DISK),
    same("download -r {hidden} -a d -d {out}"),
    same("download -r {hidden} -a d/.artifact.uploading.txt -d {out}"),
    same("download -r {hidden} -d {out}"),
    same("download -r {bytes} -d {out}").on(DISK),
    same("download -r {bytes} -a d -d {out}").on(DISK),
    both_fail("download -r {bytes} -a d -d {out}", "500 Internal Server Error").on(PROXIED),
    same("download -r {bytes} -a d/plain.txt -d {out}"),
    same("download -r {scripts} -d {out}").on(PROXIED),
    differs(
        Permissions,
        "download -r {scripts} -a run.sh -d {out}",
        Gives("{out}/run.sh", &["run.sh = scripts/run.sh"]),
        Gives("{out}/run.sh", &["run.sh : #!/bin/sh\n"]),
    )
    .on(DISK),
];
