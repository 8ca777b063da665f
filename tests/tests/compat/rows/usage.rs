//! The command line itself.

use crate::difference::Difference::ShortEquals;
use crate::row::Outcome::{Fails, Gives};
use crate::row::{Row, both_fail, differs, same, usage};

pub(crate) const ROWS: &[Row] = &[
    usage("download --frob"),
    usage("download extra"),
    usage("download -r {run} extra"),
    usage("download -r"),
    usage("download -r {run} -d"),
    usage("list --frob"),
    usage("list -u x"),
    usage("list -r {run} -d {out}"),
    usage("frob"),
    same("download --run-id {run} --artifact-path nest --dst-path {out}"),
    same("download --run-id={run} --artifact-path=nest --dst-path={out}"),
    same("download --artifact-uri runs:/{run}/nest --dst-path {out}"),
    same("download -r{run} -anest -d{out}"),
    same("download -r {run} -a nest -a y.txt -d {out}"),
    same("download -d {out} -a nest -r {run}"),
    same("download -r {odd} -r {run} -a nest -d {out}/no -d {out}"),
    usage("download --run {run} -a nest -d {out}"),
    same("download --artifact-path=nest -r {run} -- "),
    usage("download -r {run} -a nest -d {out} -- extra"),
    differs(
        ShortEquals,
        "download -r={run} -a nest -d {out}",
        Fails(""),
        Gives("{out}/nest", &["nest = run/nest"]),
    ),
    same("list --run-id {run} --artifact-path nest"),
    same("list -r {run} -a nest -a more"),
    both_fail("download -r {run} -a -nope -d {out}", "no artifact of that name"),
    both_fail("download -r {run} -a --nope -d {out}", "no artifact of that name"),
];
