//! Delegation tokens, and the files that Hadoop keeps them in.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mlfetch_store::{Error, ErrorKind, Result, Secret};

#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod reader;

use reader::Reader;

/// The kinds of token that a NameNode takes (`DelegationTokenIdentifier` and its children).
const KINDS: [&[u8]; 3] = [b"HDFS_DELEGATION_TOKEN", b"WEBHDFS delegation", b"SWEBHDFS delegation"];

/// The longest file of tokens that is read, in bytes (`docs/concepts/limits.md`).
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A token that stands for a user, as a URL carries it.
#[derive(Debug, Clone)]
pub(crate) struct DelegationToken(Secret);

impl DelegationToken {
    pub(crate) fn new(text: Secret) -> Self {
        Self(text)
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }

    pub(crate) fn secret(&self) -> Secret {
        self.0.clone()
    }

    /// Whether the token itself says that it is for one of these services.
    pub(crate) fn is_for(&self, services: &[String]) -> bool {
        let bytes = URL_SAFE_NO_PAD.decode(self.expose().trim_end_matches('=')).ok();
        let token = bytes.and_then(|bytes| Stored::read(&mut Reader::new(&bytes)));
        token.is_some_and(|token| services.iter().any(|service| token.is_for(service)))
    }

    /// The token of a file that is for one of `services`, or the only one that HDFS takes.
    ///
    /// # Errors
    /// `InvalidInput` if the file cannot be read, or holds several and none is for these.
    pub(crate) fn from_file(path: &Path, services: &[String]) -> Result<Self> {
        let shown = path.display().to_string();
        let wrong = |why: String| {
            Error::new(ErrorKind::InvalidInput, "read the token file", shown.clone())
                .with_message(why)
        };
        let length = std::fs::metadata(path).map_err(|cause| wrong(cause.to_string()))?.len();
        if length > MAX_FILE_BYTES {
            return Err(wrong(format!("it is longer than {MAX_FILE_BYTES} bytes")));
        }
        let bytes = std::fs::read(path).map_err(|cause| wrong(cause.to_string()))?;
        let tokens = parse(&bytes).ok_or_else(|| {
            wrong("it is not a file of Hadoop's tokens".to_owned())
                .with_hint("`hdfs fetchdt FILE` writes one")
        })?;
        let token = choose(&tokens, services).map_err(|known| {
            wrong(format!("no token in it is for this cluster; they are for: {known}"))
                .with_hint("give the token itself in `MLFETCH_DELEGATION_TOKEN`")
        })?;
        Ok(Self(Secret::new(token.url_text())))
    }
}

/// One token of a file.
#[derive(Clone, PartialEq, Eq)]
struct Stored {
    identifier: Vec<u8>,
    password: Vec<u8>,
    kind: Vec<u8>,
    service: Vec<u8>,
}

impl Stored {
    /// `Token.readFields`.
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut part = || reader.vint_bytes().map(<[u8]>::to_vec);
        let (identifier, password, kind, service) = (part()?, part()?, part()?, part()?);
        Some(Self { identifier, password, kind, service })
    }

    /// `Token.encodeToUrlString`: each part with its length, in the alphabet of URLs.
    fn url_text(&self) -> String {
        let mut bytes = Vec::new();
        for part in [&self.identifier, &self.password, &self.kind, &self.service] {
            reader::push_vint(&mut bytes, part.len());
            bytes.extend_from_slice(part);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn is_for(&self, service: &str) -> bool {
        self.service == service.as_bytes()
    }
}

/// The tokens of a file (`Credentials.readTokenStorageStream`): a mark, the version, and then
/// Hadoop's own writing (0) or protocol buffers (1).
fn parse(bytes: &[u8]) -> Option<Vec<Stored>> {
    let rest = bytes.strip_prefix(b"HDTS")?;
    let (version, rest) = rest.split_first()?;
    match version {
        0 => parse_writable(rest),
        1 => parse_protobuf(rest),
        _ => None,
    }
}

fn parse_writable(bytes: &[u8]) -> Option<Vec<Stored>> {
    let mut reader = Reader::new(bytes);
    let count = reader.vint()?;
    let mut tokens = Vec::new();
    for _ in 0..count {
        let _alias = reader.vint_bytes()?;
        tokens.push(Stored::read(&mut reader)?);
    }
    Some(tokens)
}

/// `CredentialsProto`: its tokens are field 1, and in each of those the token is field 2.
fn parse_protobuf(bytes: &[u8]) -> Option<Vec<Stored>> {
    let whole = Reader::new(bytes).varint_bytes()?;
    let rows = reader::fields(whole)?.into_iter().filter(|(number, _)| *number == 1);
    rows.map(|(_, row)| {
        let row = reader::fields(row)?;
        let (_, token) = row.into_iter().find(|(number, _)| *number == 2)?;
        let parts = reader::fields(token)?;
        let part = |wanted| {
            let found = parts.iter().find(|(number, _)| *number == wanted);
            found.map(|(_, bytes)| bytes.to_vec())
        };
        Some(Stored { identifier: part(1)?, password: part(2)?, kind: part(3)?, service: part(4)? })
    })
    .collect()
}

/// The token for this cluster, or the services that the others are for.
fn choose<'a>(tokens: &'a [Stored], services: &[String]) -> Result<&'a Stored, String> {
    let usable: Vec<&Stored> =
        tokens.iter().filter(|token| KINDS.contains(&token.kind.as_slice())).collect();
    let named = services
        .iter()
        .find_map(|service| usable.iter().copied().find(|token| token.is_for(service)));
    match (named, usable.as_slice()) {
        (Some(token), _) => Ok(token),
        (None, [only]) => Ok(only),
        (None, many) => {
            let known = many.iter().map(|token| mlfetch_store::escape(&token.service));
            Err(known.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by Hadoop 3.4.2, see tests/data/README.md.
    const WRITABLE: &[u8] = include_bytes!("../tests/data/tokens-writable");
    const PROTOBUF: &[u8] = include_bytes!("../tests/data/tokens-protobuf");

    #[test]
    fn both_forms_of_file_hold_the_same_tokens_and_give_hadoop_s_own_text() {
        let expected = include_str!("../tests/data/tokens.txt").trim();
        for bytes in [WRITABLE, PROTOBUF] {
            let tokens = parse(bytes).expect("tokens");
            let services = ["ha-hdfs:mlfetch".to_owned()];
            assert_eq!(choose(&tokens, &services).expect("ours").url_text(), expected);
        }
    }

    #[test]
    fn a_token_says_itself_whom_it_is_for() {
        let text = include_str!("../tests/data/tokens.txt").trim();
        let token = DelegationToken::new(Secret::new(text));
        assert!(token.is_for(&["other".to_owned(), "ha-hdfs:mlfetch".to_owned()]));
        assert!(!token.is_for(&["ha-hdfs:mlfetch2".to_owned()]));
        assert!(!DelegationToken::new(Secret::new("no token")).is_for(&[String::new()]));
    }

    #[test]
    fn of_several_tokens_none_is_taken_for_another_cluster() {
        let tokens = parse(PROTOBUF).expect("tokens");
        let known = choose(&tokens, &["ha-hdfs:other".to_owned()]).err().expect("not for this");
        assert!(known.contains("ha-hdfs:mlfetch"), "{known}");
    }

    #[test]
    fn a_file_that_is_cut_or_none_is_refused() {
        for bytes in [WRITABLE, PROTOBUF] {
            for end in 0..bytes.len() / 2 {
                assert!(parse(&bytes[..end]).is_none(), "{end}");
            }
        }
        assert!(parse(b"{}").is_none());
    }

    #[test]
    fn a_token_file_that_is_not_there_is_named() {
        let error = DelegationToken::from_file(Path::new("/no/such/tokens"), &[]);
        let error = error.expect_err("not there");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("/no/such/tokens"));
    }
}
