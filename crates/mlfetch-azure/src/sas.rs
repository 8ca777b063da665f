//! Shared access signatures: parameters that are sent with every request, and what they allow.

use std::fmt;

use mlfetch_store::{Error, ErrorKind, Result, Secret};
use percent_encoding::percent_decode_str;

/// The parameters of a signature (Create a service, account and user delegation SAS).
const NAMES: [&str; 28] = [
    "sv", "ss", "srt", "sp", "se", "st", "spr", "sip", "sig", "sr", "si", "sdd", "skoid", "sktid",
    "skt", "ske", "sks", "skv", "saoid", "suoid", "scid", "ses", "rscc", "rscd", "rsce", "rscl",
    "rsct", "sduoid",
];

/// A shared access signature.
#[derive(Clone)]
pub(crate) struct Sas {
    pairs: Vec<(String, Secret)>,
}

impl Sas {
    /// Reads one as the portal gives it, with or without its `?`.
    ///
    /// # Errors
    /// `InvalidInput` for a text without a signature, or with parameters that are none of one.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let pairs = pairs(text.trim().trim_start_matches('?'));
        let known = |(name, _): &(String, String)| NAMES.contains(&name.as_str());
        match pairs {
            Some(pairs) if pairs.iter().all(known) && pairs.iter().any(|pair| pair.0 == "sig") => {
                Ok(Self::of(pairs))
            }
            _ => Err(Error::new(ErrorKind::InvalidInput, "use", "the shared access signature")
                .with_message("it is not one: `sv=…&sp=…&sig=…` is expected")
                .with_hint("copy the token as it is; of a URL, only what follows the `?`")),
        }
    }

    fn of(pairs: Vec<(String, String)>) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name, Secret::new(value)));
        Self { pairs: pairs.collect() }
    }

    /// Names and values, decoded.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.expose()))
    }

    /// A parameter that says what is allowed; the signature itself is none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(found, _)| *found == name && name != "sig").map(|(_, value)| value)
    }

    /// The signature, for what must not be shown.
    pub(crate) fn secret(&self) -> Secret {
        let found = self.pairs.iter().find(|(name, _)| name == "sig");
        found.map_or_else(|| Secret::new(""), |(_, value)| value.clone())
    }

    /// Whether it allows this, as far as it says so: one with a stored policy does not.
    pub(crate) fn allows(&self, permission: char) -> Option<bool> {
        self.get("sp").map(|permissions| permissions.contains(permission))
    }
}

/// What a URI's query says besides the place.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) sas: Option<Sas>,
    pub(crate) version_id: Option<String>,
    pub(crate) snapshot: Option<String>,
}

impl Query {
    /// Reads a query; `None` if it holds anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut query = Self::default();
        let mut of_sas = Vec::new();
        for (name, value) in pairs(text)? {
            match name.as_str() {
                "versionid" => query.version_id = Some(value),
                "snapshot" => query.snapshot = Some(value),
                known if NAMES.contains(&known) => of_sas.push((name, value)),
                _ => return None,
            }
        }
        if of_sas.iter().any(|(name, _)| name == "sig") {
            query.sas = Some(Sas::of(of_sas));
        } else if !of_sas.is_empty() {
            return None;
        }
        Some(query)
    }
}

/// Names in lower case and decoded values; `None` if there is a part without `=`.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value).decode_utf8().ok()?;
        Some((name.to_ascii_lowercase(), value.into_owned()))
    });
    pairs.collect::<Option<Vec<_>>>().filter(|pairs| !pairs.is_empty())
}

/// Without the signature.
impl fmt::Debug for Sas {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = ["sp", "se"].map(|name| self.get(name));
        formatter.debug_tuple("Sas").field(&allowed).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "?sv=2023-11-03&sr=c&sp=rl&se=2027-01-01T00%3A00%3A00Z&sig=a%2Bb%2Fc%3D";

    #[test]
    fn a_token_is_decoded_once_and_shows_no_signature() {
        let sas = Sas::parse(TOKEN).expect("a signature");
        assert_eq!(sas.get("se"), Some("2027-01-01T00:00:00Z"));
        assert_eq!(sas.get("sig"), None);
        assert_eq!(sas.secret().expose(), "a+b/c=");
        assert_eq!((sas.allows('l'), sas.allows('w')), (Some(true), Some(false)));
        assert!(!format!("{sas:?}").contains("a+b"), "{sas:?}");
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_shown() {
        for text in ["", "?", "sv=1&sp=r", "https://h/c?sv=1&sig=s3cret", "s3cret", "sig"] {
            let error = Sas::parse(text).expect_err("no signature");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(!format!("{error:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_query_is_one_only_if_all_of_it_is() {
        let query = Query::parse("snapshot=2026-11-24T12:00:00.0000000Z&sv=1&sig=s").expect("one");
        assert_eq!(query.snapshot.as_deref(), Some("2026-11-24T12:00:00.0000000Z"));
        assert!(query.sas.is_some() && query.version_id.is_none());
        assert!(Query::parse("versionId=2026").is_some_and(|query| query.version_id.is_some()));
        for name in ["", "b", "b=c&d=e", "sv=1", "sig=x&b=c", "sp"] {
            assert!(Query::parse(name).is_none(), "{name}");
        }
    }
}
