//! As much of HTTP/1.1 as a proxy needs that changes answers (RFC 9112).

use std::fmt::{self, Write as _};
use std::io::{self, BufRead, Read as _, Write};

/// More than any of our servers and clients sends.
const MAX_HEAD_BYTES: u64 = 256 * 1024;

/// A request as it came. It is passed on byte for byte: its signature covers its head.
#[derive(Debug)]
pub(crate) struct Request {
    raw: Vec<u8>,
    pub(crate) method: String,
    /// As it was sent: path and query.
    pub(crate) target: String,
    headers: Headers,
}

/// The head of an answer, for changing.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    reason: String,
    headers: Headers,
}

/// Fields in their order.
#[derive(Clone, Debug, Default)]
struct Headers(Vec<(String, String)>);

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Framing {
    Nothing,
    Length(u64),
    Chunked,
    /// With the connection.
    Close,
}

impl Request {
    /// The next request of a connection; `None` at its end.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(mut raw) = read_head(reader)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&raw).into_owned();
        let (line, headers) = parse_head(&text)?;
        let mut words = line.split(' ').map(str::to_owned);
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(invalid("a request without a target"));
        };
        let length = headers.length()?.unwrap_or_default();
        reader.by_ref().take(length).read_to_end(&mut raw)?;
        Ok(Some(Self { raw, method, target, headers }))
    }

    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The bytes that were asked for: the first, and the last if it is named.
    pub(crate) fn range(&self) -> Option<(u64, Option<u64>)> {
        // Azure's own name for it comes first, as it does there.
        let text = self.header("x-ms-range").or_else(|| self.header("range"))?;
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()))
    }
}

impl Head {
    /// An answer of our own.
    pub(crate) fn new(status: u16, reason: &str) -> Self {
        Self { status, reason: reason.to_owned(), headers: Headers::default() }
    }

    /// Reads the head of an answer; `None` if the server closed the connection instead. What a server
    /// says before its answer is passed over (RFC 9110, 15.2).
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        loop {
            match Self::read_any(reader)? {
                Some(head) if matches!(head.status, 100..=199) => {}
                head => return Ok(head),
            }
        }
    }

    fn read_any(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(raw) = read_head(reader)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&raw);
        let (line, headers) = parse_head(&text)?;
        let mut words = line.splitn(3, ' ').skip(1);
        let status = words.next().and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| invalid("an answer without a status"))?;
        let reason = words.next().unwrap_or_default().to_owned();
        Ok(Some(Self { status, reason, headers }))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// With this field in place of all of its name.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self = self.without(name);
        self.headers.0.push((name.to_owned(), value.to_string()));
        self
    }

    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    #[must_use]
    pub(crate) fn with_status(mut self, status: u16, reason: &str) -> Self {
        (self.status, self.reason) = (status, reason.to_owned());
        self
    }

    /// How the body of an answer to this method ends (RFC 9112, 6.3).
    pub(crate) fn framing(&self, method: &str) -> io::Result<Framing> {
        if method == "HEAD" || matches!(self.status, 100..=199 | 204 | 304) {
            return Ok(Framing::Nothing);
        }
        let coding = self.get("transfer-encoding").unwrap_or_default();
        if coding.eq_ignore_ascii_case("chunked") {
            return Ok(Framing::Chunked);
        }
        Ok(self.headers.length()?.map_or(Framing::Close, Framing::Length))
    }

    /// Whether the server ends the connection after this answer.
    pub(crate) fn closes(&self) -> bool {
        self.get("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} {}\r\n", self.status, self.reason);
        for (name, value) in &self.headers.0 {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

impl Headers {
    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    fn length(&self) -> io::Result<Option<u64>> {
        let Some(text) = self.get("content-length") else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid("a length that is no number"))
    }
}

/// Gives a body's pieces, without its framing, to `sink`.
pub(crate) fn read_body(
    reader: &mut impl BufRead,
    framing: Framing,
    mut sink: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    match framing {
        Framing::Nothing => Ok(()),
        Framing::Length(length) => read_pieces(reader, Some(length), &mut sink),
        Framing::Close => read_pieces(reader, None, &mut sink),
        Framing::Chunked => loop {
            let length = read_chunk_size(reader)?;
            if length == 0 {
                // Trailers, up to the empty line; nobody of ours needs them.
                while !read_line(reader)?.is_empty() {}
                return Ok(());
            }
            read_pieces(reader, Some(length), &mut sink)?;
            read_line(reader)?;
        },
    }
}

/// Writes a piece of a body.
pub(crate) fn write_piece(
    writer: &mut impl Write,
    framing: Framing,
    piece: &[u8],
) -> io::Result<()> {
    if framing != Framing::Chunked {
        return writer.write_all(piece);
    }
    if piece.is_empty() {
        return Ok(());
    }
    write!(writer, "{:x}\r\n", piece.len())?;
    writer.write_all(piece)?;
    writer.write_all(b"\r\n")
}

/// What stands behind the last piece.
pub(crate) fn write_end(writer: &mut impl Write, framing: Framing) -> io::Result<()> {
    if framing == Framing::Chunked { writer.write_all(b"0\r\n\r\n") } else { Ok(()) }
}

fn read_pieces(
    reader: &mut impl BufRead,
    length: Option<u64>,
    sink: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut left = length.unwrap_or(u64::MAX);
    while left > 0 {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            let ended = io::Error::new(io::ErrorKind::UnexpectedEof, "the body ended early");
            return if length.is_none() { Ok(()) } else { Err(ended) };
        }
        let taken = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        sink(&piece[..taken])?;
        reader.consume(taken);
        left -= taken as u64;
    }
    Ok(())
}

fn read_chunk_size(reader: &mut impl BufRead) -> io::Result<u64> {
    let line = read_line(reader)?;
    let digits = line.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16).map_err(|_| invalid("a chunk without a size"))
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.by_ref().take(MAX_HEAD_BYTES).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a line without an end"));
    }
    Ok(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
}

/// Up to and with the empty line; `None` if nothing came.
fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    let mut limited = reader.by_ref().take(MAX_HEAD_BYTES);
    while !head.ends_with(b"\r\n\r\n") {
        if limited.read_until(b'\n', &mut head)? == 0 {
            let cut = io::Error::new(io::ErrorKind::UnexpectedEof, "the head ended early");
            return if head.is_empty() { Ok(None) } else { Err(cut) };
        }
    }
    Ok(Some(head))
}

fn parse_head(text: &str) -> io::Result<(String, Headers)> {
    let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
    let first = lines.next().ok_or_else(|| invalid("an empty head"))?.to_owned();
    let fields = lines.map(|line| {
        let (name, value) =
            line.split_once(':').ok_or_else(|| invalid("a field without a name"))?;
        Ok((name.to_owned(), value.trim().to_owned()))
    });
    Ok((first, Headers(fields.collect::<io::Result<Vec<_>>>()?)))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_kept_byte_for_byte() {
        let text = b"PUT /a%2Fb?x=1 HTTP/1.1\r\nhOST: h:1\r\nContent-Length: 3\r\n\r\nabcGET";
        let mut reader = &text[..];
        let request = Request::read(&mut reader).expect("read").expect("a request");
        assert_eq!(request.raw(), &text[..text.len() - 3]);
        assert_eq!((request.method.as_str(), request.target.as_str()), ("PUT", "/a%2Fb?x=1"));
        assert_eq!(request.header("Host"), Some("h:1"));
        assert_eq!(reader, b"GET");
    }

    #[test]
    fn a_range_is_read_by_either_name() {
        let read = |field: &str| {
            let text = format!("GET / HTTP/1.1\r\n{field}\r\n\r\n");
            Request::read(&mut text.as_bytes()).expect("read").expect("a request").range()
        };
        assert_eq!(read("Range: bytes=5-9"), Some((5, Some(9))));
        assert_eq!(read("x-ms-range: bytes=5-"), Some((5, None)));
        assert_eq!(read("Accept: */*"), None);
    }

    #[test]
    fn a_chunked_body_is_read_and_written() {
        let text = b"4\r\nabcd\r\n2;x=y\r\nef\r\n0\r\nTrailer: 1\r\n\r\nrest";
        let (mut reader, mut body) = (&text[..], Vec::new());
        let sink = |piece: &[u8]| write_piece(&mut body, Framing::Chunked, piece);
        read_body(&mut reader, Framing::Chunked, sink).expect("read");
        write_end(&mut body, Framing::Chunked).expect("written");
        assert_eq!(body, b"4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n");
        assert_eq!(reader, b"rest");
    }

    #[test]
    fn a_body_that_is_cut_is_an_error() {
        let cut = read_body(&mut &b"abc"[..], Framing::Length(4), |_| Ok(()));
        assert_eq!(cut.expect_err("cut").kind(), io::ErrorKind::UnexpectedEof);
        read_body(&mut &b"abc"[..], Framing::Close, |_| Ok(())).expect("its end is the end");
    }

    #[test]
    fn the_answer_to_head_has_no_body() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nETag: \"a\"\r\n\r\n";
        let head = Head::read(&mut &text[..]).expect("read").expect("a head");
        assert_eq!(head.framing("HEAD").expect("framed"), Framing::Nothing);
        assert_eq!(head.framing("GET").expect("framed"), Framing::Length(7));
        let changed = head.with("etag", "\"b\"").without("content-length");
        assert_eq!(changed.bytes(), b"HTTP/1.1 200 OK\r\netag: \"b\"\r\n\r\n");
    }
}
