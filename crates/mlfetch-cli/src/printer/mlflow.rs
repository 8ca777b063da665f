//! Text that is MLflow's, to the letter.

use std::fmt::Write as _;

/// A row of `mlflow artifacts list`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MlflowRow {
    /// From the run's root on.
    pub(crate) path: Vec<u8>,
    pub(crate) is_directory: bool,
    /// `None` where it is 0 or not known (MLflow 3.17).
    pub(crate) size: Option<u64>,
}

/// `[` the rows, `, ` between them `]`, each as Python's `json` module writes it with an indent
/// of two (MLflow 3.17).
pub(super) fn rows(rows: &[MlflowRow]) -> String {
    let rows: Vec<String> = rows.iter().map(row).collect();
    format!("[{}]\n", rows.join(", "))
}

fn row(row: &MlflowRow) -> String {
    let mut text =
        format!("{{\n  \"path\": {},\n  \"is_dir\": {}", quoted(&row.path), row.is_directory);
    if let Some(size) = row.size {
        let _ = write!(text, ",\n  \"file_size\": {size}");
    }
    text.push_str("\n}");
    text
}

/// A JSON string in ASCII. Bytes that are not UTF-8 become the lone surrogates that Python uses for
/// them in file names (PEP 383).
fn quoted(bytes: &[u8]) -> String {
    let mut text = "\"".to_owned();
    for chunk in bytes.utf8_chunks() {
        for unit in chunk.valid().encode_utf16() {
            push(&mut text, unit);
        }
        for byte in chunk.invalid() {
            push(&mut text, 0xdc00 + u16::from(*byte));
        }
    }
    text.push('"');
    text
}

fn push(text: &mut String, unit: u16) {
    match u8::try_from(unit) {
        Ok(b'"') => text.push_str("\\\""),
        Ok(b'\\') => text.push_str("\\\\"),
        Ok(b'\n') => text.push_str("\\n"),
        Ok(b'\r') => text.push_str("\\r"),
        Ok(b'\t') => text.push_str("\\t"),
        Ok(0x08) => text.push_str("\\b"),
        Ok(0x0c) => text.push_str("\\f"),
        Ok(ascii @ b' '..=b'~') => text.push(char::from(ascii)),
        _ => {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size: Option<u64>) -> MlflowRow {
        MlflowRow { path: path.into(), is_directory: false, size }
    }

    #[test]
    fn no_rows_are_an_empty_list() {
        assert_eq!(rows(&[]), "[]\n");
    }

    #[test]
    fn rows_look_as_pythons_json_writes_them() {
        let listed = [file("a/x.txt", Some(2)), file("empty", None)];
        assert_eq!(
            rows(&listed),
            "[{\n  \"path\": \"a/x.txt\",\n  \"is_dir\": false,\n  \"file_size\": 2\n}, \
             {\n  \"path\": \"empty\",\n  \"is_dir\": false\n}]\n"
        );
    }

    #[test]
    fn names_are_ascii() {
        assert_eq!(
            quoted("ä\"\\\n\u{1}\u{7f}😀".as_bytes()),
            "\"\\u00e4\\\"\\\\\\n\\u0001\\u007f\\ud83d\\ude00\""
        );
        assert_eq!(quoted(b"\xff"), "\"\\udcff\"");
    }
}
