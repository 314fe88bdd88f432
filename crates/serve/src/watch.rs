//! Watches: changes as they come, a line each.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/watch.go, pkg/storage/cacher (v1.37).

use crate::body::ReplyBody;
use crate::handlers::App;
use crate::host::Host;
use crate::negotiate::{Encoding, Form};
use crate::protobuf;
use crate::query::ListQuery;
use crate::refuse::stopped;
use crate::render::{self, Style};
use crate::rendered::Rendered;
use crate::reply::{self, Reply};
use hyper::body::Bytes;
use podlab_api::door::{ResponseBody, Timestamp, Verb, WatchCursor};
use podlab_api::schema::Schema;
use podlab_api::{Door, Kind, Object, Request, Status};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep_until};

/// How long a watch lasts that does not say so.
const LONGEST: Duration = Duration::from_secs(45 * 60);

/// As many bytes are sent at once.
const PIECE: usize = 64 << 10;

/// How often a client that allows it is told how far it has come.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);

/// Begins a watch; a task of its own goes on with it.
///
/// # Errors
/// What the API server would answer at once: selectors or versions that cannot be read.
pub(crate) async fn watch(
    app: &App,
    kind: &'static Kind,
    mut request: Request,
    query: &ListQuery,
    style: Style,
    encoding: Encoding,
) -> Result<Reply, Status> {
    let version = match query.version.as_deref() {
        Some(text) => text.parse().map_err(|_| Status {
            code: 500,
            reason: "",
            message: format!(
                "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
            ),
            details: None,
        })?,
        None => 0_u64,
    };
    let initial = query.initial_events;
    request.verb = Verb::Watch;
    request.options.resource_version = match initial {
        Some(true) => None,
        _ => Some(version.to_string()).filter(|_| version > 0),
    };
    let only_new = initial == Some(false) && version == 0;
    let opened = app.host.look(move |cluster| {
        if only_new {
            let current = cluster.world().api.store().resource_version();
            request.options.resource_version = Some(current.to_string());
        }
        cluster.request(request)
    });
    let response = opened.await.ok_or_else(stopped)?;
    let cursor = match response.body {
        ResponseBody::Watch(cursor) => cursor,
        ResponseBody::Status(status) => return Err(*status),
        _ => return Err(Status::internal_error("the answer is not a watch")),
    };
    let timeout = query.timeout.and_then(|seconds| u64::try_from(seconds).ok()).filter(|s| *s > 0);
    let end = Instant::now() + timeout.map_or(LONGEST, |seconds| Duration::from_secs(seconds).min(LONGEST));
    let (sender, body) = ReplyBody::chunks();
    let encodes = encoding == Encoding::Protobuf
        && style.form == Form::Objects
        && Schema::get().kind(&kind.api_version(), kind.kind).is_some();
    let watch = Watch {
        host: app.host.clone(),
        rendered: app.rendered.clone(),
        protobuf: encodes,
        kind,
        style,
        sender,
        bookmarks: query.bookmarks,
        initial_end: initial == Some(true) && query.bookmarks,
        with_columns: true,
        told: 0,
    };
    tokio::spawn(watch.run(cursor, end));
    let media_type =
        if encodes { "application/vnd.kubernetes.protobuf;stream=watch" } else { "application/json" };
    let mut reply = reply::typed(200, media_type, body);
    reply::warn(&mut reply, &response.warnings);
    Ok(reply)
}

struct Watch {
    host: Host,
    rendered: Arc<Rendered>,
    /// Events are frames of protobuf rather than lines of JSON.
    protobuf: bool,
    kind: &'static Kind,
    style: Style,
    sender: Sender<Bytes>,
    bookmarks: bool,
    /// Whether the end of the objects that exist is still to be told.
    initial_end: bool,
    /// Whether a table's columns are still to be told.
    with_columns: bool,
    /// The version that the client knows of.
    told: u64,
}

impl Watch {
    async fn run(mut self, mut cursor: WatchCursor, end: Instant) {
        let mut changes = self.host.changes();
        let mut next_bookmark = Instant::now() + BOOKMARK_PERIOD;
        loop {
            changes.mark_unchanged();
            let Some(reached) = self.send(cursor).await else { return };
            cursor = reached;
            if std::mem::take(&mut self.initial_end) && !self.bookmark(cursor.resource_version, true).await {
                return;
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = self.sender.closed() => return,
                () = sleep_until(end) => return,
                () = sleep_until(next_bookmark) => {
                    next_bookmark = Instant::now() + BOOKMARK_PERIOD;
                    let version = cursor.resource_version;
                    if self.bookmarks && version > self.told && !self.bookmark(version, false).await {
                        return;
                    }
                }
            }
        }
    }

    /// Sends what has come; gives the cursor back, or nothing where the watch is over.
    async fn send(&mut self, mut cursor: WatchCursor) -> Option<WatchCursor> {
        let look = self.host.look(move |cluster| {
            let events = cluster.watch(&mut cursor);
            (cursor, events, cluster.now())
        });
        let (cursor, events, now) = look.await?;
        match events {
            Ok(events) => {
                let mut lines = Vec::new();
                for event in events {
                    self.write(&mut lines, event.change.as_str(), &event.object, now)?;
                    self.told = event.object.resource_version();
                    // A long list in one piece would keep others from their turn.
                    if lines.len() > PIECE {
                        self.sender.send(std::mem::take(&mut lines).into()).await.ok()?;
                        tokio::task::yield_now().await;
                    }
                }
                if !lines.is_empty() {
                    self.sender.send(lines.into()).await.ok()?;
                }
                Some(cursor)
            }
            Err(status) => {
                let line =
                    format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", render::value(&status.to_value()));
                let _ = self.sender.send(line.into()).await;
                None
            }
        }
    }

    /// Writes an event. Objects as they are kept are written once for all watches.
    fn write(&mut self, out: &mut Vec<u8>, change: &str, object: &Arc<Object>, now: Timestamp) -> Option<()> {
        if self.style.form != Form::Objects || self.style.version.is_some() {
            let with_columns = std::mem::take(&mut self.with_columns);
            if self.protobuf {
                out.extend(protobuf::encode_event(change, &self.style.value(object))?);
            } else {
                out.extend(render::event(change, object, self.style, now, with_columns).into_bytes());
            }
            return Some(());
        }
        let style = self.style;
        let written = self.rendered.get(object, self.protobuf, || match self.protobuf {
            true => protobuf::encode(&style.value(object)).unwrap_or_default().into(),
            false => render::object(object, style, now).into(),
        });
        if self.protobuf {
            out.extend(protobuf::frame(change, &written)?);
        } else {
            out.extend_from_slice(format!(r#"{{"type":"{change}","object":"#).as_bytes());
            out.extend_from_slice(&written);
            out.extend_from_slice(b"}\n");
        }
        Some(())
    }

    async fn bookmark(&mut self, version: u64, initial_end: bool) -> bool {
        self.told = version;
        let line = if self.protobuf {
            let object = render::bookmark_object(self.kind, version, self.style, initial_end);
            protobuf::encode_event("BOOKMARK", &object).unwrap_or_default()
        } else {
            render::bookmark(self.kind, version, self.style, initial_end).into_bytes()
        };
        self.sender.send(line.into()).await.is_ok()
    }
}
