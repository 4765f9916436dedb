//! The control socket: `control.sock` in the data directory, which commands such as `aplomb user`
//! ask when a server runs. When none runs, they do the same on the data directory themselves.
//!
//! A line of JSON asks, a line of JSON answers. Only the owner of the directory may connect.

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aplomb_core::realm::Realm;
use socket2::{SockAddr, Socket, Type};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader as AsyncBufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};

use crate::config::Config;
use crate::hub::Hub;
use crate::limits::{CONTROL_CALLERS_MAX, CONTROL_LINE_BYTES_MAX, CONTROL_WAIT_SECS};
use crate::office::{Complaint, Office, Reply, Request};
use crate::store::{Sqlite, StoreError};
use crate::watch::Metrics;
use crate::writer;

/// Why a request could not be made. What was refused is a [`Reply`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is nothing to work on.
    #[error(
        "{0} holds no data of aplomb; name another --data-dir, or start \
         `aplomb serve --data-dir {0}` once"
    )]
    NoData(String),
    /// The store of the directory cannot be used.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The running server does not answer as it should.
    #[error("the server that runs on {path} does not answer: {error}; look at its log")]
    Socket {
        /// The socket.
        path: String,
        /// What happened.
        error: io::Error,
    },
    /// A runtime could not be had.
    #[error("the system gives no runtime: {0}")]
    Runtime(io::Error),
}

/// Makes the socket in a data directory that this process has locked.
///
/// - Errors: the path is longer than the system's 107 bytes, or the directory is not ours.
pub fn bind(dir: &Path) -> io::Result<StdListener> {
    let path = dir.join(SOCKET);
    match fs::remove_file(&path) {
        // A server that was killed left it.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let socket = Socket::new(socket2::Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(&path)?)?;
    // Nobody can connect before it listens, so nobody connects before the mode is set.
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    socket.listen(CONTROL_CALLERS_MAX as i32)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Answers callers until its task is ended.
///
/// - Errors: the listener cannot be used.
pub async fn serve(listener: StdListener, office: Office) -> io::Result<()> {
    let listener = UnixListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONTROL_CALLERS_MAX));
    loop {
        let place = places.clone().acquire_owned().await.expect("it is never closed");
        match listener.accept().await {
            Ok((caller, _)) => {
                let office = office.clone();
                // A caller has one deadline for everything, so a stop need not wait for any.
                tokio::spawn(async move {
                    attend(caller, &office).await;
                    drop(place);
                });
            }
            // Such as no file left for it: the next one may have more luck.
            Err(error) => {
                tracing::warn!(%error, "a control caller could not be taken");
                sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            }
        }
    }
}

async fn attend(caller: UnixStream, office: &Office) {
    let wait = Duration::from_secs(CONTROL_WAIT_SECS);
    match timeout(wait, answer(caller, office)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a control caller went away"),
        Err(_) => tracing::debug!("a control caller was too slow"),
    }
}

/// Asks the server that runs on the data directory, or works on the directory itself.
pub fn ask(config: &Config, request: &Request) -> Result<Reply, ControlError> {
    let Some(dir) = &config.data_dir else {
        return Err(ControlError::NoData("a laboratory without --data-dir".to_owned()));
    };
    let path = dir.join(SOCKET);
    match StdStream::connect(&path) {
        Ok(server) => call(server, request)
            .map_err(|error| ControlError::Socket { path: dir.display().to_string(), error }),
        // No server, or one that was killed.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            perform_here(config, dir, request)
        }
        Err(error) => Err(ControlError::Socket { path: dir.display().to_string(), error }),
    }
}

fn call(mut server: StdStream, request: &Request) -> io::Result<Reply> {
    let wait = Duration::from_secs(CONTROL_WAIT_SECS);
    server.set_read_timeout(Some(wait))?;
    server.set_write_timeout(Some(wait))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    server.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(server.take(CONTROL_LINE_BYTES_MAX)).read_line(&mut answer)?;
    if answer.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&answer)?)
}

/// Does the request as a server would, with nobody online.
fn perform_here(config: &Config, dir: &Path, request: &Request) -> Result<Reply, ControlError> {
    if !Sqlite::is_in(dir) {
        return Err(ControlError::NoData(dir.display().to_string()));
    }
    let store = Sqlite::open(dir)?;
    let mut config = config.clone();
    config.domain = store.domain()?.unwrap_or(config.domain);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(ControlError::Runtime)?;
    runtime.block_on(async {
        let (questions, asked) = mpsc::channel(1);
        let realm = Realm { domain: config.domain.to_string(), version: String::new() };
        let (hub, metrics) = (Hub::new(realm, questions), Metrics::new());
        let started = writer::start(Box::new(store), &config, hub, asked, &metrics)?;
        let reply = Office::new(started.writer.clone()).perform(request.clone()).await;
        started.writer.stop().await;
        started.thread.join().expect("the writer does not panic");
        Ok(reply)
    })
}

async fn answer(caller: UnixStream, office: &Office) -> io::Result<()> {
    let (from, mut to) = caller.into_split();
    let mut line = Vec::new();
    AsyncBufReader::new(from.take(CONTROL_LINE_BYTES_MAX)).read_until(b'\n', &mut line).await?;
    let reply = match serde_json::from_slice(&line) {
        Ok(request) => office.perform(request).await,
        // The line may hold a password, so only the place of the mistake is told.
        Err(error) => Reply::Refused(Complaint {
            person: 0,
            field: None,
            words: format!("not a request, at byte {} of the line", error.column()),
        }),
    };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    to.write_all(&line).await
}

/// Milliseconds until a caller is taken again after one could not be.
const ACCEPT_PAUSE_MS: u64 = 100;

/// The socket's name in the data directory.
const SOCKET: &str = "control.sock";

#[cfg(test)]
mod tests;
