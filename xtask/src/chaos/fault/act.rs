//! How each kind of fault is done to an answer.

use std::io;
use std::time::Duration;

use super::plan::Step;
use super::{Injector, Kind, Point, pages};
use crate::chaos::proxy::{Answer, Exchange, Fate, Head, Request, lock};

/// Pauses of a slow server, each far below the shortest stall.
const DRIP_PAUSE: Duration = Duration::from_millis(150);
const DRIP_PIECES: usize = 10;

/// A page as a gateway sends it to those who are not signed in.
const LOGIN: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>\
    <form action=\"/login\" method=\"post\"><input name=\"user\"><input name=\"password\" \
    type=\"password\"></form><a href=\"f00.bin\">f00.bin</a></body></html>\n";

/// Does a fault to the answer to one request.
pub(super) fn perform(
    injector: &Injector,
    step: &Step,
    point: &Point,
    request: &Request,
    exchange: &mut Exchange<'_>,
) -> io::Result<Fate> {
    match step.kind {
        Kind::ResetBeforeAnswer => Ok(Fate::Reset),
        Kind::CloseBeforeAnswer => Ok(Fate::Close),
        Kind::ResetInBody => cut(step, exchange, Fate::Reset),
        Kind::CutBody => cut(step, exchange, Fate::Close),
        Kind::ShortLength | Kind::CutListing => {
            let answer = exchange.ask()?;
            let place = step.place(answer.body.len());
            let body = answer.body[..place].to_vec();
            exchange.send(&answer.changed(body))
        }
        Kind::ExtraBytes => {
            let answer = exchange.ask()?;
            exchange.send(&answer)?;
            exchange.write(&vec![b'x'; surplus(step)])?;
            Ok(Fate::Close)
        }
        Kind::LongBody => {
            let answer = exchange.ask()?;
            let body = [&answer.body[..], &vec![b'x'; surplus(step)]].concat();
            exchange.send(&answer.changed(body))
        }
        Kind::FlippedBit => {
            let mut answer = exchange.ask()?;
            let place = step.place(answer.body.len());
            if let Some(byte) = answer.body.get_mut(place) {
                *byte ^= 1 << (step.variant % 8);
            }
            exchange.send(&answer)
        }
        Kind::RepeatedChunk => {
            let mut answer = exchange.ask()?;
            repeat_chunk(step, &mut answer.body);
            exchange.send(&answer)
        }
        Kind::Unavailable => exchange.send(&refusal(503, "Service Unavailable")),
        Kind::RetryAfter => {
            let answer = refusal(503, "Service Unavailable");
            let head = answer.head.with("Retry-After", 1);
            exchange.send(&Answer::new(head, answer.body))
        }
        Kind::ServerError => exchange.send(&refusal(500, "Internal Server Error")),
        Kind::Vanished => exchange.send(&refusal(404, "Not Found")),
        Kind::HtmlPage => {
            let head = Head::new(200, "OK").with("Content-Type", "text/html; charset=utf-8");
            exchange.send(&Answer::new(head, LOGIN))
        }
        Kind::EmptyAnswer => {
            let answer = exchange.ask()?;
            exchange.send(&answer.changed([]))
        }
        Kind::OtherRange => other_range(injector, step, point, request, exchange),
        Kind::RangeIgnored => range_ignored(injector, point, exchange),
        Kind::Stall => stall(step, exchange),
        Kind::SlowDrip => drip(exchange),
        Kind::ChangedObject => change(injector, step, point, exchange),
        Kind::Gzip => {
            let answer = exchange.ask()?;
            let body = gzip(&answer.body);
            let mut answer = answer.changed(body);
            answer.head = answer.head.with("Content-Encoding", "gzip");
            exchange.send(&answer)
        }
        Kind::Redirect => lead_away(injector, step, request, exchange),
        Kind::RepeatedToken => repeat_page(injector, step, exchange),
        Kind::EarlyHints => {
            exchange
                .write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")?;
            exchange.pass()
        }
        Kind::NotHttp => {
            exchange.write(b"SSH-2.0-OpenSSH_9.9\r\n")?;
            Ok(Fate::Close)
        }
    }
}

fn refusal(status: u16, reason: &str) -> Answer {
    let head = Head::new(status, reason).with("Content-Type", "text/plain");
    Answer::new(head, format!("{reason}\n"))
}

/// More bytes than there should be.
fn surplus(step: &Step) -> usize {
    if step.variant.is_multiple_of(2) { 1 } else { 5000 }
}

/// Sends the first bytes of a body and ends the connection.
fn cut(step: &Step, exchange: &mut Exchange<'_>, fate: Fate) -> io::Result<Fate> {
    let answer = exchange.ask()?;
    exchange.begin(&answer)?;
    exchange.piece(&answer, &answer.body[..step.place(answer.body.len())])?;
    Ok(fate)
}

/// A piece in place of the piece that should follow it.
fn repeat_chunk(step: &Step, body: &mut [u8]) {
    let longest = (body.len() / 2).max(1);
    let length = longest.min(1 + usize::try_from(step.variant % 4096).unwrap_or_default());
    let start = step.place(body.len().saturating_sub(2 * length).max(1));
    if start + 2 * length <= body.len() {
        body.copy_within(start..start + length, start + length);
    }
}

/// Bytes from another place of the object, with a head that says so.
fn other_range(
    injector: &Injector,
    step: &Step,
    point: &Point,
    request: &Request,
    exchange: &mut Exchange<'_>,
) -> io::Result<Fate> {
    let answer = exchange.ask()?;
    let whole = whole(injector, point)?;
    let length = answer.body.len().min(whole.len().saturating_sub(1)).max(1);
    let asked = usize::try_from(point.offset).unwrap_or_default();
    // As far from what was asked as the object allows, or by one byte.
    let far = if asked == 0 { whole.len() - length } else { 0 };
    let near = if asked == 0 { 1 } else { asked - 1 };
    let start = if step.variant.is_multiple_of(2) { far } else { near };
    let start = start.min(whole.len() - length);
    let body = whole[start..start + length].to_vec();
    let says = format!("bytes {start}-{}/{}", start + length - 1, whole.len());
    let mut answer = answer.changed(body);
    // A DataNode answers a range with 200 and no word on which it is.
    if request.range().is_some() || answer.head.status == 206 || !point.is_ranged {
        answer.head = answer.head.with_status(206, "Partial Content").with("Content-Range", says);
    }
    exchange.send(&answer)
}

/// The whole object, as from a server that knows no ranges.
fn range_ignored(
    injector: &Injector,
    point: &Point,
    exchange: &mut Exchange<'_>,
) -> io::Result<Fate> {
    let mut answer = exchange.ask()?.changed(whole(injector, point)?);
    answer.head = answer.head.with_status(200, "OK").without("Content-Range");
    exchange.send(&answer)
}

fn whole<'a>(injector: &'a Injector, point: &Point) -> io::Result<&'a [u8]> {
    let file = injector.tree.files.get(&point.subject);
    file.map(Vec::as_slice).ok_or_else(|| io::Error::other("a range of what is no file"))
}

/// Silence, before the answer or in its body.
fn stall(step: &Step, exchange: &mut Exchange<'_>) -> io::Result<Fate> {
    let answer = exchange.ask()?;
    if !step.variant.is_multiple_of(3) {
        exchange.begin(&answer)?;
        let place = step.place(answer.body.len());
        exchange.piece(&answer, &answer.body[..place])?;
    }
    exchange.fall_silent()
}

fn drip(exchange: &mut Exchange<'_>) -> io::Result<Fate> {
    let answer = exchange.ask()?;
    exchange.begin(&answer)?;
    let size = answer.body.len().div_ceil(DRIP_PIECES).max(1);
    for piece in answer.body.chunks(size) {
        exchange.pause(DRIP_PAUSE);
        exchange.piece(&answer, piece)?;
    }
    exchange.end(&answer)
}

/// Really replaces the object, before it is read or after half of it.
fn change(
    injector: &Injector,
    step: &Step,
    point: &Point,
    exchange: &mut Exchange<'_>,
) -> io::Result<Fate> {
    let successor = injector.successor.as_ref().and_then(|tree| tree.files.get(&point.subject));
    let bytes = successor.ok_or_else(|| io::Error::other("nothing to replace it with"))?;
    let replace = || {
        let replaced = injector.site.replace(&injector.tree.name, &point.subject, bytes);
        replaced.map_err(|error| io::Error::other(format!("cannot replace it: {error:#}")))
    };
    if step.variant.is_multiple_of(2) {
        replace()?;
        return exchange.pass();
    }
    let answer = exchange.ask()?;
    replace()?;
    exchange.begin(&answer)?;
    exchange.piece(&answer, &answer.body[..answer.body.len() / 2])?;
    Ok(Fate::Close)
}

/// Another host has it, says the answer.
fn lead_away(
    injector: &Injector,
    step: &Step,
    request: &Request,
    exchange: &mut Exchange<'_>,
) -> io::Result<Fate> {
    let trap = injector.trap.as_ref().ok_or_else(|| io::Error::other("there is no other host"))?;
    let (status, reason) = match step.variant % 4 {
        0 => (301, "Moved Permanently"),
        1 => (302, "Found"),
        2 => (307, "Temporary Redirect"),
        _ => (308, "Permanent Redirect"),
    };
    let location = format!("http://{}{}", trap.address, request.target);
    exchange.send(&Answer::new(Head::new(status, reason).with("Location", location), ""))
}

/// The same page each time, with a token or without one.
fn repeat_page(injector: &Injector, step: &Step, exchange: &mut Exchange<'_>) -> io::Result<Fate> {
    let kept = lock(&injector.page).clone();
    if let Some(page) = kept {
        return exchange.send(&page);
    }
    let answer = exchange.ask()?;
    let backend = injector.site.backend;
    let without = (step.variant.is_multiple_of(4))
        .then(|| pages::without_token(backend, &answer.body))
        .flatten();
    let body = without
        .or_else(|| pages::endless(backend, &answer.body))
        .ok_or_else(|| io::Error::other("the page says nothing of a next one"))?;
    let page = answer.changed(body);
    *lock(&injector.page) = Some(page.clone());
    exchange.send(&page)
}

/// A gzip file with the bytes as they are (RFC 1951, 3.2.4; RFC 1952).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    if bytes.is_empty() {
        file.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        file.push(u8::from(blocks.peek().is_none()));
        file.extend_from_slice(&length.to_le_bytes());
        file.extend_from_slice(&(!length).to_le_bytes());
        file.extend_from_slice(block);
    }
    file.extend_from_slice(&crc32(bytes).to_le_bytes());
    let length = u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or_default();
    file.extend_from_slice(&length.to_le_bytes());
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|index| {
        (0..8).fold(u32::try_from(index).unwrap_or_default(), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| (crc >> 8) ^ table[usize::from(crc.to_le_bytes()[0] ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_crc_32_is_right() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn gzip_files_are_read_by_others() {
        let bytes = crate::chaos::random::Random::new(1, &[]).bytes(150_000);
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("x.gz");
        for bytes in [&bytes[..], b"x", b""] {
            std::fs::write(&file, gzip(bytes)).expect("written");
            let read = std::process::Command::new("gzip").arg("-dc").arg(&file).output();
            let read = read.expect("gzip is here");
            assert!(read.status.success() && read.stdout == bytes, "{}", bytes.len());
        }
    }
}
