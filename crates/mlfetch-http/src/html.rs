//! As much HTML as a directory index and an error page need: tags, their attributes, the title.
//!
//! It reads bytes, because names need not be UTF-8, and never fails: what is not understood is
//! passed over. Its rules are those of the HTML standard, 13.2.5, as far as servers use them.

mod entity;

pub(crate) use entity::decode_entities;

/// A piece of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// What stands between tags, entities not decoded.
    Text(&'a [u8]),
    /// A tag.
    Tag(Tag<'a>),
}

/// A tag: `<a href="x">`, and `</a>`, whose name is `/a`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    name: &'a [u8],
    attributes: &'a [u8],
}

impl<'a> Tag<'a> {
    /// Whether it has this name, in any case.
    pub(crate) fn is(self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The raw value of an attribute; the first counts where it is repeated.
    pub(crate) fn attribute(self, name: &str) -> Option<&'a [u8]> {
        let mut rest = self.attributes;
        while let Some((found, value, after)) = next_attribute(rest) {
            if found.eq_ignore_ascii_case(name.as_bytes()) {
                return Some(value);
            }
            rest = after;
        }
        None
    }
}

/// The pieces of a page in order, without comments, scripts and styles.
pub(crate) fn pieces(page: &[u8]) -> Pieces<'_> {
    Pieces { rest: page }
}

/// The iterator of [`pieces`].
#[derive(Debug)]
pub(crate) struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            if let Some(comment) = self.rest.strip_prefix(b"<!--") {
                self.rest = behind(comment, b"-->");
                continue;
            }
            let Some(tag) = self.tag() else { return Some(Piece::Text(self.text())) };
            for raw in ["script", "style"] {
                if tag.is(raw) {
                    self.rest = behind_closing(self.rest, raw);
                }
            }
            return Some(Piece::Tag(tag));
        }
    }
}

impl<'a> Pieces<'a> {
    /// Takes a tag if the page goes on with one.
    fn tag(&mut self) -> Option<Tag<'a>> {
        let inside = self.rest.strip_prefix(b"<")?;
        let begins = inside.strip_prefix(b"/").unwrap_or(inside).first()?;
        if !begins.is_ascii_alphabetic() && *begins != b'!' {
            return None;
        }
        let end = end_of_tag(inside);
        let inner = &inside[..end];
        self.rest = inside.get(end + 1..).unwrap_or_default();
        let name_end = inner.iter().position(u8::is_ascii_whitespace).unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(name_end);
        Some(Tag { name, attributes })
    }

    /// Takes the text up to what may be the next tag.
    fn text(&mut self) -> &'a [u8] {
        // A `<` that begins no tag is text itself.
        let end = position(&self.rest[1..], b"<").map_or(self.rest.len(), |at| at + 1);
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }
}

/// The decoded text between `<title>` and `</title>`.
pub(crate) fn title(page: &[u8]) -> Option<Vec<u8>> {
    let mut after =
        pieces(page).skip_while(|piece| !matches!(piece, Piece::Tag(tag) if tag.is("title")));
    after.next()?;
    let Some(Piece::Text(text)) = after.next() else { return None };
    Some(decode_entities(text).unwrap_or_else(|| text.to_vec()).trim_ascii().to_vec())
}

/// Where the tag's `>` stands: not inside a quoted value.
fn end_of_tag(inside: &[u8]) -> usize {
    let mut quote = None;
    for (at, byte) in inside.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') if inside[..at].trim_ascii_end().ends_with(b"=") => {
                quote = Some(*byte);
            }
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    inside.len()
}

/// The next attribute's name and value, and what follows it.
fn next_attribute(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let skipped = text.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != b'/')?;
    let text = &text[skipped..];
    // At least one byte, so that a stray `=` does not stop the reading.
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'/');
    let name_end = text[1..].iter().position(ends).map_or(text.len(), |at| at + 1);
    let (name, rest) = text.split_at(name_end);
    let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") else {
        return Some((name, &[], rest));
    };
    let value = value.trim_ascii_start();
    if let Some(quote) = value.first().filter(|first| matches!(first, b'"' | b'\'')) {
        let value = &value[1..];
        let end = value.iter().position(|byte| byte == quote).unwrap_or(value.len());
        return Some((name, &value[..end], value.get(end + 1..).unwrap_or_default()));
    }
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    Some((name, &value[..end], &value[end..]))
}

fn behind_closing<'a>(text: &'a [u8], name: &str) -> &'a [u8] {
    let closing = format!("</{name}");
    let found = text
        .windows(closing.len())
        .position(|window| window.eq_ignore_ascii_case(closing.as_bytes()));
    found.map_or(&[], |at| &text[at..])
}

fn behind<'a>(text: &'a [u8], end: &[u8]) -> &'a [u8] {
    position(text, end).map_or(&[], |at| &text[at + end.len()..])
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(page: &str) -> Vec<String> {
        let tags = pieces(page.as_bytes()).filter_map(|piece| match piece {
            Piece::Tag(tag) if tag.is("a") => tag.attribute("href"),
            _ => None,
        });
        tags.map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn an_attribute_is_found_however_it_is_written() {
        for tag in [
            "<a href=\"x y\">",
            "<A HREF='x y'>",
            "<a class=b href = \"x y\" >",
            "<a download href=\"x y\" title='a > b'/>",
            "<a\nhref=\"x y\"\n>",
            "<a data-href=\"no\" href=\"x y\" href=\"second\">",
        ] {
            assert_eq!(links(tag), ["x y"], "{tag}");
        }
        assert_eq!(links("<a href=bare>"), ["bare"]);
        assert_eq!(links("<a href=bare/>"), ["bare/"]);
    }

    #[test]
    fn what_a_browser_does_not_show_is_no_link() {
        assert!(links("<!-- <a href=x> --><script>'<a href=y>'</script>").is_empty());
        assert!(links("<style><a href=x></STYLE>").is_empty());
        assert!(links("<abbr href=x>").is_empty());
    }

    #[test]
    fn a_page_that_breaks_off_is_read_to_its_end() {
        for cut in ["<a href=\"x", "<", "</", "<a", "<!--", "a < b", "<a href=", "<a ="] {
            assert!(links(cut).len() <= 1, "{cut}");
        }
    }

    #[test]
    fn a_quote_inside_text_does_not_swallow_the_page() {
        assert_eq!(links("<b it's>a</b><a href=\"x\">it's</a><a href=y>"), ["x", "y"]);
    }

    #[test]
    fn the_title_is_decoded() {
        assert_eq!(
            title(b"<head><title> Index of /a&amp;b </title>"),
            Some(b"Index of /a&b".into())
        );
        assert_eq!(title(b"<h1>none</h1>"), None);
    }
}
