//! Requests of HTTP/1.1 in a stream of bytes: their heads are counted, their bodies passed over.

/// Where a connection is.
#[derive(Default)]
pub(super) struct Heads {
    /// The beginning of a head that is not whole yet.
    head: Vec<u8>,
    body_left: usize,
}

impl Heads {
    /// How many heads end in the next bytes of the connection.
    pub(super) fn count(&mut self, mut bytes: &[u8]) -> u64 {
        let mut count = 0;
        loop {
            let body = self.body_left.min(bytes.len());
            self.body_left -= body;
            bytes = &bytes[body..];
            if bytes.is_empty() {
                return count;
            }
            let known = self.head.len();
            self.head.extend_from_slice(bytes);
            let from = known.saturating_sub(3);
            let Some(at) = self.head[from..].windows(4).position(|end| end == b"\r\n\r\n") else {
                return count;
            };
            let end = from + at + 4;
            self.body_left = body_length(&self.head[..end]);
            self.head.clear();
            bytes = &bytes[end - known..];
            count += 1;
        }
    }
}

/// Nobody who downloads sends a body in chunks.
fn body_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head);
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\
        POST /x HTTP/1.1\r\ncontent-length: 8\r\n\r\n\r\n\r\n\r\n\r\nHEAD /y HTTP/1.1\r\n\r\n";

    #[test]
    fn each_request_counts_once_however_it_is_cut() {
        for size in 1..=STREAM.len() {
            let mut heads = Heads::default();
            let count: u64 = STREAM.chunks(size).map(|bytes| heads.count(bytes)).sum();
            assert_eq!(count, 3, "by {size}");
        }
    }
}
