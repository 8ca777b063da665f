//! Who is asking, where no ticket says it.

use mlfetch_store::Secret;

use crate::encode;
use crate::token::DelegationToken;

/// Who is asking.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    /// A name that the server believes, and for whom it asks.
    Named {
        /// The user.
        user: Option<String>,
        /// For whom the user asks.
        proxy_for: Option<String>,
    },
    /// A token that stands for a user.
    Token(DelegationToken),
}

impl Identity {
    /// What says it in a query, with a leading `&` for each part.
    pub(crate) fn query(&self) -> String {
        match self {
            Self::Named { user, proxy_for } => {
                let part = |name: &str, value: &Option<String>| match value {
                    Some(value) => format!("&{name}={}", encode::query(value)),
                    None => String::new(),
                };
                part("user.name", user) + &part("doas", proxy_for)
            }
            Self::Token(token) => format!("&delegation={}", encode::query(token.expose())),
        }
    }

    /// What no message may show.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Named { .. } => Vec::new(),
            Self::Token(token) => vec![token.secret()],
        }
    }
}

/// The name of the user who runs this process: what the machine's list of users says of its number,
/// else the environment.
pub(crate) fn local_user() -> Option<String> {
    let number = rustix::process::getuid().as_raw();
    let listed = std::fs::read_to_string("/etc/passwd");
    let listed = listed.ok().and_then(|users| user_of(&users, number));
    let named = |name| std::env::var(name).ok().filter(|name| !name.is_empty());
    listed.or_else(|| named("USER")).or_else(|| named("LOGNAME"))
}

/// The name that belongs to a number in passwd(5)'s file.
fn user_of(users: &str, number: u32) -> Option<String> {
    let line = users
        .lines()
        .find(|line| line.split(':').nth(2).and_then(|text| text.parse().ok()) == Some(number))?;
    line.split(':').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_escaped_and_a_proxy_is_named_beside_it() {
        let named =
            Identity::Named { user: Some("a+b".to_owned()), proxy_for: Some("c&d".to_owned()) };
        assert_eq!(named.query(), "&user.name=a%2Bb&doas=c%26d");
        let nobody = Identity::Named { user: None, proxy_for: None };
        assert_eq!(nobody.query(), "");
    }

    #[test]
    fn a_token_is_sent_and_not_shown() {
        let token = Identity::Token(DelegationToken::new(Secret::new("s3cret-token")));
        assert_eq!(token.query(), "&delegation=s3cret-token");
        assert!(!format!("{token:?}").contains("s3cret"));
        assert_eq!(token.secrets().len(), 1);
    }

    #[test]
    fn the_local_user_is_the_one_with_our_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n";
        assert_eq!(user_of(users, 1000).as_deref(), Some("me"));
        assert_eq!(user_of(users, 7), None);
    }
}
