//! Entra ID: Microsoft's own credentials, over our connections.

mod certificate;
mod chain;
mod kept;
mod transport;

pub(crate) use chain::{Connections, Identity};
