//! The odd keys, by what is odd about them.

use mlfetch_store::Key;

/// What is odd about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyClass {
    /// Spaces inside, before and after.
    Spaces,
    /// `+`, which some decode to a space.
    Plus,
    /// `%`, also where it looks like an encoded byte.
    Percent,
    /// `#`, where a URI's fragment begins.
    Hash,
    /// `?`, where a URI's query begins.
    QuestionMark,
    /// `&`, `;`, `:`, `=`, `@`, `,`, `$`, `!`: reserved in URIs.
    Reserved,
    /// `'`, `"`, a backtick.
    Quotes,
    /// A backslash, which is a separator elsewhere.
    Backslash,
    /// `*`, brackets, braces, `|`, `<`, `>`, `^`.
    Wildcards,
    /// `~`, which a shell takes for the home directory.
    Tilde,
    /// Dots at the end, at the beginning, and three alone.
    Dots,
    /// Letters outside Latin.
    NonLatin,
    /// The same text in composed and decomposed form, side by side.
    NormalForms,
    /// Characters outside the basic plane, and joined ones.
    Emoji,
    /// Tab, newline, carriage return.
    Whitespace,
    /// Other control characters.
    Control,
    /// A segment of 255 bytes, the longest of common file systems.
    LongSegment,
    /// Sixty levels.
    DeepNesting,
    /// `A` beside `a`.
    CaseTwins,
    /// `a//b`.
    EmptySegments,
    /// `/a`.
    LeadingSlash,
    /// `a/`, with bytes.
    TrailingSlash,
    /// `.` and `..` as segments.
    DotSegments,
    /// `a` beside `a/b`.
    ObjectBesideDirectory,
    /// Bytes that are not UTF-8.
    NotUtf8,
}

impl KeyClass {
    /// The keys of this class, without the namespace's prefix. [`Quirk::only`](crate::Quirk::only)
    /// takes them as they are here.
    pub fn keys(self) -> Vec<Key> {
        match self {
            Self::LongSegment => vec![Key::from("l".repeat(251) + ".txt")],
            Self::DeepNesting => vec![Key::from("deep/".repeat(60) + "end.txt")],
            Self::CaseTwins => keys(&["Case.txt", "case.txt", "Dir/x", "dir/x"]),
            Self::EmptySegments => keys(&["empty//segment.txt", "empty///two.txt"]),
            Self::LeadingSlash => keys(&["/leading.txt"]),
            Self::TrailingSlash => keys(&["trailing/"]),
            Self::DotSegments => keys(&["dots/./one.txt", "dots/../two.txt", "./three.txt"]),
            Self::ObjectBesideDirectory => keys(&["twin", "twin/inside.txt"]),
            Self::NotUtf8 => {
                vec![Key::new(b"not-\xff\xfe-text".to_vec()), Key::new(b"latin-1-\xe9".to_vec())]
            }
            other => as_file_and_directory(other.names()),
        }
    }

    /// Keys that a careless client takes for those of this class.
    pub(crate) fn look_alikes(self) -> Vec<Key> {
        match self {
            Self::EmptySegments => keys(&["empty/segment.txt", "empty/two.txt"]),
            Self::LeadingSlash => keys(&["leading.txt"]),
            Self::TrailingSlash => keys(&["trailing"]),
            Self::DotSegments => keys(&["dots/one.txt", "two.txt", "three.txt"]),
            Self::Percent => keys(&["A.txt", "a b", "100", "a/b"]),
            Self::Plus => keys(&["a b"]),
            Self::Hash | Self::QuestionMark | Self::Dots => keys(&["a"]),
            Self::Spaces => keys(&["leading", "trailing", "a%20b"]),
            Self::Backslash => keys(&["a/b"]),
            _ => Vec::new(),
        }
    }

    /// Names that are odd as a file's and as a directory's.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Spaces => &["a b", " leading", "trailing ", "two  spaces", " "],
            Self::Plus => &["a+b", "+"],
            Self::Percent => &["100%", "%41.txt", "a%2Fb", "a%20b", "%25", "%zz", "%"],
            Self::Hash => &["a#b", "#", "#begins"],
            Self::QuestionMark => &["a?b", "?", "a?b=c&d=e"],
            Self::Reserved => &["a&b", "a;b", "a:b", "a=b", "a@b", "a,b", "a$b", "a!b", "(a)"],
            Self::Quotes => &["it's", "\"quoted\"", "`tick`"],
            Self::Backslash => &["a\\b", "\\"],
            Self::Wildcards => &["a*b", "[a]", "{a,b}", "a|b", "<a>", "a^b"],
            Self::Tilde => &["~", "~root", "a~"],
            Self::Dots => &["a.", "a..", "...", ".hidden", "..a"],
            Self::NonLatin => &["größe", "日本語", "العربية", "Ελληνικά", "русский"],
            Self::NormalForms => &["caf\u{e9}", "cafe\u{301}", "\u{1112}\u{1161}", "\u{d558}"],
            Self::Emoji => &["🦀", "👩\u{200d}🔬.bin", "𝒳"],
            Self::Whitespace => &["a\tb", "a\nb", "a\rb"],
            Self::Control => &["a\u{1}b", "a\u{1b}[31mb", "a\u{7f}b", "a\u{85}b"],
            _ => &[],
        }
    }
}

fn keys(texts: &[&str]) -> Vec<Key> {
    texts.iter().map(|text| Key::from(*text)).collect()
}

fn as_file_and_directory(names: &[&str]) -> Vec<Key> {
    let files = names.iter().map(|name| Key::from(*name));
    let directories = names.iter().map(|name| Key::from(format!("in/{name}/file.txt")));
    files.chain(directories).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_segment_has_255_bytes() {
        assert_eq!(KeyClass::LongSegment.keys()[0].as_bytes().len(), 255);
    }

    #[test]
    fn a_look_alike_is_never_a_key_of_its_class() {
        use KeyClass::{Backslash, Dots, EmptySegments, Hash, LeadingSlash, Percent, Plus, Spaces};
        for class in [Backslash, Dots, EmptySegments, Hash, LeadingSlash, Percent, Plus, Spaces] {
            let keys = class.keys();
            assert!(class.look_alikes().iter().all(|key| !keys.contains(key)), "{class:?}");
        }
    }
}
