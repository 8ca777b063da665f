//! What is not there, and what cannot be.

use crate::difference::Difference::{NothingIsAnError, RunIdChecked};
use crate::row::Outcome::{Fails, Gives};
use crate::row::{Row, both_fail, differs};

pub(crate) const ROWS: &[Row] = &[
    both_fail("download -r {run} -a nope -d {out}", "no artifact of that name"),
    differs(
        NothingIsAnError,
        "download -r {run} -a nope/ -d {out}",
        Gives("{out}", &["."]),
        Fails("no artifact of that name"),
    ),
    both_fail("download -r {run} -a nest/nope.txt -d {out}", "no artifact of that name"),
    both_fail("download -r {run} -a NEST -d {out}", "no artifact of that name"),
    both_fail("download -r {run} -a y.txt/x -d {out}", "no artifact of that name"),
    both_fail("download -r {run} -a y.tx -d {out}", "no artifact of that name"),
    both_fail("download -r {empty} -a x -d {out}", "no artifact of that name"),
    both_fail("download -r 00000000000000000000000000000000 -d {out}", "no run has this id"),
    both_fail("download -r 00000000000000000000000000000000 -a x -d {out}", "no run has this id"),
    both_fail("download -r abc -d {out}", "no run has this id"),
    both_fail("download -r ../x -d {out}", "a run id holds letters, digits"),
    both_fail("download -r ../x -a y.txt -d {out}", "a run id holds letters, digits"),
    both_fail("download -r 'a b' -d {out}", "a run id holds letters, digits"),
    both_fail("download -r '{run} ' -d {out}", "a run id holds letters, digits"),
    both_fail("download -r ' {run}' -a y.txt -d {out}", "a run id holds letters, digits"),
    both_fail("download -r {run}/nest -d {out}", "a run id holds letters, digits"),
    differs(
        RunIdChecked,
        "download -r {run}/nest -a y.txt -d {out}",
        Gives("{out}/y.txt", &["y.txt = run/nest/y.txt"]),
        Fails("a run id holds letters, digits"),
    ),
    both_fail("download -r é -d {out}", "a run id holds letters, digits"),
    both_fail("download -r runs:/{run} -a y.txt -d {out}", "a run id holds letters, digits"),
    both_fail(
        "download -u runs:/00000000000000000000000000000000/x -d {out}",
        "no run has this id",
    ),
    both_fail("download -u runs:/a.b/x -d {out}", "a run id holds letters, digits"),
];
