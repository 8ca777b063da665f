//! The places where ours does something else on purpose. `docs/compatibility.md` has the reasons.

/// Makes the enumeration, and the name of each in the documentation.
macro_rules! differences {
    ($($variant:ident = $id:literal,)+) => {
        /// A named difference.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Difference {
            $($variant,)+
        }

        impl Difference {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in the documentation.
            pub(crate) fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)+
                }
            }
        }
    };
}

differences! {
    DirectoryInTheWay = "directory-in-the-way",
    DotDot = "dot-dot",
    DotPath = "dot-path",
    DoubleSlash = "double-slash",
    EmptyDirectory = "empty-directory",
    ExactNames = "exact-names",
    FileStoreAllowed = "file-store-allowed",
    FileUriNames = "file-uri-names",
    ForeignHost = "foreign-host",
    LeftoverDirectory = "leftover-directory",
    LinkInTheWay = "link-in-the-way",
    LinksInside = "links-inside",
    LinksOutside = "links-outside",
    ListedPaths = "listed-paths",
    MetaQuoting = "meta-quoting",
    ModelFromRun = "model-from-run",
    ModelIdWithPath = "model-id-with-path",
    NamedByUser = "named-by-user",
    Neighbours = "neighbours",
    NothingCreated = "nothing-created",
    NothingInTheStore = "nothing-in-the-store",
    NothingIsAnError = "nothing-is-an-error",
    PartialFailure = "partial-failure",
    Permissions = "permissions",
    PrintedPlace = "printed-place",
    RunIdChecked = "run-id-checked",
    RunWithoutPath = "run-without-path",
    SameNamedChild = "same-named-child",
    ServerNames = "server-names",
    ShortEquals = "short-equals",
}
