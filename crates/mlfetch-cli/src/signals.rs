//! What ends the program from outside.

use std::future::Future;
use std::panic::resume_unwind;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinError, JoinSet};

use crate::exit::Exit;
use crate::failure::Failure;

type Ended = Result<(), Failure>;

/// Runs a command until it ends or a signal comes. Then it is dropped, which stops its transfers and
/// removes what is unfinished; `grace` is how long that is waited for.
///
/// It runs where its transfers run: on the thread that waits for signals, each file that ends would
/// have to wake it, and each that begins one of the others.
pub(crate) async fn until_signal(
    command: impl Future<Output = Ended> + Send + 'static,
    grace: Duration,
) -> Result<Ended, Exit> {
    let mut running = JoinSet::new();
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        // Without handlers the system's own way of ending counts.
        return Ok(command.await);
    };
    running.spawn(command);
    let exit = tokio::select! {
        result = running.join_next() => return result.map_or(Ok(Ok(())), ended),
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
        _ = hang_up.recv() => Exit::Terminated,
    };
    // What does not end in time is left behind with the threads that it is on.
    let _ = tokio::time::timeout(grace, running.shutdown()).await;
    Err(exit)
}

/// A panic goes on here; nothing else takes a command away that was not let go.
fn ended(result: Result<Ended, JoinError>) -> Result<Ended, Exit> {
    match result {
        Ok(ended) => Ok(ended),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(Exit::Interrupted),
        },
    }
}
