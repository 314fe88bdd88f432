//! The one door's language: what is asked of the API server and what it answers.

use crate::{Kind, Object, Status, Table};
pub use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a request wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verb {
    /// One object.
    Get,
    /// All objects that match.
    List,
    /// Changes from now, or from a resourceVersion, on.
    Watch,
    /// A new object, or an action on a subresource (`eviction`, `binding`, `exec`).
    Create,
    /// The whole object anew.
    Update,
    /// A part of the object.
    Patch(PatchType),
    /// One object's end.
    Delete,
    /// The end of all objects that match.
    DeleteCollection,
}

/// In which language a patch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PatchType {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own, which merges lists by key.
    StrategicMerge,
    /// Server-side apply.
    Apply,
}

/// Names a resource: group, version, plural.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gvr {
    /// Empty for the core group.
    pub group: Cow<'static, str>,
    /// `v1`.
    pub version: Cow<'static, str>,
    /// `pods`.
    pub resource: Cow<'static, str>,
}

impl From<&'static Kind> for Gvr {
    fn from(kind: &'static Kind) -> Gvr {
        Gvr { group: kind.group.into(), version: kind.version.into(), resource: kind.plural.into() }
    }
}

/// What form the answer to a read should have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Accept {
    /// Objects.
    #[default]
    Objects,
    /// A [`Table`], made by the server.
    Table,
}

/// How strictly unknown and duplicate fields are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldValidation {
    /// They are dropped.
    Ignore,
    /// They are dropped with a warning: the API's own default.
    #[default]
    Warn,
    /// They are refused: kubectl's default.
    Strict,
}

/// What becomes of an object's dependents when it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Propagation {
    /// They are left without an owner.
    Orphan,
    /// The owner goes first, they follow.
    Background,
    /// They go first, the owner follows.
    Foreground,
}

/// The query parameters of a request, delete options among them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestOptions {
    /// Label selector as text.
    pub label_selector: Option<String>,
    /// Field selector as text.
    pub field_selector: Option<String>,
    /// At most so many items a list.
    pub limit: Option<usize>,
    /// Where a list that was cut goes on.
    pub continue_token: Option<String>,
    /// From where a watch begins.
    pub resource_version: Option<String>,
    /// Nothing is kept.
    pub dry_run: bool,
    /// How unknown fields are taken.
    pub field_validation: FieldValidation,
    /// What a body in YAML had twice, in the decoder's words (`line 8: key "data" already set in map`).
    pub duplicate_keys: Vec<String>,
    /// The paths of what a body in JSON had twice (`spec.replicas`).
    pub duplicate_fields: Vec<String>,
    /// A body in JSON as it was written, where its keys are not sorted: what is wrong with it is told in its order.
    pub unsorted_text: Option<String>,
    /// Who writes, for managed fields.
    pub field_manager: Option<String>,
    /// Takes over fields that others own (server-side apply).
    pub force: bool,
    /// Seconds a pod gets to end; `None` is the object's own wish.
    pub grace_period_seconds: Option<i64>,
    /// What becomes of dependents; `None` is the kind's default.
    pub propagation: Option<Propagation>,
    /// Deletes only the object with this uid.
    pub precondition_uid: Option<String>,
    /// Deletes only the object at this resourceVersion.
    pub precondition_resource_version: Option<String>,
    /// The form of the answer.
    pub accept: Accept,
    /// Options of `log`.
    pub log: LogOptions,
    /// Options of `exec` and `attach`.
    pub exec: ExecOptions,
    /// Who asks; `None` is the cluster's administrator.
    pub user: Option<Box<UserInfo>>,
    /// As whom the one who asks wants to be taken (`--as`), if they may.
    pub impersonate: Option<Box<UserInfo>>,
}

/// Who somebody is to the API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserInfo {
    /// `jane`, `system:serviceaccount:default:default`.
    pub name: String,
    /// Empty where there is none.
    pub uid: String,
    /// Their groups, in order.
    pub groups: Vec<String>,
    /// What else is known of them, by key.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// Options of the `log` subresource.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LogOptions {
    /// Which container; `None` where the pod has one alone.
    pub container: Option<String>,
    /// Goes on until the container ends.
    pub follow: bool,
    /// The container's run before this one.
    pub previous: bool,
    /// Puts the time before each line.
    pub timestamps: bool,
    /// Lines not older than so many seconds.
    pub since_seconds: Option<i64>,
    /// Lines not older than this, in RFC 3339.
    pub since_time: Option<String>,
    /// The last so many lines.
    pub tail_lines: Option<i64>,
    /// At most so many bytes.
    pub limit_bytes: Option<i64>,
}

/// Options of the `exec` and `attach` subresources.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecOptions {
    /// Which container; `None` where the pod has one alone.
    pub container: Option<String>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Whether input is sent.
    pub stdin: bool,
    /// Whether a terminal is wanted.
    pub tty: bool,
}

/// A request to the API server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// What is wanted.
    pub verb: Verb,
    /// Of which resource.
    pub resource: Gvr,
    /// Where; `None` for all namespaces or for kinds that live in none.
    pub namespace: Option<String>,
    /// Which object; `None` for list, create and the like.
    pub name: Option<String>,
    /// `status`, `scale`, `log`, `exec`, `eviction`, `binding`, …
    pub subresource: Option<Cow<'static, str>>,
    /// The object or patch that is sent; `Null` for none.
    pub body: Value,
    /// Query parameters.
    pub options: RequestOptions,
}

impl Request {
    /// Namespace and name, each empty where there is none.
    pub fn place(&self) -> (&str, &str) {
        (self.namespace.as_deref().unwrap_or(""), self.name.as_deref().unwrap_or(""))
    }

    /// A request with no name, body or options yet.
    pub fn new(verb: Verb, resource: impl Into<Gvr>) -> Request {
        Request {
            verb,
            resource: resource.into(),
            namespace: None,
            name: None,
            subresource: None,
            body: Value::Null,
            options: RequestOptions::default(),
        }
    }

    /// Reads one object.
    pub fn get(resource: impl Into<Gvr>, namespace: &str, name: &str) -> Request {
        Request::new(Verb::Get, resource).namespace(namespace).name(name)
    }

    /// Lists objects; an empty namespace means all of them.
    pub fn list(resource: impl Into<Gvr>, namespace: &str) -> Request {
        Request::new(Verb::List, resource).namespace(namespace)
    }

    /// Creates an object from a complete tree.
    pub fn create(resource: impl Into<Gvr>, namespace: &str, body: Value) -> Request {
        Request::new(Verb::Create, resource).namespace(namespace).body(body)
    }

    /// Replaces an object.
    pub fn update(resource: impl Into<Gvr>, namespace: &str, name: &str, body: Value) -> Request {
        Request::new(Verb::Update, resource).namespace(namespace).name(name).body(body)
    }

    /// Patches an object.
    pub fn patch(
        resource: impl Into<Gvr>,
        namespace: &str,
        name: &str,
        how: PatchType,
        body: Value,
    ) -> Request {
        Request::new(Verb::Patch(how), resource).namespace(namespace).name(name).body(body)
    }

    /// Deletes an object.
    pub fn delete(resource: impl Into<Gvr>, namespace: &str, name: &str) -> Request {
        Request::new(Verb::Delete, resource).namespace(namespace).name(name)
    }

    /// Sets the namespace; an empty one means none.
    pub fn namespace(mut self, namespace: &str) -> Request {
        self.namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
        self
    }

    /// Sets the name.
    pub fn name(mut self, name: &str) -> Request {
        self.name = (!name.is_empty()).then(|| name.to_owned());
        self
    }

    /// Sets the subresource.
    pub fn subresource(mut self, subresource: impl Into<Cow<'static, str>>) -> Request {
        self.subresource = Some(subresource.into());
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: Value) -> Request {
        self.body = body;
        self
    }

    /// Sets the options.
    pub fn options(mut self, options: RequestOptions) -> Request {
        self.options = options;
        self
    }
}

/// The API server's answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status code.
    pub code: u16,
    /// What was asked for, or why not.
    pub body: ResponseBody,
    /// Warnings, in order (`Warning:` headers).
    pub warnings: Vec<String>,
}

/// What an answer holds.
#[derive(Clone, Debug)]
pub enum ResponseBody {
    /// One object.
    Object(Arc<Object>),
    /// Several objects of one kind.
    List(List),
    /// A table for reading.
    Table(Table),
    /// A tree that is no stored object (a Scale, an Eviction's answer, a review).
    Value(Value),
    /// Success or refusal in words.
    Status(Box<Status>),
    /// Changes, to be fetched with [`Door::watch`].
    Watch(WatchCursor),
    /// Output, to be fetched with [`Door::stream`].
    Stream(StreamId),
}

/// A list of objects.
#[derive(Clone, Debug)]
pub struct List {
    /// Kind of the items.
    pub kind: &'static Kind,
    /// By namespace, then name.
    pub items: Vec<Arc<Object>>,
    /// The store's resourceVersion when the list was made.
    pub resource_version: u64,
    /// Where to go on, if a limit cut the list.
    pub continue_token: Option<String>,
    /// How many were cut off.
    pub remaining: Option<i64>,
}

/// A place in the history of changes.
///
/// Events come in the order of their resourceVersion, each at most once; two cursors over one resource see
/// the same order. Where the history no longer reaches back to the cursor, the answer is 410 `Expired` and
/// the client lists anew.
#[derive(Clone, Debug)]
pub struct WatchCursor {
    /// What is watched.
    pub kind: &'static Kind,
    /// In which namespace; `None` for all.
    pub namespace: Option<String>,
    /// Only the object with this name.
    pub name: Option<String>,
    /// Label selector as text.
    pub label_selector: Option<String>,
    /// Field selector as text.
    pub field_selector: Option<String>,
    /// The last change seen.
    pub resource_version: u64,
    /// Whether the objects that exist come first, as ADDED.
    pub initial: Vec<Arc<Object>>,
    /// The form of the objects.
    pub accept: Accept,
}

/// One change.
#[derive(Clone, Debug)]
pub struct WatchEvent {
    /// What happened.
    pub change: ChangeType,
    /// The object after the change; for a deletion, its last state.
    pub object: Arc<Object>,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeType {
    /// It is new, or has come to match.
    Added,
    /// It differs.
    Modified,
    /// It is gone, or no longer matches.
    Deleted,
}

impl ChangeType {
    /// `ADDED`, `MODIFIED`, `DELETED`.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeType::Added => "ADDED",
            ChangeType::Modified => "MODIFIED",
            ChangeType::Deleted => "DELETED",
        }
    }
}

/// Names an open log, exec or attach stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamId(pub u64);

/// What has come from a stream since it was last asked.
#[derive(Clone, Debug, Default)]
pub struct StreamChunk {
    /// Standard output, or log lines.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// How it ended, if it has. Nothing comes after it.
    pub end: Option<StreamEnd>,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEnd {
    /// The command ended with this exit code; 0 for a log that is complete.
    Exit(i32),
    /// The stream could not be served or broke off.
    Error(Status),
}

/// What is sent into a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StreamInput {
    /// Bytes for standard input.
    Stdin(Vec<u8>),
    /// Standard input is at its end.
    Eof,
    /// Ctrl C on a terminal.
    Interrupt,
}

/// A way to the API server. Page, kubectl and drills know the cluster only as this.
pub trait Door {
    /// Answers a request at the present virtual instant; time does not pass.
    fn request(&mut self, request: Request) -> Response;

    /// The virtual clock.
    fn now(&self) -> Timestamp;

    /// The changes since the cursor's place, which it moves on.
    ///
    /// # Errors
    /// 410 `Expired` where the history no longer reaches back.
    fn watch(&mut self, cursor: &mut WatchCursor) -> Result<Vec<WatchEvent>, Status>;

    /// What a stream has brought since it was last asked.
    fn stream(&mut self, id: StreamId) -> StreamChunk;

    /// Sends input into a stream; nothing happens where it has ended.
    fn stream_write(&mut self, id: StreamId, input: StreamInput);

    /// Closes a stream; what ran in it gets a hang-up.
    fn stream_close(&mut self, id: StreamId);
}

impl Response {
    /// 200 with an object.
    pub fn object(object: Arc<Object>) -> Response {
        Response { code: 200, body: ResponseBody::Object(object), warnings: Vec::new() }
    }

    /// A refusal.
    pub fn status(status: Status) -> Response {
        Response { code: status.code, body: ResponseBody::Status(Box::new(status)), warnings: Vec::new() }
    }

    /// The object of the answer.
    ///
    /// # Errors
    /// The refusal, if it is one; an internal error where the answer is of another form.
    pub fn into_object(self) -> Result<Arc<Object>, Status> {
        match self.body {
            ResponseBody::Object(object) => Ok(object),
            ResponseBody::Status(status) => Err(*status),
            _ => Err(Status::internal_error("the answer is not an object")),
        }
    }

    /// The list of the answer.
    ///
    /// # Errors
    /// The refusal, if it is one; an internal error where the answer is of another form.
    pub fn into_list(self) -> Result<List, Status> {
        match self.body {
            ResponseBody::List(list) => Ok(list),
            ResponseBody::Status(status) => Err(*status),
            _ => Err(Status::internal_error("the answer is not a list")),
        }
    }
}
