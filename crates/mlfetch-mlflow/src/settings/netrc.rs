//! `~/.netrc`, for servers that nothing else gives a credential for.

/// A user and a password.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: String,
}

/// The entry of a host, or else the `default` one.
pub(super) fn login(text: &str, host: &str) -> Option<Login> {
    let mut tokens = without_macros(text).into_iter();
    let mut matches = false;
    let (mut username, mut password) = (None, None);
    while let Some(token) = tokens.next() {
        match token {
            "machine" | "default" => {
                if matches && password.is_some() {
                    break;
                }
                matches = token == "default" || tokens.next() == Some(host);
                (username, password) = (None, None);
            }
            "login" | "user" if matches => username = tokens.next(),
            "password" if matches => password = tokens.next(),
            "login" | "user" | "password" | "account" => {
                tokens.next();
            }
            _ => {}
        }
    }
    if !matches {
        return None;
    }
    Some(Login { username: username?.to_owned(), password: password?.to_owned() })
}

/// The words of the file; comments, and the body of a `macdef` (up to an empty line), left out.
fn without_macros(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut in_macro = false;
    for line in text.lines() {
        if in_macro {
            in_macro = !line.trim().is_empty();
            continue;
        }
        for word in line.split_whitespace() {
            if word == "macdef" {
                in_macro = true;
            }
            // A password may begin with the sign of a comment.
            let is_password = words.last() == Some(&"password");
            if in_macro || (word.starts_with('#') && !is_password) {
                break;
            }
            words.push(word);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, host: &str) -> Option<(String, String)> {
        login(text, host).map(|login| (login.username, login.password))
    }

    #[test]
    fn the_entry_of_the_host_counts_and_then_the_default() {
        let text = "machine a login u1 password p1\nmachine b\n login u2\n password #p2\n\
                    macdef init\n machine a login no password no\n\ndefault login d password q";
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(found(text, "a"), pair("u1", "p1"));
        assert_eq!(found(text, "b"), pair("u2", "#p2"));
        assert_eq!(found(text, "c"), pair("d", "q"));
        assert_eq!(found("machine a login u", "a"), None);
        assert_eq!(found("machine a login u password p", "b"), None);
    }
}
