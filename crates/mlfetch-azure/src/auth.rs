//! Who asks: the first credential that is there, in MLflow's order, and why those before it are not.

use std::fmt::Write as _;
use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, Result, Secret};

use crate::AzureConfig;
use crate::connection_string::{ConnectionString, Given};
use crate::credentials::Identity;
use crate::endpoint::Endpoint;
use crate::location::Place;
use crate::sas::Sas;
use crate::sign::SharedKey;

/// Who asks.
#[derive(Debug)]
pub(crate) enum Auth {
    Key(SharedKey),
    Sas(Sas),
    /// Whoever Entra ID knows this machine, process or user as; nobody, if it knows none.
    Entra(Arc<Identity>),
    /// Nobody, because somebody asked for that.
    Anonymous,
}

/// Where to ask, who asks, and what was passed over on the way.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) endpoint: Endpoint,
    pub(crate) auth: Auth,
    pub(crate) passed: Passed,
}

/// Credentials that were passed over, with the reasons.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passed(Vec<(&'static str, String)>);

impl Passed {
    pub(crate) fn add(&mut self, name: &'static str, why: impl Into<String>) {
        self.0.push((name, why.into()));
    }

    /// The same, followed by others.
    pub(crate) fn and(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    /// In the order in which they were tried: `access key: not set; …`.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (index, (name, why)) in self.0.iter().enumerate() {
            let divider = if index == 0 { "" } else { "; " };
            // Writing to a String cannot fail.
            let _ = write!(text, "{divider}{name}: {why}");
        }
        text
    }
}

const NOT_SET: &str = "not set";

/// The kinds of credentials that need no server.
#[derive(Clone, Copy)]
enum Kind {
    ConnectionString,
    AccessKey,
    Sas,
}

impl Kind {
    /// MLflow asks for blobs with a connection string or a key, for Data Lake Storage with a
    /// signature. What one of the two does not know comes after what it knows.
    fn order(data_lake: bool) -> [Self; 3] {
        if data_lake {
            [Self::Sas, Self::ConnectionString, Self::AccessKey]
        } else {
            [Self::ConnectionString, Self::AccessKey, Self::Sas]
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::ConnectionString => "connection string (AZURE_STORAGE_CONNECTION_STRING)",
            Self::AccessKey => "access key (AZURE_STORAGE_ACCESS_KEY)",
            Self::Sas => "shared access signature (AZURE_STORAGE_SAS_TOKEN)",
        }
    }
}

impl Chosen {
    /// Asks no server. `identity` is what is asked if nothing else is there.
    ///
    /// # Errors
    /// `InvalidInput` for a credential that is none, and as [`Endpoint::find`] and `identity`.
    pub(crate) fn choose(
        config: &AzureConfig,
        place: &mut Place,
        identity: impl FnOnce(&Endpoint) -> Result<Arc<Identity>>,
    ) -> Result<Self> {
        let given = config.connection_string.as_ref().map(ConnectionString::parse).transpose()?;
        let account = place.account.as_deref();
        let (mut given, other) = match given {
            Some(given) if given.is_for(account) => (Some(given), None),
            other => (None, other),
        };
        let endpoint = Endpoint::find(config, given.as_ref(), place)?;
        let mut passed = Passed::default();
        if config.anonymous {
            return Ok(Self { endpoint, auth: Auth::Anonymous, passed });
        }
        if let Some(sas) = place.query.sas.take() {
            return Ok(Self { endpoint, auth: Auth::Sas(sas), passed });
        }
        for kind in Kind::order(place.data_lake) {
            let found = match kind {
                Kind::ConnectionString => of_string(given.take(), other.as_ref()),
                Kind::AccessKey => of_key(config.access_key.as_ref(), &endpoint)?,
                Kind::Sas => of_sas(config.sas_token.as_ref())?,
            };
            match found {
                Ok(auth) => return Ok(Self { endpoint, auth, passed }),
                Err(why) => passed.add(kind.name(), why),
            }
        }
        let auth = Auth::Entra(identity(&endpoint)?);
        Ok(Self { endpoint, auth, passed })
    }
}

/// A credential, or why there is none.
type Found = Result<Auth, String>;

fn of_string(given: Option<ConnectionString>, other: Option<&ConnectionString>) -> Found {
    if let Some(other) = other {
        let name = other.account.as_deref().unwrap_or("another");
        return Err(format!("it is for the account `{}`", mlfetch_store::escape(name.as_bytes())));
    }
    match given.map(|given| given.credential) {
        None => Err(NOT_SET.to_owned()),
        Some(None) => Err("it holds neither a key nor a signature".to_owned()),
        Some(Some(Given::Key(key))) => Ok(Auth::Key(key)),
        Some(Some(Given::Sas(sas))) => Ok(Auth::Sas(sas)),
    }
}

fn of_key(key: Option<&Secret>, endpoint: &Endpoint) -> Result<Found> {
    let Some(key) = key else { return Ok(Err(NOT_SET.to_owned())) };
    let Some(account) = &endpoint.account else {
        return Err(Error::new(ErrorKind::InvalidInput, "use", "the access key")
            .with_message("nothing says of which storage account it is")
            .with_hint("give the account's name as `azure-account`"));
    };
    Ok(Ok(Auth::Key(SharedKey::new(account, key.clone())?)))
}

fn of_sas(token: Option<&Secret>) -> Result<Found> {
    match token {
        None => Ok(Err(NOT_SET.to_owned())),
        Some(token) => Ok(Ok(Auth::Sas(Sas::parse(token.expose())?))),
    }
}

#[cfg(test)]
mod tests {
    use mlfetch_store::Location;

    use super::*;
    use crate::config::IdentityConfig;

    const BLOBS: &str = "wasbs://c@acc.blob.core.windows.net/a";
    const LAKE: &str = "abfss://c@acc.dfs.core.windows.net/a";
    const SAS: &str = "sv=1&sp=r&sig=s";

    fn choose(config: &AzureConfig, uri: &str) -> Result<Chosen> {
        let location = Location::parse(uri).expect("a location");
        let mut place = Place::parse(&location).expect("a place");
        Chosen::choose(config, &mut place, |_| {
            Ok(Arc::new(Identity::nobody(&IdentityConfig::default())))
        })
    }

    fn name(config: &AzureConfig, uri: &str) -> String {
        match choose(config, uri).expect("a choice").auth {
            Auth::Key(key) => format!("{key:?}"),
            Auth::Sas(_) => "sas".to_owned(),
            Auth::Entra(_) => "entra".to_owned(),
            Auth::Anonymous => "nobody".to_owned(),
        }
    }

    fn all() -> AzureConfig {
        AzureConfig::new()
            .with_connection_string(Secret::new("AccountName=acc;AccountKey=c3RyaW5n"))
            .with_access_key(Secret::new("a2V5"))
            .with_sas_token(Secret::new(SAS))
    }

    #[test]
    fn the_order_is_mlflow_s_for_blobs_and_for_data_lake_storage() {
        let without_string = AzureConfig { connection_string: None, ..all() };
        let sas_alone = AzureConfig { access_key: None, ..without_string.clone() };
        assert!(
            matches!(choose(&all(), BLOBS).expect("one").auth, Auth::Key(key) if key.text().expose() == "c3RyaW5n")
        );
        assert!(
            matches!(choose(&without_string, BLOBS).expect("one").auth, Auth::Key(key) if key.text().expose() == "a2V5")
        );
        assert_eq!(name(&sas_alone, BLOBS), "sas");
        assert_eq!(name(&all(), LAKE), "sas");
        assert_eq!(name(&AzureConfig::new(), BLOBS), "entra");
    }

    #[test]
    fn a_signature_in_the_uri_counts_before_all_and_anonymous_before_that() {
        let uri = format!("{BLOBS}?{SAS}");
        assert_eq!(name(&all(), &uri), "sas");
        assert_eq!(name(&all().with_anonymous(true), &uri), "nobody");
    }

    #[test]
    fn what_is_passed_over_is_told_with_the_reason() {
        let other = Secret::new("AccountName=other;AccountKey=c3RyaW5n");
        let chosen = choose(&AzureConfig::new().with_connection_string(other), BLOBS);
        assert_eq!(
            chosen.expect("a choice").passed.text(),
            "connection string (AZURE_STORAGE_CONNECTION_STRING): it is for the account `other`; \
             access key (AZURE_STORAGE_ACCESS_KEY): not set; \
             shared access signature (AZURE_STORAGE_SAS_TOKEN): not set"
        );
    }

    #[test]
    fn a_connection_string_without_a_credential_is_passed_over() {
        let public = Secret::new("BlobEndpoint=https://acc.blob.core.windows.net");
        let chosen = choose(&AzureConfig::new().with_connection_string(public), BLOBS);
        assert!(chosen.expect("a choice").passed.text().contains("neither a key nor a signature"));
    }
}
