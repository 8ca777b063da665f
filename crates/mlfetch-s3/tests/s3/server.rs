//! What S3 says, for a server that answers as a test tells it to.

pub(crate) use mlfetch_scripted::{Answer, Request, Server};

/// Requests as S3's clients write them.
pub(crate) trait S3Request {
    /// The region that it is signed for.
    fn region(&self) -> Option<&str>;
}

impl S3Request for Request {
    fn region(&self) -> Option<&str> {
        self.header("authorization")?.split('/').nth(2)
    }
}

/// Answers as S3 writes them.
pub(crate) trait S3Answer {
    /// A refusal.
    fn error(status: &str, code: &str, headers: &[&str]) -> Self;
}

impl S3Answer for Answer {
    fn error(status: &str, code: &str, headers: &[&str]) -> Self {
        let words = "the words of the server";
        let body = format!("<Error><Code>{code}</Code><Message>{words}</Message></Error>");
        Self::new(status, headers, body)
    }
}
