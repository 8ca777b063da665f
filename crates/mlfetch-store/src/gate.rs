//! Which places may be asked for anything.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Key, Location, Result};

/// Says which places may be asked for anything. Whoever is about to send a request, or to open a
/// file, asks the gate first.
///
/// ```
/// use mlfetch_store::{Error, ErrorKind, Gate, Key, Location, Result};
/// /// Lets nothing through that is not encrypted.
/// #[derive(Debug)]
/// struct Encrypted;
///
/// impl Gate for Encrypted {
///     fn permit(&self, root: &Location, _below: &Key) -> Result<()> {
///         self.permit_server(root)
///     }
///     fn permit_server(&self, address: &Location) -> Result<()> {
///         match address.scheme() {
///             "http" => Err(Error::new(ErrorKind::Refused, "ask", address.to_string())),
///             _ => Ok(()),
///         }
///     }
/// }
/// let plain = Location::parse("http://tracking.example")?;
/// assert!(Encrypted.permit_server(&plain).is_err());
/// # Ok::<(), Error>(())
/// ```
pub trait Gate: fmt::Debug + Send + Sync + 'static {
    /// Whether `below` a root, and all that lies below that, may be read.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused).
    fn permit(&self, root: &Location, below: &Key) -> Result<()>;

    /// Whether a server or a database may be asked; what it is asked for is another question.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused).
    fn permit_server(&self, address: &Location) -> Result<()>;
}

/// Addresses at which a cloud gives its own machines credentials, and which are not link-local.
const METADATA: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether a host, in square brackets or not, is this machine by its name or by a loopback address.
///
/// ```
/// assert!(mlfetch_store::is_loopback("localhost") && mlfetch_store::is_loopback("[::1]"));
/// assert!(!mlfetch_store::is_loopback("10.0.0.1"));
/// ```
pub fn is_loopback(host: &str) -> bool {
    if let Some(address) = address(host) {
        return address.is_loopback();
    }
    let name = plain(host);
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether a host means another machine to each that asks for it: loopback, no address at all,
/// link-local, or the place where a cloud's machines get their credentials. Names are not looked up.
///
/// ```
/// use mlfetch_store::is_beside_the_asker;
/// assert!(is_beside_the_asker("169.254.169.254") && is_beside_the_asker("127.0.0.1"));
/// assert!(!is_beside_the_asker("files.example"));
/// ```
pub fn is_beside_the_asker(host: &str) -> bool {
    if is_loopback(host) {
        return true;
    }
    let Some(address) = address(host) else {
        let name = plain(host);
        return name == "metadata.google.internal" || name == "instance-data";
    };
    let is_link = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    is_link || address.is_unspecified() || METADATA.contains(&address)
}

/// A name in the one form in which it is compared.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// An address that is written as one; IPv4 in the clothes of IPv6 is IPv4.
fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_write_a_place_beside_the_asker_is_known() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "[::]",
            "169.254.169.254",
            "169.254.0.7",
            "[fe80::1]",
            "[::ffff:169.254.169.254]",
            "[fd00:ec2::254]",
            "100.100.100.200",
            "168.63.129.16",
            "metadata.google.internal",
        ] {
            assert!(is_beside_the_asker(host), "{host}");
        }
        for host in ["10.0.0.1", "files.example", "[2001:db8::1]", "localhost.example", ""] {
            assert!(!is_beside_the_asker(host), "{host}");
        }
    }
}
