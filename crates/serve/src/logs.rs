//! The `log` subresource: text, at once or as it comes.

use crate::body::ReplyBody;
use crate::host::Host;
use crate::refuse::stopped;
use crate::reply::{self, Reply};
use hyper::body::Bytes;
use podlab_api::door::{ResponseBody, StreamChunk, StreamId};
use podlab_api::{Door, Request, Status};
use tokio::sync::mpsc::Sender;

/// Opens a log; a task of its own sends it.
///
/// # Errors
/// What the API server would answer: no such pod or container, one that has not started.
pub(crate) async fn logs(host: &Host, request: Request) -> Result<Reply, Status> {
    // What there is is read in the instant of the request: later lines are not asked for.
    let opened = host.look(move |cluster| match cluster.request(request).body {
        ResponseBody::Stream(id) => Ok((id, cluster.stream(id))),
        ResponseBody::Status(status) => Err(*status),
        _ => Err(Status::internal_error("the answer is not a stream")),
    });
    let (id, first) = opened.await.ok_or_else(stopped)??;
    let (sender, body) = ReplyBody::chunks();
    tokio::spawn(send(host.clone(), id, first, sender));
    Ok(reply::typed(200, "text/plain", body))
}

async fn send(host: Host, id: StreamId, first: StreamChunk, sender: Sender<Bytes>) {
    let mut changes = host.changes();
    let mut first = Some(first);
    loop {
        let chunk = match first.take() {
            Some(chunk) => chunk,
            None => {
                changes.mark_unchanged();
                let Some(chunk) = host.look(move |cluster| cluster.stream(id)).await else { return };
                chunk
            }
        };
        let gone = !chunk.stdout.is_empty() && sender.send(chunk.stdout.into()).await.is_err();
        if chunk.end.is_some() {
            return;
        }
        if gone {
            break;
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = sender.closed() => break,
        }
    }
    host.look(move |cluster| cluster.stream_close(id)).await;
}
