//! From a row's text to words.

use std::collections::BTreeMap;

/// Splits as a shell does: at spaces, with `'…'` and `"…"` around what belongs together.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in line.chars() {
        match (character, quote) {
            (_, Some(open)) if character == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (' ', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    assert_eq!(quote, None, "a quote is open: {line}");
    words.extend(word);
    words
}

/// Puts values for `{name}`; `{{` and `}}` are braces.
pub(crate) fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            filled.push_str(&rest[..1]);
            rest = &rest[2..];
            continue;
        }
        let (name, after) = rest[1..].split_once('}').unwrap_or_else(|| panic!("open: {text}"));
        let value = values.get(name).unwrap_or_else(|| panic!("nothing is called {name}: {text}"));
        filled.push_str(value);
        rest = after;
    }
    filled + rest
}

/// Checks of this module, which the harness of the table runs as its own cases.
pub(crate) fn check() {
    assert_eq!(split("a  'b c' \"it's\" '' d'e'f"), ["a", "b c", "it's", "", "def"]);
    let values = BTreeMap::from([("run".to_owned(), "1".to_owned())]);
    assert_eq!(fill("{run}/{{x}}/{run}", &values), "1/{x}/1");
}
