//! A row of the table: a command line, where it is run, and what must come of it.

use crate::difference::Difference;
use crate::store::StoreKind;

/// One command line, typed to `mlflow artifacts` and to `mlfetch artifacts`.
///
/// Words are split as a shell does it, with both kinds of quotes. `{name}` stands for something
/// that the seed wrote, like `{run}`, or for a place in the case's own box: `{out}`, `{cwd}`,
/// `{box}`. `{{` is a brace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) line: &'static str,
    pub(crate) stores: &'static [StoreKind],
    pub(crate) before: &'static [&'static str],
    pub(crate) environment: &'static [(&'static str, &'static str)],
    pub(crate) inside: &'static str,
    pub(crate) watching: &'static str,
    pub(crate) expected: Expected,
}

/// What the two must do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// Both succeed: the same line on standard output, the same tree, byte for byte.
    Same,
    /// Both fail, with neither 0 nor 2; ours says this and leaves everything as it was.
    BothFail(&'static str),
    /// Both exit with 2: the command line itself is wrong.
    Usage,
    /// Ours does something else on purpose.
    Differs { difference: Difference, mlflow: Outcome, ours: Outcome },
}

/// What one of the two does, in a row where they differ.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// Exit 0 with this path on standard output, and exactly these files below the destination:
    /// `name = tree/path` for what the seed wrote (a directory with all that is in it),
    /// `name : text` for text, `name/` for an empty directory, `name -> target` for a link;
    /// `@box/name` and `@watched/name` are in the box and in the directory that is watched.
    Gives(&'static str, &'static [&'static str]),
    /// Exit 0 with a list of these names and nothing else.
    Lists(&'static [&'static str]),
    /// Neither 0 nor 2, and this on standard error. Ours leaves everything as it was.
    Fails(&'static str),
    /// As `Fails`, but these files are there afterwards.
    FailsWith(&'static str, &'static [&'static str]),
    /// As `Fails`, in the middle of it: of these files some may be there already, each whole.
    FailsAmid(&'static str, &'static [&'static str]),
    /// As `Fails`, but something is at this path of the box afterwards.
    FailsCreating(&'static str, &'static str),
}

/// Every store.
pub(crate) const ALL: &[StoreKind] =
    &[StoreKind::Proxied, StoreKind::Direct, StoreKind::Files, StoreKind::Sqlite];
/// Those whose artifacts MLflow's client reads from the disk itself.
pub(crate) const DISK: &[StoreKind] = &[StoreKind::Direct, StoreKind::Files, StoreKind::Sqlite];
/// The server that hands artifacts out.
pub(crate) const PROXIED: &[StoreKind] = &[StoreKind::Proxied];
/// Those that are asked over HTTP.
pub(crate) const SERVERS: &[StoreKind] = &[StoreKind::Proxied, StoreKind::Direct];
/// Those that are read without a server.
pub(crate) const SERVERLESS: &[StoreKind] = &[StoreKind::Files, StoreKind::Sqlite];
pub(crate) const FILES: &[StoreKind] = &[StoreKind::Files];
pub(crate) const SQLITE: &[StoreKind] = &[StoreKind::Sqlite];

pub(crate) const fn same(line: &'static str) -> Row {
    Row::new(line, Expected::Same)
}

pub(crate) const fn both_fail(line: &'static str, says: &'static str) -> Row {
    Row::new(line, Expected::BothFail(says))
}

pub(crate) const fn usage(line: &'static str) -> Row {
    Row::new(line, Expected::Usage)
}

pub(crate) const fn differs(
    difference: Difference,
    line: &'static str,
    mlflow: Outcome,
    ours: Outcome,
) -> Row {
    Row::new(line, Expected::Differs { difference, mlflow, ours })
}

impl Row {
    const fn new(line: &'static str, expected: Expected) -> Self {
        Self {
            line,
            stores: ALL,
            before: &[],
            environment: &[],
            inside: "{cwd}",
            watching: "",
            expected,
        }
    }

    /// Only with these stores.
    pub(crate) const fn on(self, stores: &'static [StoreKind]) -> Self {
        Self { stores, ..self }
    }

    /// With these things in the box beforehand: `file PATH TEXT`, `directory PATH`,
    /// `link PATH TARGET`, `mode OCTAL PATH`.
    pub(crate) const fn before(self, before: &'static [&'static str]) -> Self {
        Self { before, ..self }
    }

    /// With these variables; an empty text takes one away.
    pub(crate) const fn with(self, environment: &'static [(&'static str, &'static str)]) -> Self {
        Self { environment, ..self }
    }

    /// In this directory, instead of the box's own.
    pub(crate) const fn inside(self, inside: &'static str) -> Self {
        Self { inside, ..self }
    }

    /// With a directory outside the box, of the store, as part of what is compared.
    pub(crate) const fn watching(self, watching: &'static str) -> Self {
        Self { watching, ..self }
    }

    /// Whether it is the same row whatever holds the artifacts.
    pub(crate) fn is_of_any_store(&self) -> bool {
        let alike = match self.expected {
            Expected::Same | Expected::Usage => true,
            // How much arrives before something in the way is met depends on the listing's order.
            Expected::BothFail(_) => self.before.is_empty(),
            Expected::Differs { .. } => false,
        };
        // In a bucket `.` and empty segments are part of a name, and MLflow finds nothing there.
        let own = [
            "emptydir",
            "_path}",
            "{store}",
            "{host}",
            "{outside}",
            "hidden",
            "odd",
            "/./",
            " ./",
            "t//",
        ];
        alike
            && self.stores.len() == ALL.len()
            && self.inside == "{cwd}"
            && self.watching.is_empty()
            && !own.iter().any(|place| self.line.contains(place))
    }

    /// The command line and all that makes it another case than its neighbours.
    pub(crate) fn name(&self) -> String {
        let mut name =
            self.line.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"");
        for (variable, value) in self.environment {
            name = format!("{variable}={value} {name}");
        }
        if self.inside != "{cwd}" {
            name = format!("{name} [in {}]", self.inside);
        }
        if !self.before.is_empty() {
            name = format!("{name} [after {}]", self.before.join("; "));
        }
        name
    }
}
