//! Logs, exec, attach and port-forward.

use super::Kubelets;
use crate::runtime::Runtime;
use crate::world::Cx;
use podlab_api::door::{StreamChunk, StreamEnd, StreamId, StreamInput};
use podlab_api::{Request, Response, Status};

/// Open streams.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams {}

impl Kubelets {
    /// Opens a log, exec, attach or port-forward stream.
    pub fn open_stream(&mut self, request: &Request, runtime: &mut Runtime, cx: &mut Cx<'_>) -> Response {
        let _ = (request, runtime, cx, &self.streams);
        Response::status(Status::no_such_resource())
    }

    /// What a stream has brought since it was last read.
    pub fn read_stream(&mut self, id: StreamId, runtime: &mut Runtime, cx: &mut Cx<'_>) -> StreamChunk {
        let _ = (id, runtime, cx);
        StreamChunk { end: Some(StreamEnd::Exit(0)), ..StreamChunk::default() }
    }

    /// Sends input into a stream.
    pub fn write_stream(&mut self, id: StreamId, input: StreamInput, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let _ = (id, input, runtime, cx);
    }

    /// Closes a stream; what runs in it gets a hang-up.
    pub fn close_stream(&mut self, id: StreamId, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let _ = (id, runtime, cx);
    }
}
