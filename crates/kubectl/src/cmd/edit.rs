//! `kubectl edit`, `kubectl create --edit`, `kubectl apply edit-last-applied`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/util/editor/editoptions.go, editor.go (v1.37).

use super::apply::{LAST_APPLIED, annotate, two_way};
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::manifest;
use crate::print::{Format, Order};
use crate::resource::{Builder, Info, gather};
use crate::value::{slot, text};
use podlab_api::Request;
use podlab_api::door::{FieldValidation, PatchType};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// What is edited, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Live objects; the difference is sent as a patch.
    Normal,
    /// What apply kept; it is put back into the annotation.
    LastApplied,
    /// Objects that are to be created.
    Create,
}

/// Why the file is shown again.
#[derive(Clone, Debug)]
struct Reason {
    head: String,
    other: Vec<String>,
}

/// What came of sending one edited file.
#[derive(Clone, Debug, Default)]
struct Results {
    reasons: Vec<Reason>,
    retryable: bool,
    not_found: bool,
    again: bool,
    file: String,
}

/// Files that are edited one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Editing {
    mode: Mode,
    builder: Builder,
    validation: FieldValidation,
    format: Format,
    json: bool,
    output_patch: bool,
    save_config: bool,
    manager: String,
    subresource: String,
    parsed: Parsed,
    editor: Vec<String>,
    /// The editor is a line that the shell reads.
    shell: bool,
    /// The objects of each file to come.
    left: VecDeque<Vec<Info>>,
    infos: Vec<Info>,
    results: Results,
    failed: bool,
    original: String,
    edited: String,
    file: String,
    child: u32,
    /// How many files were made.
    files: u64,
}

const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";
const HEADER_LAST_APPLIED: &str = "# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
";

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    begin(cx, parsed, Mode::Normal)
}

pub(crate) fn last_applied(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    begin(cx, parsed, Mode::LastApplied)
}

pub(crate) fn create(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    begin(cx, parsed, Mode::Create)
}

fn begin(cx: &mut Cx<'_>, parsed: &Parsed, mode: Mode) -> Result<Flow> {
    if mode == Mode::Create {
        crate::print::format(cx, parsed, false)?;
    }
    let mut builder = Builder::new(cx, parsed);
    if mode != Mode::Create && builder.args.is_empty() && !builder.has_files() {
        return message(crate::resource::MISSING);
    }
    let validation = super::field_validation(parsed)?;
    builder.validate = validation != FieldValidation::Ignore;
    let subresource = parsed.str("subresource").to_owned();
    let selected = match mode {
        Mode::Create => builder.resolve(cx)?,
        _ => fetch(cx, builder.clone().allow_all(), &subresource)?,
    };
    let mut errors = Vec::new();
    let mut infos = Vec::new();
    for item in selected.items {
        match item {
            Ok(info) => infos.push(info),
            Err(error) => errors.push(error),
        }
    }
    gather(errors)?;
    let output = parsed.str("output").to_owned();
    if !matches!(output.as_str(), "" | "yaml" | "json") {
        return message(format!(
            "unable to match a printer suitable for the output format {output:?}, allowed formats are: json,kyaml,yaml"
        ));
    }
    let format = crate::print::format(cx, parsed, false)?;
    builder.args.clear();
    let left = match mode {
        Mode::Normal if infos.is_empty() => return message("edit cancelled, no objects found"),
        Mode::Normal => VecDeque::from([infos]),
        Mode::LastApplied => VecDeque::from([applied(cx, &builder, &infos)?]),
        Mode::Create => infos.into_iter().map(|info| vec![info]).collect(),
    };
    let manager = match mode {
        Mode::Create => "kubectl-create",
        _ => parsed.str("field-manager"),
    };
    let (editor, shell) = editor(cx);
    let mut editing = Editing {
        mode,
        validation,
        json: output == "json",
        format,
        output_patch: parsed.bool("output-patch"),
        save_config: parsed.bool("save-config"),
        manager: manager.to_owned(),
        subresource,
        parsed: parsed.clone(),
        editor,
        shell,
        left,
        builder,
        infos: Vec::new(),
        results: Results::default(),
        failed: false,
        original: String::new(),
        edited: String::new(),
        file: String::new(),
        child: 0,
        files: 0,
    };
    match editing.next(cx)? {
        Step::Done(code) => Ok(Flow::Done(code)),
        _ => Ok(Flow::Wait(Task::Edit(Box::new(editing)))),
    }
}

fn fetch(cx: &mut Cx<'_>, builder: Builder, subresource: &str) -> Result<crate::resource::Selected> {
    if subresource.is_empty() {
        return builder.fetch(cx);
    }
    let mut selected = builder.resolve(cx)?;
    for item in &mut selected.items {
        if let Ok(info) = item {
            let request = Request::get(info.kind, &info.namespace, &info.name);
            match cx.object(request.subresource(subresource.to_owned())) {
                Ok(object) => info.object = object,
                Err(error) => *item = Err(error),
            }
        }
    }
    Ok(selected)
}

/// The objects that apply kept in the annotations of others.
fn applied(cx: &mut Cx<'_>, builder: &Builder, infos: &[Info]) -> Result<Vec<Info>> {
    let mut out = Vec::new();
    for info in infos {
        let kept = text(&info.object, &["metadata", "annotations", LAST_APPLIED]);
        if !kept.is_empty() {
            out.extend(parse(cx, builder, kept)?.into_iter().next());
        }
    }
    if out.is_empty() {
        return message(
            "no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`",
        );
    }
    Ok(out)
}

/// The editor's words: `$KUBE_EDITOR`, `$EDITOR` or vi.
fn editor(cx: &Cx<'_>) -> (Vec<String>, bool) {
    let var = |name: &str| cx.env.vars.get(name).filter(|v| !v.is_empty()).cloned();
    let line = var("KUBE_EDITOR").or_else(|| var("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    if line.contains(' ') && line.contains(['"', '\'', '\\']) {
        let shell = var("SHELL").unwrap_or_else(|| "/bin/bash".to_owned());
        return (vec![shell, "-c".to_owned(), line], true);
    }
    (line.split(' ').map(str::to_owned).collect(), false)
}

/// The objects of an edited text.
fn parse(cx: &mut Cx<'_>, builder: &Builder, edited: &str) -> Result<Vec<Info>> {
    let builder = Builder { validate: false, ..builder.clone() };
    let items = manifest::from_text(cx, &builder, edited, "edited-file");
    let mut errors = Vec::new();
    let mut infos = Vec::new();
    for item in items {
        match item {
            Ok(info) => infos.push(info),
            Err(error) => errors.push(error),
        }
    }
    gather(errors).map(|()| infos)
}

/// The text without lines that begin with `#`.
fn without_comments(text: &str) -> String {
    let lines = text.split('\n').filter(|line| {
        let line = line.trim();
        !line.starts_with('#') || line.starts_with("#!")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What counts of a text: its value as JSON; where it is no YAML, its lines without comments.
fn content(text: &str) -> String {
    match podlab_yaml::parse_document(text) {
        Ok(document) => podlab_yaml::to_json_compact(&document.value),
        Err(_) => without_comments(text),
    }
}

/// Puts `#` before the lines of a text that goes over several.
fn commented(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        if c == '\n' && chars.peek().is_some_and(|next| *next != '#') {
            out.push_str("# ");
        }
    }
    out
}

impl Editing {
    /// Begins with the objects of the next file.
    fn next(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        let Some(infos) = self.left.pop_front() else { return Ok(Step::Done(0)) };
        self.infos = infos;
        self.results = Results::default();
        self.failed = false;
        self.edited.clear();
        self.launch(cx)
    }

    /// Writes the file and calls the editor.
    fn launch(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        let mut out = String::new();
        if !self.json {
            out.push_str(if self.mode == Mode::LastApplied { HEADER_LAST_APPLIED } else { HEADER });
            for reason in &self.results.reasons {
                let colon = if reason.other.is_empty() { "" } else { ":" };
                out.push_str(&format!("# {}{colon}\n", commented(&reason.head)));
                for other in &reason.other {
                    out.push_str(&format!("# * {}\n", commented(other)));
                }
                out.push_str("#\n");
            }
        }
        if self.failed {
            out.push_str(&without_comments(&self.edited));
        } else {
            let shown = match self.infos.as_slice() {
                [one] => one.object.clone(),
                many => {
                    let items: Vec<&Value> = many.iter().map(|info| &info.object).collect();
                    json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items})
                }
            };
            out.push_str(&match self.json {
                true => podlab_yaml::to_json_indented(&shown),
                false => podlab_yaml::to_yaml(&shown),
            });
            self.original.clone_from(&out);
        }
        self.files += 1;
        let number = (cx.now().as_nanosecond().rem_euclid(4_294_967_291) + i128::from(self.files) * 48_271)
            .rem_euclid(4_294_967_291);
        self.file = format!("/tmp/kubectl-edit-{number}.{}", if self.json { "json" } else { "yaml" });
        if cx.io.write_file(&self.file, out.as_bytes()).is_err() {
            return message(format!("open {}: permission denied", self.file));
        }
        let mut argv = self.editor.clone();
        match argv.last_mut() {
            // A line for the shell gets the file as its last word.
            Some(line) if self.shell => line.push_str(&format!(" {:?}", self.file)),
            _ => argv.push(self.file.clone()),
        }
        match cx.io.spawn(&argv) {
            Ok(child) => {
                self.child = child;
                Ok(Step::Wait(Wait { child: true, ..Wait::default() }))
            }
            Err(_) => {
                let text = format!("unable to launch the editor {:?}", self.editor.join(" "));
                let file = self.results.file.clone();
                self.preserved(cx, Error::Message(text), &file)
            }
        }
    }

    /// Says where the changes are that an error would lose.
    fn preserved(&self, cx: &mut Cx<'_>, error: Error, file: &str) -> Result<Step> {
        if !file.is_empty() && cx.io.read_file(file).is_ok() {
            cx.errln(&format!("A copy of your changes has been stored to {file:?}"));
        }
        Err(error)
    }

    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        let Some(code) = cx.io.ended(self.child) else {
            return Ok(Step::Wait(Wait { child: true, ..Wait::default() }));
        };
        let file = self.file.clone();
        if code != 0 {
            let text = format!("there was a problem with the editor {:?}", self.editor.join(" "));
            let before = self.results.file.clone();
            return self.preserved(cx, Error::Message(text), &before);
        }
        let edited = cx.read_text(&file)?;
        let before = std::mem::replace(&mut self.edited, edited);
        if self.failed && content(&before) == content(&self.edited) {
            let error = Error::Message("Edit cancelled, no valid changes were saved.".to_owned());
            return self.preserved(cx, error, &file);
        }
        let old = std::mem::replace(&mut self.results, Results { file: file.clone(), ..Results::default() });
        if !old.file.is_empty() {
            let _ = cx.io.remove_file(&old.file);
        }
        if self.validation != FieldValidation::Ignore
            && let Some(problem) = self.invalid()
        {
            self.failed = true;
            let (name, resource) = self.first();
            self.results.reasons.push(Reason {
                head: format!("{resource} {name:?} was not valid"),
                other: vec![format!(
                    "<nil>: Invalid value: \"The edited file failed validation\": {problem}"
                )],
            });
            cx.errln(&format!("error: {resource} {name:?} is invalid"));
            return self.launch(cx);
        }
        if content(&self.original) == content(&self.edited) {
            let _ = cx.io.remove_file(&file);
            cx.errln("Edit cancelled, no changes made.");
            return self.next(cx);
        }
        let empty = |line: &str| line.trim().is_empty() || line.trim().starts_with('#');
        if self.edited.lines().all(empty) {
            let _ = cx.io.remove_file(&file);
            cx.errln("Edit cancelled, saved file was empty.");
            return self.next(cx);
        }
        let edited = self.edited.clone();
        let infos = match parse(cx, &self.builder, &edited) {
            Ok(infos) => infos,
            Err(error) => {
                self.failed = true;
                let head = format!("The edited file had a syntax error: {}", error.text());
                self.results.reasons.push(Reason { head, other: Vec::new() });
                return self.launch(cx);
            }
        };
        self.failed = false;
        if let Err(error) = self.send(cx, infos) {
            return self.preserved(cx, error, &file);
        }
        if self.results.retryable {
            cx.errln(&format!("You can run `kubectl replace -f {file}` to try this update again."));
            return Ok(Step::Done(1));
        }
        if self.results.not_found {
            cx.errln(&format!("The edits you made on deleted resources have been saved to {file:?}"));
            return Ok(Step::Done(1));
        }
        if self.results.again {
            self.failed = true;
            return self.launch(cx);
        }
        let _ = cx.io.remove_file(&file);
        self.next(cx)
    }

    fn first(&self) -> (String, String) {
        self.infos.first().map_or_else(Default::default, |info| (info.name.clone(), info.resource()))
    }

    /// What the client itself finds wrong with the edited text.
    fn invalid(&self) -> Option<String> {
        match podlab_yaml::parse_document(&self.edited) {
            Ok(document) => manifest::untyped(&document.value),
            Err(_) => {
                let bare = without_comments(&self.edited);
                podlab_yaml::parse_document(&bare).err().map(|error| error.text)
            }
        }
    }

    /// Sends what was edited to the server.
    fn send(&mut self, cx: &mut Cx<'_>, mut infos: Vec<Info>) -> Result<()> {
        for info in &infos {
            if info.kind.namespaced && info.namespace != self.builder.namespace {
                return message(format!(
                    "the namespace from the provided object {0:?} does not match the namespace {1:?}. You must pass '--namespace={0}' to perform this operation.",
                    info.namespace, self.builder.namespace
                ));
            }
        }
        for info in &mut infos {
            if self.save_config {
                annotate(&mut info.object);
            }
            self.parsed.record(&mut info.object);
        }
        for info in infos {
            match self.mode {
                Mode::Normal => self.patch(cx, &info)?,
                Mode::LastApplied => self.annotation(cx, &info)?,
                Mode::Create => {
                    let request = Request::create(info.kind, &info.namespace, info.object.clone());
                    let created = cx.object(self.options(request))?;
                    self.report(cx, &created, "created")?;
                }
            }
        }
        Ok(())
    }

    fn options(&self, mut request: Request) -> Request {
        request.options.field_validation = self.validation;
        request.options.field_manager = Some(self.manager.clone());
        request
    }

    fn report(&self, cx: &mut Cx<'_>, object: &Value, verb: &str) -> Result<()> {
        let out = match self.format {
            Format::Human => format!("{} {verb}\n", crate::print::name_of(object)),
            _ => crate::print::object(&self.format, object, Order::Sorted)?,
        };
        cx.out(&out);
        Ok(())
    }

    /// The object as it was before it was edited.
    fn before(&self, info: &Info) -> Result<Info> {
        let uid = |object: &Value| text(object, &["metadata", "uid"]).to_owned();
        let wanted = uid(&info.object);
        match self.infos.iter().find(|before| uid(&before.object) == wanted) {
            Some(before) => Ok(before.clone()),
            None => message(format!(
                "no original object found for &unstructured.Unstructured{{Object:{}}}",
                podlab_api::go_text::go_syntax(&info.object)
            )),
        }
    }

    fn patch(&mut self, cx: &mut Cx<'_>, info: &Info) -> Result<()> {
        let before = self.before(info)?;
        if before.object == info.object {
            return self.report(cx, &info.object, "skipped");
        }
        let changed = |path: &[&str]| text(&before.object, path) != text(&info.object, path);
        if changed(&["apiVersion"]) || changed(&["kind"]) || changed(&["metadata", "name"]) {
            return message("At least one of apiVersion, kind and name was changed");
        }
        let (how, patch) = two_way(info.kind, &before.object, &info.object)
            .map_err(|error| Error::Message(error.to_string()))?;
        if self.output_patch {
            cx.outln(&format!("Patch: {}", podlab_yaml::to_json_compact(&patch)));
        }
        let mut request = Request::patch(info.kind, &info.namespace, &info.name, how, patch);
        if !self.subresource.is_empty() {
            request = request.subresource(self.subresource.clone());
        }
        match cx.object(self.options(request)) {
            Ok(patched) => self.report(cx, &patched, "edited"),
            Err(error) => {
                let said = self.refused(&error, info);
                cx.errln(&said);
                Ok(())
            }
        }
    }

    /// Notes why the server refused an object; answers what is said of it.
    fn refused(&mut self, error: &Error, info: &Info) -> String {
        let (resource, name) = (info.resource(), &info.name);
        if error.is_not_found() {
            self.results.not_found = true;
            return format!("error: {resource} {name:?} could not be found on the server");
        }
        match error.status().filter(|status| status.reason == "Invalid") {
            Some(status) => {
                let causes = status.details.iter().flat_map(|details| &details.causes);
                self.results.again = true;
                self.results.reasons.push(Reason {
                    head: format!("{resource} {name:?} was not valid"),
                    other: causes.map(|cause| format!("{}: {}", cause.field, cause.message)).collect(),
                });
                format!("error: {resource} {name:?} is invalid")
            }
            None => {
                self.results.retryable = true;
                format!("error: {resource} {name:?} could not be patched: {}", error.text())
            }
        }
    }

    /// Puts the edited text into the annotation.
    fn annotation(&self, cx: &mut Cx<'_>, info: &Info) -> Result<()> {
        if self.before(info)?.object == info.object {
            return self.report(cx, &info.object, "skipped");
        }
        let mut patch = json!({});
        let kept = podlab_yaml::to_json_compact(&info.object);
        slot(&mut patch, &["metadata", "annotations"])[LAST_APPLIED] = kept.into();
        let namespace = if info.kind.namespaced { self.builder.namespace.as_str() } else { "" };
        let request = Request::patch(info.kind, namespace, &info.name, PatchType::Merge, patch);
        cx.object(self.options(request))?;
        self.report(cx, &info.object, "edited")
    }
}
