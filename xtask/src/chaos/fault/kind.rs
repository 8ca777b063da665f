//! The kinds of fault.

use super::point::{Class, Point};
use crate::chaos::site::Backend;

/// What can go wrong between a server and a program.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    ResetBeforeAnswer,
    CloseBeforeAnswer,
    ResetInBody,
    CutBody,
    ShortLength,
    ExtraBytes,
    LongBody,
    FlippedBit,
    RepeatedChunk,
    Unavailable,
    RetryAfter,
    ServerError,
    HtmlPage,
    EmptyAnswer,
    OtherRange,
    RangeIgnored,
    Stall,
    SlowDrip,
    ChangedObject,
    Gzip,
    Redirect,
    RepeatedToken,
    CutListing,
    EarlyHints,
    NotHttp,
    Vanished,
}

/// A kind, its name on the command line and what it does.
const TABLE: [(Kind, &str, &str); 26] = [
    (
        Kind::ResetBeforeAnswer,
        "reset-before-answer",
        "the connection is reset instead of an answer",
    ),
    (
        Kind::CloseBeforeAnswer,
        "close-before-answer",
        "the connection is closed instead of an answer",
    ),
    (Kind::ResetInBody, "reset-in-body", "the connection is reset in the middle of a body"),
    (Kind::CutBody, "cut-body", "the connection is closed in order in the middle of a body"),
    (Kind::ShortLength, "short-length", "a body is cut, and its announced length with it"),
    (Kind::ExtraBytes, "extra-bytes", "more bytes follow the announced length"),
    (Kind::LongBody, "long-body", "a body is too long, and its announced length with it"),
    (Kind::FlippedBit, "flipped-bit", "one bit of an object's bytes is another"),
    (
        Kind::RepeatedChunk,
        "repeated-chunk",
        "a piece of a body comes twice, in place of what follows",
    ),
    (Kind::Unavailable, "unavailable", "503 without a `Retry-After`"),
    (Kind::RetryAfter, "retry-after", "503 with a `Retry-After`"),
    (Kind::ServerError, "server-error", "500"),
    (Kind::HtmlPage, "html-page", "200 with a login page"),
    (Kind::EmptyAnswer, "empty-answer", "200 without a byte"),
    (Kind::OtherRange, "other-range", "206 with another range than was asked for"),
    (Kind::RangeIgnored, "range-ignored", "200 with the whole object where a range was asked for"),
    (Kind::Stall, "stall", "the server falls silent, before the answer or in the body"),
    (Kind::SlowDrip, "slow-drip", "a body comes in small pieces with pauses"),
    (
        Kind::ChangedObject,
        "changed-object",
        "the object is really replaced, before or while it is read",
    ),
    (Kind::Gzip, "gzip", "a body is compressed, which nobody asked for"),
    (Kind::Redirect, "redirect", "the answer leads to another host, which has the object"),
    (Kind::RepeatedToken, "repeated-token", "a listing never ends: the same page and token again"),
    (Kind::CutListing, "cut-listing", "a listing is cut, and its announced length with it"),
    (Kind::EarlyHints, "early-hints", "103 before the answer"),
    (Kind::NotHttp, "not-http", "something that is not HTTP"),
    (Kind::Vanished, "vanished", "404 for an object that was listed"),
];

/// What a fault can be seen by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trace {
    /// By anybody who looks at the protocol.
    Protocol,
    /// Only by a checksum.
    Checksum,
    /// Only by a size that was told before.
    Size,
    /// Only by an end that the format of the listing has.
    Ending,
}

impl Kind {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(kind, _, _)| *kind)
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    pub(crate) fn meaning(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        &TABLE[self as usize]
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.name() == name)
    }

    /// Whether a backend's protocol has what this kind is about.
    pub(crate) fn exists_in(self, backend: Backend) -> bool {
        self != Self::RepeatedToken || backend.has_pages()
    }

    /// Whether it can be done to the answer to a request.
    pub(crate) fn suits(self, point: &Point, body_bytes: u64) -> bool {
        match self {
            Self::ResetBeforeAnswer
            | Self::CloseBeforeAnswer
            | Self::Unavailable
            | Self::RetryAfter
            | Self::ServerError
            | Self::Stall
            | Self::NotHttp
            | Self::EarlyHints
            | Self::Redirect => true,
            Self::HtmlPage | Self::EmptyAnswer | Self::Gzip => body_bytes > 0,
            Self::ResetInBody | Self::CutBody | Self::SlowDrip => {
                body_bytes > 1 && point.class != Class::Facts
            }
            Self::ShortLength
            | Self::ExtraBytes
            | Self::LongBody
            | Self::FlippedBit
            | Self::RepeatedChunk
            | Self::ChangedObject
            | Self::OtherRange => body_bytes > 1 && point.class == Class::Read,
            Self::RangeIgnored => point.class == Class::Read && point.is_ranged,
            Self::RepeatedToken | Self::CutListing => point.class == Class::Listing,
            Self::Vanished => point.class == Class::Read,
        }
    }

    /// Whether it concerns answers to ranges, which a small file gets only after a break.
    pub(crate) fn needs_range(self) -> bool {
        matches!(self, Self::OtherRange | Self::RangeIgnored)
    }

    /// Whether it can be a passing fault. Some things that go wrong are answers to be taken at their
    /// word: who asks is not signed in, the object is elsewhere, gone or another.
    pub(crate) fn can_pass(self) -> bool {
        !matches!(
            self,
            Self::HtmlPage
                | Self::Redirect
                | Self::ChangedObject
                | Self::Vanished
                | Self::RepeatedToken
        )
    }

    pub(crate) fn trace(self) -> Trace {
        match self {
            Self::FlippedBit | Self::RepeatedChunk => Trace::Checksum,
            Self::ShortLength | Self::LongBody | Self::EmptyAnswer | Self::Gzip => Trace::Size,
            Self::CutListing => Trace::Ending,
            _ => Trace::Protocol,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_the_table_is_where_its_kind_looks_for_it() {
        for (index, kind) in Kind::all().enumerate() {
            assert_eq!(kind as usize, index);
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
    }
}
