//! What Azure says, for a server that answers as a test tells it to.

pub(crate) use mlfetch_scripted::{Answer, Request, Server};

/// Answers as Azure writes them.
pub(crate) trait AzureAnswer {
    /// A refusal.
    fn error(status: &str, code: &str, headers: &[&str]) -> Self;
}

impl AzureAnswer for Answer {
    fn error(status: &str, code: &str, headers: &[&str]) -> Self {
        let words = "the words of the server";
        let body = format!(
            "\u{feff}<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{words}\nTime:now\
             </Message></Error>"
        );
        let code = format!("x-ms-error-code: {code}");
        let all: Vec<&str> = headers.iter().copied().chain([code.as_str()]).collect();
        Self::new(status, &all, body)
    }
}
