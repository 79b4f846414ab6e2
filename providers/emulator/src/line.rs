//! A connection that can be ended by the one who was to answer on it.

use crate::exchange::ConnectionEnd;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// The handle of a connection.
#[derive(Debug)]
pub(crate) struct Line {
    /// Cancelled when it is to end.
    pub(crate) ended: CancellationToken,
    reset: Arc<AtomicBool>,
}

impl Line {
    pub(crate) fn of(stream: TcpStream) -> (LineStream, Self) {
        let reset = Arc::new(AtomicBool::new(false));
        let line = Self { ended: CancellationToken::new(), reset: Arc::clone(&reset) };
        (LineStream { stream, reset }, line)
    }

    /// Ends it. Whoever serves it lets go of it.
    pub(crate) fn end(&self, how: ConnectionEnd) {
        self.reset.store(how == ConnectionEnd::Reset, Ordering::Relaxed);
        self.ended.cancel();
    }
}

/// The connection's bytes.
#[derive(Debug)]
pub(crate) struct LineStream {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for LineStream {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // What is closed without lingering is reset.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for LineStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
