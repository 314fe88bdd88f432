//! What a running command has at hand: the door, the streams, flags and context.

use crate::config::Kubeconfig;
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::io::{Env, FileError, Io};
use k8s_openapi::jiff::Timestamp;
use podlab_api::door::{List, ResponseBody, UserInfo};
use podlab_api::{Door, Kind, Object, Request, Status};
use serde_json::Value;

/// A command's surroundings for one step.
pub(crate) struct Cx<'a> {
    pub door: &'a mut dyn Door,
    pub io: &'a mut dyn Io,
    pub env: &'a Env,
    /// Standard input, read to its end for commands that take a file from it.
    pub stdin: &'a [u8],
    pub config: Kubeconfig,
    /// The namespace of `--namespace`, of the context, or `default`.
    pub namespace: String,
    /// Whether `--namespace` was given.
    pub enforce_namespace: bool,
    /// As whom the command is carried out (`--as`).
    pub impersonate: Option<Box<UserInfo>>,
    /// Whether objects are read with `metadata.managedFields`, since that may be printed.
    pub managed: bool,
    /// Warnings that were shown: each is shown once.
    pub warned: &'a mut Vec<String>,
}

impl<'a> Cx<'a> {
    pub(crate) fn out(&mut self, text: &str) {
        self.io.stdout(text.as_bytes());
    }

    pub(crate) fn err(&mut self, text: &str) {
        self.io.stderr(text.as_bytes());
    }

    pub(crate) fn outln(&mut self, text: &str) {
        self.out(text);
        self.out("\n");
    }

    pub(crate) fn errln(&mut self, text: &str) {
        self.err(text);
        self.err("\n");
    }

    /// The virtual clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.door.now()
    }

    /// Fails as kubectl does where no cluster is configured, after `tries` looks at discovery.
    pub(crate) fn discover(&mut self, tries: usize) -> Result<()> {
        if self.config.has_server() {
            return Ok(());
        }
        self.memcache(tries);
        Err(Error::Plain(
            "The connection to the server localhost:8080 was refused - did you specify the right host or port?"
                .to_owned(),
        ))
    }

    pub(crate) fn memcache(&mut self, tries: usize) {
        let now = self.now().strftime("%m%d %H:%M:%S%.6f").to_string();
        for _ in 0..tries {
            self.errln(&format!(
                "E{now}       1 memcache.go:381] \"Couldn't get current server API group list\" err=\"Get \\\"http://localhost:8080/api?timeout=32s\\\": dial tcp 127.0.0.1:8080: connect: connection refused\""
            ));
        }
    }

    /// Asks the door, shows its warnings, and turns a refusal into an error.
    pub(crate) fn ask(&mut self, request: Request) -> Result<ResponseBody> {
        let mut request = request;
        request.options.impersonate.clone_from(&self.impersonate);
        let response = self.door.request(request);
        for warning in response.warnings {
            if !self.warned.contains(&warning) {
                self.errln(&format!("Warning: {warning}"));
                self.warned.push(warning);
            }
        }
        match response.body {
            ResponseBody::Status(status) if response.code >= 400 => Err(Error::Status(status)),
            body => Ok(body),
        }
    }

    /// The kinds that custom resource definitions make; discovery is for everybody, whoever they are.
    pub(crate) fn defined(&mut self) -> Vec<&'static Kind> {
        if !self.config.has_server() {
            return Vec::new();
        }
        match self.door.request(Request::list(&podlab_api::kinds::CUSTOM_RESOURCE_DEFINITION, "")).body {
            ResponseBody::List(list) => {
                list.items.iter().flat_map(|one| podlab_api::custom::kinds_of(&one.to_value())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Asks for one object, as a tree.
    pub(crate) fn object(&mut self, request: Request) -> Result<Value> {
        match self.ask(request)? {
            ResponseBody::Object(object) => Ok(self.tree(&object)),
            ResponseBody::Value(value) => Ok(value),
            ResponseBody::Status(status) => Ok(status.to_value()),
            _ => Err(unexpected()),
        }
    }

    /// An object's tree, with `metadata.managedFields` where that may be printed.
    pub(crate) fn tree(&self, object: &Object) -> Value {
        let mut value = go_form(object);
        if let (true, Some(meta)) = (self.managed, value.get_mut("metadata").and_then(Value::as_object_mut)) {
            let entries = podlab_api::managed_fields::managers_of(object).encode();
            if !entries.is_empty() {
                meta.insert("managedFields".to_owned(), Value::Array(entries));
            }
        }
        value
    }

    /// Reads one object.
    pub(crate) fn get(&mut self, kind: &'static Kind, namespace: &str, name: &str) -> Result<Value> {
        let namespace = if kind.namespaced { namespace } else { "" };
        self.object(Request::get(kind, namespace, name))
    }

    /// Reads a list; an empty namespace means all.
    pub(crate) fn list(&mut self, request: Request) -> Result<List> {
        match self.ask(request)? {
            ResponseBody::List(list) => Ok(list),
            _ => Err(unexpected()),
        }
    }

    /// The objects of a kind that match a label selector, as trees.
    pub(crate) fn select(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        labels: &str,
    ) -> Result<Vec<Value>> {
        let mut request = Request::list(kind, if kind.namespaced { namespace } else { "" });
        if !labels.is_empty() {
            request.options.label_selector = Some(labels.to_owned());
        }
        Ok(self.list(request)?.items.iter().map(|o| o.to_value()).collect())
    }

    /// The text of a file, or of standard input for `-`.
    pub(crate) fn read_text(&mut self, path: &str) -> Result<String> {
        let bytes = self.read_bytes(path)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) fn read_bytes(&mut self, path: &str) -> Result<Vec<u8>> {
        if path == "-" {
            return Ok(self.stdin.to_vec());
        }
        match self.io.read_file(path) {
            Ok(bytes) => Ok(bytes),
            Err(FileError::IsDirectory) => message(format!("read {path}: is a directory")),
            Err(FileError::Denied) => message(format!("open {path}: permission denied")),
            Err(_) => message(format!("open {path}: no such file or directory")),
        }
    }
}

fn unexpected() -> Error {
    Error::Status(Box::new(Status::internal_error("the answer has another form than was asked for")))
}

/// What becomes of a command.
#[allow(clippy::large_enum_variant)] // One at a time, moved once.
pub(crate) enum Flow {
    /// It ended with this exit code.
    Done(i32),
    /// It goes on when something happens.
    Wait(crate::invocation::Task),
}

/// What a command is made of.
pub(crate) type Run = fn(&mut Cx<'_>, &Parsed) -> Result<Flow>;

/// Success.
pub(crate) fn done() -> Result<Flow> {
    Ok(Flow::Done(0))
}

/// The tree as Go writes it: pods and nodes go through types that leave nulls out.
fn go_form(object: &Object) -> Value {
    let value = object.to_value();
    match &object.body {
        podlab_api::Body::Tree(_) | podlab_api::Body::Event(_) => value,
        _ => crate::manifest::typed_value(&value).unwrap_or(value),
    }
}
