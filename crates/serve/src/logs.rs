//! The `log` subresource: text, at once or as it comes.

use crate::body::ReplyBody;
use crate::host::Host;
use crate::reply::{self, Reply};
use crate::watch::stopped;
use hyper::body::Bytes;
use podlab_api::door::{ResponseBody, StreamId};
use podlab_api::{Door, Request, Status};
use tokio::sync::mpsc::Sender;

/// Opens a log; a task of its own sends it.
///
/// # Errors
/// What the API server would answer: no such pod or container, one that has not started.
pub(crate) async fn logs(host: &Host, request: Request) -> Result<Reply, Status> {
    let response = host.act(move |cluster| cluster.request(request)).await.ok_or_else(stopped)?;
    let id = match response.body {
        ResponseBody::Stream(id) => id,
        ResponseBody::Status(status) => return Err(*status),
        _ => return Err(Status::internal_error("the answer is not a stream")),
    };
    let (sender, body) = ReplyBody::chunks();
    tokio::spawn(send(host.clone(), id, sender));
    Ok(reply::typed(200, "text/plain", body))
}

async fn send(host: Host, id: StreamId, sender: Sender<Bytes>) {
    let mut changes = host.changes();
    loop {
        changes.mark_unchanged();
        let Some(chunk) = host.look(move |cluster| cluster.stream(id)).await else { return };
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
