//! Ctrl-C and the system's wish that the program ends.

use std::future::Future;

use midplane::{Code, Error};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::{Exit, Outcome, Stop};

/// Tells when the command is to end. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Interrupt {
    asked: watch::Receiver<bool>,
}

impl Interrupt {
    /// Begins to listen to SIGINT and SIGTERM. The second one ends the process at once; workers die with it.
    pub(crate) fn listen() -> Outcome<Self> {
        let failed = |error: std::io::Error| Error::new(Code::Io, "signals cannot be received").caused_by(&error);
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let (sender, asked) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if sender.send_replace(true) {
                    std::process::exit(i32::from(Exit::Interrupted.number()));
                }
            }
        });
        Ok(Self { asked })
    }

    /// Waits for the end of something, or for the user to give up on it; it is then dropped.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = T>) -> Outcome<T> {
        tokio::select! {
            biased;
            () = self.asked() => Err(Stop::Interrupted),
            done = work => Ok(done),
        }
    }

    /// Waits until somebody asks for the end.
    pub(crate) async fn asked(&self) {
        let mut asked = self.asked.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            // The listener lives as long as the runtime; without one nobody can ask.
            std::future::pending::<()>().await;
        }
    }
}
