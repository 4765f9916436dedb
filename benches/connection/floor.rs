//! The floor: a bare program that does only the system calls and the TLS of the same work.
//!
//! It understands nothing. It reads what comes and answers with canned bytes of the usual sizes, so
//! its CPU is what no server can go below.

use std::io::{self, BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::tls;

/// Runs as the floor: `floor (walk|hold) (ws|wss)`. Prints its port first.
pub fn run(work: &str, carrier: &str) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    io::stdout().flush()?;
    let tls = (carrier == "wss").then(tls::self_signed_server);
    if work == "hold" {
        return hold(&listener, tls);
    }
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(walk(listener, tls))
}

async fn walk(listener: TcpListener, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let tls = tls.map(tokio_rustls::TlsAcceptor::from);
    let replies = Arc::new(walk_replies());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (tls, replies) = (tls.clone(), Arc::clone(&replies));
        // A client that goes early ends its own task and nothing else.
        tokio::spawn(async move {
            match tls {
                None => answer(stream, &replies).await,
                Some(tls) => answer(tls.accept(stream).await?, &replies).await,
            }
        });
    }
}

/// Answers each read of the walk with as many bytes as a server does.
async fn answer(
    mut wire: impl AsyncRead + AsyncWrite + Unpin,
    replies: &[Vec<u8>],
) -> io::Result<()> {
    let mut scratch = [0; 4096];
    for reply in replies {
        if wire.read(&mut scratch).await? == 0 {
            return Ok(());
        }
        wire.write_all(reply).await?;
        wire.flush().await?;
    }
    while wire.read(&mut scratch).await? > 0 {}
    Ok(())
}

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

fn accept(listener: &TcpListener, tls: Option<&Arc<ServerConfig>>) -> io::Result<Box<dyn Wire>> {
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    Ok(match tls {
        None => Box::new(stream),
        Some(config) => {
            let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
            let mut wire: StreamOwned<ServerConnection, TcpStream> =
                StreamOwned::new(connection, stream);
            wire.conn.complete_io(&mut wire.sock)?;
            Box::new(wire)
        }
    })
}

fn walk_replies() -> Vec<Vec<u8>> {
    let mut replies = vec![SWITCHING.as_bytes().to_vec()];
    let words = [
        ("<mechanisms/>", 620),
        ("<success/>", 52),
        ("<bind xmpp-bind/>", 700),
        ("<iq id='b1'/>", 210),
        ("<iq id='s1'/>", 90),
        ("<presence from='finesse@'/>", 260),
        ("<iq id='n1' subscribed/>", 330),
        ("<iq id='n1' subscribed/>", 330),
        ("<close/>", 60),
    ];
    replies.extend(words.map(|(text, len)| text_frame(text, len)));
    replies
}

/// Accepts and keeps connections; each line on the input sends one notice to all of them.
fn hold(listener: &TcpListener, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
    let held: std::sync::Mutex<Vec<Box<dyn Wire>>> = std::sync::Mutex::new(Vec::new());
    let notice = text_frame("<message/>", 1500);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                let Ok(mut wire) = accept(listener, tls.as_ref()) else { continue };
                let mut scratch = [0; 1024];
                if wire.read(&mut scratch).is_ok() && wire.write_all(SWITCHING.as_bytes()).is_ok() {
                    held.lock().expect("no panics").push(wire);
                }
            }
        });
        for line in io::stdin().lock().lines() {
            if line.is_err() {
                break;
            }
            for wire in held.lock().expect("no panics").iter_mut() {
                let _ = wire.write_all(&notice).and_then(|()| wire.flush());
            }
        }
        std::process::exit(0);
    })
}

fn text_frame(text: &str, len: usize) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(len) {
        Ok(len) if len < 126 => frame.push(len),
        _ => {
            frame.push(126);
            frame.extend(u16::try_from(len).expect("short messages").to_be_bytes());
        }
    }
    frame.extend(text.bytes().chain(std::iter::repeat(b' ')).take(len));
    frame
}

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-protocol: xmpp\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    date: Fri, 20 Nov 2026 08:00:00 GMT\r\n\r\n";
