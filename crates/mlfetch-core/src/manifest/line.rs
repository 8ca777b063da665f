//! One line as `sha256sum` (GNU coreutils 9) writes and reads it.

use super::Sha256Sum;

/// Writes a line. A name with a newline, a carriage return or a backslash is escaped, and a
/// backslash before the digest says so.
pub(super) fn write(line: &mut Vec<u8>, sum: &Sha256Sum, name: &[u8]) {
    let escaped = name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    if escaped {
        line.push(b'\\');
    }
    line.extend_from_slice(sum.to_string().as_bytes());
    line.extend_from_slice(b"  ");
    for byte in name {
        match byte {
            b'\\' => line.extend_from_slice(b"\\\\"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            other => line.push(*other),
        }
    }
    line.push(b'\n');
}

/// Reads a line without its newline: a digest, a blank, a blank or the `*` of binary mode, a name;
/// or `SHA256 (name) = digest`, which `--tag` writes. `None` if it is neither.
pub(super) fn read(line: &[u8]) -> Option<(Sha256Sum, Vec<u8>)> {
    let (escaped, line) = line.strip_prefix(b"\\").map_or((false, line), |rest| (true, rest));
    let (sum, name) = tagged(line).or_else(|| plain(line))?;
    let sum = std::str::from_utf8(sum).ok()?.parse().ok()?;
    let name = if escaped { unescaped(name)? } else { name.to_vec() };
    (!name.is_empty()).then_some((sum, name))
}

fn plain(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sum, rest) = line.split_at_checked(64)?;
    let name = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *"))?;
    Some((sum, name))
}

fn tagged(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let named = line.strip_prefix(b"SHA256 (")?;
    let (rest, sum) = named.split_at(named.len().checked_sub(64)?);
    Some((sum, rest.strip_suffix(b") = ")?))
}

fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next()? {
                b'\\' => b'\\',
                b'n' => b'\n',
                b'r' => b'\r',
                _ => return None,
            },
            other => *other,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_name_comes_back_as_it_was(name in proptest::collection::vec(any::<u8>(), 1..40)) {
            let sum = Sha256Sum::of(&name);
            let mut line = Vec::new();
            write(&mut line, &sum, &name);
            let line = line.strip_suffix(b"\n").expect("it ends");
            prop_assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
            prop_assert_eq!(read(line), Some((sum, name)));
        }
    }

    #[test]
    fn every_name_comes_back_as_it_was() {
        let sum = Sha256Sum::of(b"");
        for name in [b"a b".as_slice(), b"a\nb", b"\\", b"\\n", b"\r\xff", b"*x", b" x"] {
            let mut line = Vec::new();
            write(&mut line, &sum, name);
            let line = line.strip_suffix(b"\n").expect("it ends");
            assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
            assert_eq!(read(line), Some((sum, name.to_vec())));
        }
    }

    #[test]
    fn the_forms_of_sha256sum_are_read() {
        let sum = Sha256Sum::of(b"x");
        let upper = sum.to_string().to_uppercase();
        for line in [
            format!("{sum}  a"),
            format!("{sum} *a"),
            format!("{upper}  a"),
            format!("SHA256 (a) = {sum}"),
            format!("\\{sum}  a"),
        ] {
            assert_eq!(read(line.as_bytes()), Some((sum, b"a".to_vec())), "{line}");
        }
        let named = format!("\\SHA256 (a) = b\\n) = {sum}");
        assert_eq!(read(named.as_bytes()), Some((sum, b"a) = b\n".to_vec())));
    }

    #[test]
    fn what_is_no_such_line_is_refused() {
        let sum = Sha256Sum::of(b"x");
        for line in [
            String::new(),
            format!("{sum}"),
            format!("{sum}  "),
            format!("{sum} a"),
            format!("{sum}\ta"),
            format!("\\{sum}  a\\x"),
            format!("\\{sum}  a\\"),
            format!("MD5 (a) = {sum}"),
            format!("SHA256 (a) {sum}"),
            "SHA256 (a) = 15e2".into(),
            "SHA256 (".into(),
            "d41d8cd98f00b204e9800998ecf8427e  a".into(),
        ] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
        }
    }
}
