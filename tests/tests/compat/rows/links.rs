//! Symbolic links in the store.

use crate::difference::Difference::{LinksInside, LinksOutside, NamedByUser, Neighbours};
use crate::row::Outcome::{Fails, FailsWith, Gives};
use crate::row::{DISK, PROXIED, Row, both_fail, differs, same};

pub(crate) const ROWS: &[Row] = &[
    same("download -r {links} -a inside -d {out}"),
    same("download -r {links} -a inside/near.txt -d {out}"),
    same("download -r {links} -a inside/neardir -d {out}"),
    same("download -r {links} -a inside/neardir/s.txt -d {out}"),
    same("download -r {links} -d {out}"),
    same("download -r {links} -a across -d {out}"),
    differs(
        LinksInside,
        "download -r {links} -a across/ -d {out}",
        Fails("Failed to download artifacts from path ''"),
        Gives(
            "{out}",
            &["own.txt = links/across/own.txt", "file.txt = links/target.txt", "dir = links/real"],
        ),
    )
    .on(DISK),
    same("download -r {links} -a across/ -d {out}").on(PROXIED),
    same("download -r {links} -a across-file -d {out}"),
    differs(
        LinksInside,
        "download -r {links} -a across/file.txt -d {out}",
        Fails("Failed to download artifacts from path 'file.txt'"),
        Gives("{out}/file.txt", &["file.txt = links/target.txt"]),
    )
    .on(DISK),
    same("download -r {links} -a across/file.txt -d {out}").on(PROXIED),
    differs(
        LinksInside,
        "download -r {links} -a across/dir -d {out}",
        Fails("Failed to download artifacts from path 'dir'"),
        Gives("{out}/dir", &["dir = links/real"]),
    )
    .on(DISK),
    same("download -r {links} -a across/dir -d {out}").on(PROXIED),
    same("download -r {links} -a across/dir/r.txt -d {out}"),
    differs(
        Neighbours,
        "download -r {dangling} -a d -d {out}",
        Fails("Failed to download artifacts from path 'd'"),
        FailsWith("1 of 2 files failed", &["d/good.txt = dangling/d/good.txt"]),
    )
    .on(DISK),
    both_fail("download -r {dangling} -a d -d {out}", "dangling link").on(PROXIED),
    same("download -r {dangling} -a d/good.txt -d {out}"),
    both_fail("download -r {dangling} -a d/gone.txt -d {out}", "leads nowhere").on(DISK),
    both_fail("download -r {dangling} -a d/gone.txt -d {out}", "no artifact of that name")
        .on(PROXIED),
    differs(
        Neighbours,
        "download -r {dangling} -d {out}",
        Fails("No such file or directory"),
        FailsWith("1 of 2 files failed", &["d/good.txt = dangling/d/good.txt"]),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {dangling} -d {out}",
        Fails("500"),
        FailsWith("500 Internal Server Error", &[]),
    )
    .on(PROXIED),
    differs(
        Neighbours,
        "download -r {escaping} -a d -d {out}",
        Fails("Failed to download artifacts from path 'd'"),
        FailsWith("leads out of", &["d/good.txt = escaping/d/good.txt"]),
    ),
    same("download -r {escaping} -a d/good.txt -d {out}"),
    both_fail("download -r {escaping} -a d/out.txt -d {out}", "leads out of"),
    differs(
        Neighbours,
        "download -r {escaping} -a e -d {out}",
        Fails("Failed to download artifacts from path 'e'"),
        FailsWith("leads out of", &["e/good.txt = escaping/e/good.txt"]),
    )
    .on(DISK),
    // The server lists this link as a directory, so there is one; what is in it is refused.
    differs(
        Neighbours,
        "download -r {escaping} -a e -d {out}",
        Fails("Failed to download artifacts from path 'e'"),
        FailsWith("leads out of", &["e/good.txt = escaping/e/good.txt", "e/out/"]),
    )
    .on(PROXIED),
    both_fail("download -r {escaping} -a e/out -d {out}", "leads out of"),
    differs(
        LinksOutside,
        "download -r {escaping} -a e/out/secret.txt -d {out}",
        Gives("{out}/secret.txt", &["secret.txt = outside/secret.txt"]),
        Fails("leads out of the artifact root"),
    )
    .on(DISK),
    both_fail("download -r {escaping} -a e/out/secret.txt -d {out}", "leads out of").on(PROXIED),
    differs(
        Neighbours,
        "download -r {escaping} -d {out}",
        Fails(""),
        FailsWith(
            "leads out of",
            &["d/good.txt = escaping/d/good.txt", "e/good.txt = escaping/e/good.txt"],
        ),
    )
    .on(DISK),
    differs(
        Neighbours,
        "download -r {escaping} -d {out}",
        Fails(""),
        FailsWith(
            "leads out of",
            &["d/good.txt = escaping/d/good.txt", "e/good.txt = escaping/e/good.txt", "e/out/"],
        ),
    )
    .on(PROXIED),
    both_fail("download -u {links_path}/across/file.txt -d {out}", "leads out of").on(DISK),
    both_fail("download -u {escaping_path}/d/out.txt -d {out}", "leads out of").on(DISK),
    differs(
        NamedByUser,
        "download -u {escaping_path}/e/out -d {out}",
        Fails("outside the artifact directory"),
        Gives("{out}/out", &["out = outside"]),
    )
    .on(DISK),
];
