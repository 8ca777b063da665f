//! Where things land below the destination.

use crate::resolve::Placement;

/// Which part of the path asked for is kept below the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// As MLflow 3 lays it: the last segment of a path is kept, a trailing `/` means the contents,
    /// a model's files lie straight in the destination, a path in a model is kept whole.
    #[default]
    Mlflow,
    /// The contents of what was asked for, straight in the destination.
    Contents,
    /// The path relative to the root of the run or model is kept, as MLflow 2 kept it.
    Run,
}

impl Layout {
    /// The path at which a directory that was asked for lands; empty for the destination itself.
    pub(crate) fn place_directory(self, placement: &Placement) -> Vec<u8> {
        let wants_contents = placement.asked.is_empty() || placement.asked.ends_with(b"/");
        let kept = match self {
            Self::Contents => return Vec::new(),
            Self::Mlflow if placement.keeps_whole_path => trimmed(&placement.asked),
            Self::Mlflow if wants_contents => b"",
            Self::Mlflow => last_segment(&placement.asked),
            Self::Run => trimmed(&placement.asked),
        };
        join(&placement.under, kept)
    }

    /// The path at which a single file that was asked for lands.
    pub(crate) fn place_file(self, placement: &Placement, name: &[u8]) -> Vec<u8> {
        let asked = trimmed(&placement.asked);
        let kept = if asked.is_empty() { name } else { asked };
        match self {
            Self::Contents => last_segment(kept).to_vec(),
            Self::Mlflow if placement.keeps_whole_path => join(&placement.under, kept),
            Self::Mlflow => join(&placement.under, last_segment(kept)),
            Self::Run => join(&placement.under, kept),
        }
    }
}

fn trimmed(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}

fn last_segment(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// Two paths with one `/` between them; either may be empty.
pub(crate) fn join(directory: &[u8], rest: &[u8]) -> Vec<u8> {
    if directory.is_empty() || rest.is_empty() {
        return [directory, rest].concat();
    }
    [directory, b"/", rest].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::RelativePath;

    fn directory(layout: Layout, placement: &Placement) -> String {
        String::from_utf8(layout.place_directory(placement)).expect("text")
    }

    fn file(layout: Layout, placement: &Placement) -> String {
        String::from_utf8(layout.place_file(placement, b"name")).expect("text")
    }

    #[test]
    fn a_run_keeps_the_last_segment_as_mlflow_3_does() {
        let asked = Placement::last_segment("a/b");
        assert_eq!(directory(Layout::Mlflow, &asked), "b");
        assert_eq!(file(Layout::Mlflow, &asked), "b");
        assert_eq!(directory(Layout::Mlflow, &Placement::last_segment("a/")), "");
        assert_eq!(directory(Layout::Mlflow, &Placement::last_segment("")), "");
    }

    #[test]
    fn a_model_keeps_the_whole_path() {
        let asked = Placement::whole_path("data/x");
        assert_eq!(directory(Layout::Mlflow, &asked), "data/x");
        assert_eq!(file(Layout::Mlflow, &asked), "data/x");
        assert_eq!(file(Layout::Mlflow, &asked.under("model")), "model/data/x");
    }

    #[test]
    fn contents_and_run_keep_none_and_all() {
        let asked = Placement::last_segment("a/b").under("model");
        assert_eq!(directory(Layout::Contents, &asked), "");
        assert_eq!(file(Layout::Contents, &asked), "b");
        assert_eq!(directory(Layout::Run, &Placement::last_segment("a/b/")), "a/b");
        assert_eq!(file(Layout::Run, &asked), "model/a/b");
    }

    #[test]
    fn a_location_that_is_a_file_keeps_its_own_name() {
        assert_eq!(file(Layout::Mlflow, &Placement::default()), "name");
        assert_eq!(file(Layout::Run, &Placement::default()), "name");
    }

    fn layouts() -> impl Strategy<Value = Layout> {
        prop_oneof![Just(Layout::Mlflow), Just(Layout::Contents), Just(Layout::Run)]
    }

    proptest! {
        /// Plain segments in, plain segments out; and what lands is the end of what was asked for.
        #[test]
        fn a_plain_path_lands_at_a_plain_path(
            layout in layouts(),
            asked in proptest::collection::vec("[a-c.]{1,3}[a-c]", 0..4),
            under in proptest::option::of("[a-c]{1,3}"),
            keeps_whole_path: bool,
            wants_contents: bool,
        ) {
            let mut path = asked.join("/");
            if wants_contents && !path.is_empty() {
                path.push('/');
            }
            let under = under.unwrap_or_default().into_bytes();
            let asked = path.clone().into_bytes();
            let placement = Placement { under: under.clone(), asked, keeps_whole_path };
            let directory = layout.place_directory(&placement);
            prop_assert!(directory.is_empty() || RelativePath::new(directory.clone()).is_ok());
            let file = layout.place_file(&placement, b"name");
            prop_assert!(RelativePath::new(file.clone()).is_ok());
            let kept = if layout == Layout::Contents { &directory } else {
                prop_assert!(directory.starts_with(&under) && file.starts_with(&under));
                &directory[under.len()..].strip_prefix(b"/").unwrap_or(&directory[under.len()..]).to_vec()
            };
            let whole = path.trim_end_matches('/').as_bytes();
            prop_assert!(whole.ends_with(kept) || kept.is_empty());
        }
    }
}
