//! `artifacts list`.

use crate::difference::Difference::{
    LinksOutside, ListedPaths, Neighbours, SameNamedChild, ServerNames,
};
use crate::row::Outcome::{Fails, Lists};
use crate::row::{DISK, PROXIED, Row, both_fail, differs, same, usage};

pub(crate) const ROWS: &[Row] = &[
    same("list -r {run}"),
    same("list -r {run} -a nest"),
    same("list -r {run} -a nest/"),
    same("list -r {run} -a nest/a"),
    same("list -r {run} -a nest/a/b"),
    same("list -r {run} -a ./nest").on(DISK),
    differs(
        ListedPaths,
        "list -r {run} -a ./nest",
        Lists(&["./nest/a", "./nest/empty.txt", "./nest/two words", "./nest/y.txt"]),
        Lists(&["nest/a", "nest/empty.txt", "nest/two words", "nest/y.txt"]),
    )
    .on(PROXIED),
    same("list -r {run} -a nest//a").on(DISK),
    differs(
        ListedPaths,
        "list -r {run} -a nest//a",
        Lists(&["nest//a/b", "nest//a/x.txt"]),
        Lists(&["nest/a/b", "nest/a/x.txt"]),
    )
    .on(PROXIED),
    same("list -r {run} -a ''"),
    same("list -r {run} -a .").on(DISK),
    differs(
        ListedPaths,
        "list -r {run} -a .",
        Lists(&[
            "./.dotdir",
            "./big.bin",
            "./data.tar.gz",
            "./empty.txt",
            "./emptydir",
            "./fair",
            "./holds",
            "./more",
            "./nest",
            "./y.txt",
        ]),
        Lists(&[
            ".dotdir",
            "big.bin",
            "data.tar.gz",
            "empty.txt",
            "emptydir",
            "fair",
            "holds",
            "more",
            "nest",
            "y.txt",
        ]),
    )
    .on(PROXIED),
    same("list -r {run} -a y.txt"),
    same("list -r {run} -a empty.txt"),
    same("list -r {run} -a nest/y.txt"),
    same("list -r {run} -a nope"),
    same("list -r {run} -a emptydir"),
    same("list -r {run} -a holds"),
    same("list -r {run} -a fair"),
    same("list -r {run} -a 'nest/two words'"),
    same("list -r {run} -a .dotdir"),
    same("list -r {run} -a more/two"),
    both_fail("list -r {run} -a ..", "leads out of the artifact root with `..`"),
    both_fail("list -r {run} -a ../x", "leads out of the artifact root with `..`"),
    both_fail("list -r {run} -a /nest", "it is absolute"),
    both_fail("list -r {run} -a /etc", "it is absolute"),
    same("list -r {empty}"),
    same("list -r {deleted}"),
    same("list -r {trained}"),
    same("list -r {trained} -a model"),
    same("list -r {only}"),
    same("list -r {only} -a model"),
    same("list -r {links}"),
    same("list -r {links} -a inside"),
    same("list -r {links} -a across"),
    same("list -r {links} -a across/dir"),
    differs(
        Neighbours,
        "list -r {dangling} -a d",
        Fails("No such file or directory"),
        Lists(&["d/good.txt"]),
    )
    .on(DISK),
    both_fail("list -r {dangling} -a d", "dangling link").on(PROXIED),
    same("list -r {dangling}"),
    differs(
        LinksOutside,
        "list -r {escaping} -a d",
        Lists(&["d/good.txt", "d/out.txt"]),
        Lists(&["d/good.txt"]),
    )
    .on(DISK),
    same("list -r {escaping} -a d").on(PROXIED),
    differs(
        LinksOutside,
        "list -r {escaping} -a e",
        Lists(&["e/good.txt", "e/out"]),
        Lists(&["e/good.txt"]),
    )
    .on(DISK),
    same("list -r {escaping} -a e").on(PROXIED),
    both_fail("list -r {escaping} -a e/out", "leads out of"),
    same("list -r {odd}"),
    same("list -r {odd} -a escape").on(DISK),
    differs(
        ServerNames,
        "list -r {odd} -a escape",
        Lists(&["escape/A.txt", "escape/plain.txt"]),
        Lists(&["escape/plain.txt"]),
    )
    .on(PROXIED),
    same("list -r {odd} -a escaped-directory").on(DISK),
    differs(
        ServerNames,
        "list -r {odd} -a escaped-directory",
        Lists(&["escaped-directory/A"]),
        Lists(&[]),
    )
    .on(PROXIED),
    same("list -r {odd} -a escaped-directory/%41").on(DISK),
    differs(
        ServerNames,
        "list -r {odd} -a escaped-directory/%41",
        Lists(&[]),
        Fails("an MLflow server reads this name as another one"),
    )
    .on(PROXIED),
    same("list -r {odd} -a hash").on(DISK),
    differs(Neighbours, "list -r {odd} -a hash", Fails("Invalid path"), Lists(&["hash/plain.txt"]))
        .on(PROXIED),
    same("list -r {odd} -a hash-directory").on(DISK),
    differs(Neighbours, "list -r {odd} -a hash-directory", Fails("Invalid path"), Lists(&[]))
        .on(PROXIED),
    same("list -r {odd} -a hash-directory/a#b").on(DISK),
    both_fail(
        "list -r {odd} -a hash-directory/a#b",
        "an MLflow server reads this name as another one",
    )
    .on(PROXIED),
    same("list -r {odd} -a question"),
    same("list -r {odd} -a tab").on(DISK),
    differs(
        ServerNames,
        "list -r {odd} -a tab",
        Lists(&["tab/ab.txt", "tab/plain.txt"]),
        Lists(&["tab/plain.txt"]),
    )
    .on(PROXIED),
    same("list -r {odd} -a newline").on(DISK),
    differs(
        ServerNames,
        "list -r {odd} -a newline",
        Lists(&["newline/ab.txt", "newline/plain.txt"]),
        Lists(&["newline/plain.txt"]),
    )
    .on(PROXIED),
    same("list -r {hidden} -a d"),
    same("list -r {odd} -a twins/same").on(DISK),
    differs(SameNamedChild, "list -r {odd} -a twins/same", Lists(&[]), Lists(&["twins/same/same"]))
        .on(PROXIED),
    both_fail("list -r 00000000000000000000000000000000", "no run has this id"),
    both_fail("list -r ''", "a run id holds letters, digits"),
    both_fail("list -r ../x", "a run id holds letters, digits"),
    both_fail("list -r 'a b'", "a run id holds letters, digits"),
    usage("list"),
    usage("list -u runs:/{run}"),
    usage("list {run}"),
];
