//! The bytes under a link: a TCP connection, bare or in TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, Empty, ReadBuf, empty};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A connection that a session owns; what HTTP needed of it is gone.
#[derive(Debug)]
pub enum Carrier {
    /// Clear text.
    Tcp(TcpStream),
    /// TLS; on the heap, for its state is a thousand bytes that a clear-text session has no use of.
    Tls(Box<TlsStream<TcpStream>>),
    /// None any more: it became something else.
    Gone(Empty),
}

impl Default for Carrier {
    fn default() -> Self {
        Self::Gone(empty())
    }
}

impl Carrier {
    fn project(self: Pin<&mut Self>) -> Pin<&mut dyn Stream> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream),
            Self::Tls(stream) => Pin::new(stream.as_mut()),
            Self::Gone(nothing) => Pin::new(nothing),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

impl AsyncRead for Carrier {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.project().poll_read(cx, buf)
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().poll_shutdown(cx)
    }
}
