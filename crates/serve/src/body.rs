//! The body of an answer: bytes at once, or chunks as they come.

use hyper::body::{Body, Bytes, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// How many chunks wait for a slow client before their writer waits too.
const WAITING: usize = 16;

/// What is sent after the headers.
pub(crate) enum ReplyBody {
    /// All there is; `None` once it was taken.
    Full(Option<Bytes>),
    /// What a task sends; it ends when the task drops its end.
    Chunks(mpsc::Receiver<Bytes>),
}

impl ReplyBody {
    /// A body of bytes.
    pub(crate) fn full(bytes: impl Into<Bytes>) -> ReplyBody {
        ReplyBody::Full(Some(bytes.into()))
    }

    /// A body of chunks, and where to send them; sending fails once the client is gone.
    pub(crate) fn chunks() -> (mpsc::Sender<Bytes>, ReplyBody) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (sender, ReplyBody::Chunks(receiver))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            ReplyBody::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            ReplyBody::Chunks(receiver) => {
                receiver.poll_recv(context).map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, ReplyBody::Full(None))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            ReplyBody::Full(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                hyper::body::SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            ReplyBody::Chunks(_) => hyper::body::SizeHint::default(),
        }
    }
}
