//! The kubelets, one a node.

use crate::cluster::Act;
use crate::observe::Upcoming;
use crate::runtime::{Notice, Runtime};
use crate::store::Change;
use crate::world::Cx;
use podlab_api::door::{StreamChunk, StreamEnd, StreamId, StreamInput};
use podlab_api::{Request, Response, Status};
use podlab_sim::SimTime;

/// What a kubelet plans.
#[derive(Clone, Debug)]
pub enum KubeletEvent {
    /// The runtime has something to tell.
    Runtime(Notice),
}

/// All kubelets of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Kubelets {}

impl Kubelets {
    /// Carries out what was planned.
    pub fn handle(&mut self, event: KubeletEvent, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let _ = (event, runtime, cx);
    }

    /// Sees a change in the store.
    pub fn observe(&mut self, change: &Change, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let _ = (change, runtime, cx);
    }

    /// What a planned event means to a person; `None` where it means nothing.
    pub fn upcoming(&self, at: SimTime, event: &KubeletEvent) -> Option<Upcoming> {
        let _ = (at, event);
        None
    }

    /// Acts on a machine: stops a kubelet, kills a container.
    pub fn act(&mut self, act: &Act, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let _ = (act, runtime, cx);
    }

    /// Opens a log, exec, attach or port-forward stream.
    pub fn open_stream(&mut self, request: &Request, runtime: &mut Runtime, cx: &mut Cx<'_>) -> Response {
        let _ = (request, runtime, cx);
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
