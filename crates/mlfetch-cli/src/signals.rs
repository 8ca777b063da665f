//! What ends the program from outside.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;
use crate::failure::Failure;

/// Runs a command until it ends or a signal comes. Dropping the command stops its transfers and
/// removes what is unfinished.
pub(crate) async fn until_signal(
    command: impl Future<Output = Result<(), Failure>>,
) -> Result<Result<(), Failure>, Exit> {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        // Without handlers the system's own way of ending counts.
        return Ok(command.await);
    };
    tokio::select! {
        result = command => Ok(result),
        _ = interrupt.recv() => Err(Exit::Interrupted),
        _ = terminate.recv() => Err(Exit::Terminated),
        _ = hang_up.recv() => Err(Exit::Terminated),
    }
}
