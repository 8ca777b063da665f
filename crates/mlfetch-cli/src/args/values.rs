//! Values that flags take.

use mlfetch::{Layout, Overwrite, Verify, Via};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ProgressStyle {
    /// A bar at a terminal, plain lines elsewhere
    Auto,
    /// A bar
    Bar,
    /// A line every ten seconds
    Plain,
    /// Nothing
    None,
}

/// A word that a flag takes, and what it means.
macro_rules! words {
    ($name:ident for $target:ident: $($word:ident, $help:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
        pub(crate) enum $name {
            $(#[doc = $help] $word,)+
        }

        impl From<$name> for $target {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => Self::$word,)+
                }
            }
        }
    };
}

words! { LayoutWord for Layout:
    Mlflow, "As MLflow 3: the last segment of the path is kept, a trailing / means the contents";
    Contents, "The contents of what was asked for, straight in the destination";
    Run, "The path from the root of the run or model is kept, as by MLflow 2";
}

words! { OverwriteWord for Overwrite:
    IfChanged, "Replace files that may differ";
    Always, "Replace them";
    Never, "Leave them alone";
    Error, "Fail";
}

words! { VerifyWord for Verify:
    Off, "The size only";
    IfPresent, "The strongest checksum that the store gives, if it gives one";
    Required, "A checksum; a file without one fails";
}

words! { ViaWord for Via:
    Auto, "Direct where a rewrite rule says so, else presigned where offered, else proxy";
    Direct, "Straight from where the bytes lie; the server is asked for none";
    Presigned, "By URLs that the tracking server signs";
    Proxy, "Through the tracking server";
}
