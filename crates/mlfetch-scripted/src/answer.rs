//! What is sent.

/// What a server sends, byte for byte.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next request on the same connection.
    Next,
    Close,
    /// Nothing, and the connection stays open.
    Stall,
    /// So many bytes more, or as many as are taken.
    Flood(u64),
}

impl Answer {
    /// These bytes, and the connection is closed.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::Close }
    }

    /// A well-formed answer. `status` is `200 OK`.
    pub fn new(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut answer = Self::head(status, body.len(), headers);
        answer.bytes.extend_from_slice(body);
        answer
    }

    /// The answer to a `HEAD`: a length, and no body.
    pub fn head(status: &str, length: usize, headers: &[&str]) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n");
        for line in headers {
            head.extend([line, "\r\n"]);
        }
        head.push_str("\r\n");
        Self { bytes: head.into_bytes(), then: Then::Next }
    }

    /// A `200` with a body.
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::new("200 OK", &[], body)
    }

    /// The same with one more header.
    ///
    /// # Panics
    /// If the answer has no first line.
    #[must_use]
    pub fn with_header(mut self, line: &str) -> Self {
        let at = self.bytes.windows(2).position(|pair| pair == b"\r\n").expect("a status line");
        let line = format!("\r\n{line}");
        self.bytes.splice(at..at, line.into_bytes());
        self
    }

    /// The same without its last bytes, and the connection is closed.
    #[must_use]
    pub fn cut(mut self, missing: usize) -> Self {
        self.bytes.truncate(self.bytes.len() - missing);
        self.then = Then::Close;
        self
    }

    /// The same, and then silence.
    #[must_use]
    pub fn then_stall(mut self) -> Self {
        self.then = Then::Stall;
        self
    }

    /// The same, and then so many bytes.
    #[must_use]
    pub fn then_flood(mut self, bytes: u64) -> Self {
        self.then = Then::Flood(bytes);
        self
    }
}
