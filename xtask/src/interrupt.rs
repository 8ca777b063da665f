//! Ctrl-C and its relatives: noted in a flag, so that servers are always stopped on the way out.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// How long a child that shares our terminal may take to act on the same Ctrl-C.
const GRACE: Duration = Duration::from_secs(3);

/// From now on a signal sets a flag instead of ending this process.
pub(crate) fn listen() -> Result<()> {
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&REQUESTED))
            .with_context(|| format!("cannot listen for signal {signal}"))?;
    }
    Ok(())
}

/// Whether somebody asked this process to end.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Fails once somebody asked this process to end; called in every loop that waits.
pub(crate) fn check() -> Result<()> {
    if requested() {
        bail!("interrupted");
    }
    Ok(())
}

/// Waits for a child, and ends it when this process is asked to end.
pub(crate) fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    let mut interrupted_at = None;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if requested() {
            let since = *interrupted_at.get_or_insert_with(Instant::now);
            if since.elapsed() > GRACE {
                terminate(child);
                return child.wait();
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn terminate(child: &Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        // The child may have ended in between, which is what is wanted.
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
}
