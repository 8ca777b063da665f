//! The files of MLflow and AWS that hold `[sections]` of `key = value`.

/// The value of a key in a section, as Python's configparser and the AWS tools agree on it: keys in
/// any case, `=` or `:` between key and value, `#` and `;` begin a comment line, the last one wins.
pub(super) fn value<'a>(text: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let mut inside = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            inside = name.trim() == section;
        } else if inside
            && let Some((name, value)) = line.split_once(['=', ':'])
            && name.trim().eq_ignore_ascii_case(key)
        {
            found = Some(value.trim());
        }
    }
    found.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_its_section_only() {
        let text = "[other]\nkey = no\n# key = no\n[mlflow]\nKEY : a=b \n;key=no\n[last]\nkey=no";
        assert_eq!(value(text, "mlflow", "key"), Some("a=b"));
        assert_eq!(value(text, "missing", "key"), None);
        assert_eq!(value("key = x", "mlflow", "key"), None);
    }
}
