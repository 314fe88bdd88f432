//! `kubectl get --watch`.

use super::get;
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::print::tabwriter::TabWriter;
use crate::print::{self, Format, Order, table};
use crate::resource::Builder;
use podlab_api::door::{ChangeType, ResponseBody, Verb, WatchCursor};
use podlab_api::{Kind, Object, Request, printers};
use std::sync::Arc;

/// A watch that goes on until it is interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Watching {
    kind: &'static Kind,
    cursor: WatchCursor,
    format: Format,
    options: table::Options,
    writer: TabWriter,
    events: bool,
    printed: usize,
    headed: bool,
}

pub(crate) fn start(cx: &mut Cx<'_>, parsed: &Parsed, builder: &Builder, format: Format) -> Result<Flow> {
    if !cx.config.has_server() {
        // A watch looks at discovery once more.
        cx.memcache(1);
    }
    let selected = builder.types(cx)?;
    let named = builder.args.len() > 1 || builder.args.iter().any(|a| a.contains('/')) || builder.has_files();
    let (kind, namespace, name) = if named {
        let found = builder.resolve(cx)?;
        match found.items.as_slice() {
            [Ok(one)] => (one.kind, one.namespace.clone(), one.name.clone()),
            [Err(error)] => return Err(error.clone()),
            _ => {
                return message("watch is only supported on individual resources and resource collections");
            }
        }
    } else {
        match selected.as_slice() {
            [kind] => {
                let namespace = if kind.namespaced && !builder.all_namespaces {
                    builder.namespace.clone()
                } else {
                    String::new()
                };
                (*kind, namespace, String::new())
            }
            _ => return message("you may only specify a single resource type"),
        }
    };
    let mut options = get::options(parsed, matches!(format, Format::Wide), builder);
    options.with_namespace &= kind.namespaced;
    let (initial, version) = if name.is_empty() {
        let list = cx.list(builder.list_request(kind)).map_err(|e| builder.list_error(e, kind))?;
        (list.items, list.resource_version)
    } else {
        match cx.ask(Request::get(kind, &namespace, &name))? {
            ResponseBody::Object(object) => {
                let version = object.resource_version();
                (vec![object], version)
            }
            _ => return message("the server gave no object"),
        }
    };
    let mut request = Request::new(Verb::Watch, kind).namespace(&namespace).name(&name);
    request.options.label_selector = builder.labels.clone();
    request.options.field_selector = builder.fields.clone();
    request.options.resource_version = Some(version.to_string());
    let ResponseBody::Watch(cursor) = cx.ask(request)? else {
        return message("the server gave no watch");
    };
    let mut task = Watching {
        kind,
        cursor,
        format,
        options,
        writer: TabWriter::table(),
        events: parsed.bool("output-watch-events"),
        printed: 0,
        headed: false,
    };
    if !parsed.bool("watch-only") {
        for object in &initial {
            task.print(cx, object, ChangeType::Added)?;
        }
        task.flush(cx);
    }
    Ok(Flow::Wait(Task::Watch(task)))
}

impl Watching {
    fn print(&mut self, cx: &mut Cx<'_>, object: &Arc<Object>, change: ChangeType) -> Result<()> {
        if !matches!(self.format, Format::Human | Format::Wide) {
            if matches!(self.format, Format::Yaml) && self.printed > 0 {
                cx.out("---\n");
            }
            self.printed += 1;
            let text = print::object(&self.format, &cx.tree(object), Order::Sorted)?;
            cx.out(&text);
            return Ok(());
        }
        let table = printers::table(self.kind, std::slice::from_ref(object), cx.now());
        let event = self.events.then(|| change.as_str());
        if !self.headed {
            table::headers(&mut self.writer, &table.columns, &self.options, self.events.then_some("EVENT"));
            self.headed = true;
        }
        for row in &table.rows {
            table::row(&mut self.writer, &table.columns, row, &self.options, event);
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) {
        let text = self.writer.flush();
        cx.out(&text);
    }

    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        if cx.io.interrupted() {
            return Ok(Step::Done(130));
        }
        for event in cx.door.watch(&mut self.cursor).map_err(Error::from)? {
            self.print(cx, &event.object, event.change)?;
            self.flush(cx);
        }
        Ok(Step::Wait(Wait { change: true, input: true, until: None, ..Wait::default() }))
    }
}
