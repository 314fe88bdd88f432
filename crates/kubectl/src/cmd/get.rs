//! `kubectl get`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/get/get.go (v1.37).

use super::get_watch;
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::print::tabwriter::TabWriter;
use crate::print::{self, Format, Order, sorter, table};
use crate::resource::{Builder, Info, gather};
use podlab_api::door::{Accept, ResponseBody};
use podlab_api::{Kind, Request, Table};
use serde_json::Value;

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if parsed.changed("raw") {
        return super::raw::raw(cx, parsed);
    }
    if parsed.bool("watch-only") && parsed.changed("sort-by") {
        cx.errln("warning: --watch-only requested, --sort-by will be ignored");
    } else if parsed.bool("watch") && parsed.changed("sort-by") {
        cx.errln("warning: --watch requested, --sort-by will be ignored for watch events received");
    }
    let builder = Builder::new(cx, parsed).allow_all();
    if builder.args.is_empty() && !builder.has_files() {
        cx.errln("You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n");
        return message(
            "Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples",
        );
    }
    if !parsed.str("subresource").is_empty() && is_bulk(&builder) {
        return message("subresource cannot be used when bulk resources are specified");
    }
    let format = print::format(cx, parsed, true)?;
    if parsed.bool("watch") || parsed.bool("watch-only") {
        return get_watch::start(cx, parsed, &builder, format);
    }
    match format {
        Format::Human | Format::Wide => human(cx, parsed, &builder, matches!(format, Format::Wide)),
        format => generic(cx, parsed, &builder, &format),
    }
}

/// The table options that flags ask for.
pub(crate) fn options(parsed: &Parsed, wide: bool, builder: &Builder) -> table::Options {
    table::Options {
        no_headers: parsed.bool("no-headers"),
        wide,
        with_namespace: builder.all_namespaces,
        with_kind: parsed.bool("show-kind"),
        show_labels: parsed.bool("show-labels"),
        label_columns: parsed.list("label-columns"),
    }
}

/// A table of one kind, with what went wrong.
struct Group {
    kind: &'static Kind,
    table: Table,
}

fn ask_table(cx: &mut Cx<'_>, mut request: Request) -> Result<Table> {
    request.options.accept = Accept::Table;
    match cx.ask(request)? {
        ResponseBody::Table(table) => Ok(table),
        _ => message("the server gave no table"),
    }
}

fn human(cx: &mut Cx<'_>, parsed: &Parsed, builder: &Builder, wide: bool) -> Result<Flow> {
    let ignore_missing = parsed.bool("ignore-not-found");
    let mut groups: Vec<Group> = Vec::new();
    let mut errors: Vec<Error> = Vec::new();
    let mut namespaced = false;
    let bulk = builder.args.len() == 1 && !builder.args.iter().any(|a| a.contains('/'));
    let subresource = parsed.str("subresource");
    for part in requests(cx, builder, subresource)? {
        let (kind, result) = match part {
            Err(error) => {
                errors.push(error);
                continue;
            }
            Ok((kind, request)) => (kind, ask_table(cx, request)),
        };
        namespaced |= kind.namespaced;
        match result {
            Ok(table) => match groups.last_mut() {
                Some(last) if last.kind == kind => last.table.rows.extend(table.rows),
                _ => groups.push(Group { kind, table }),
            },
            Err(error) if ignore_missing && error.is_not_found() => {}
            Err(error) => {
                let error = if bulk { builder.list_error(error, kind) } else { error };
                if !errors.iter().any(|e| e.text() == error.text()) {
                    errors.push(error);
                }
            }
        }
    }
    let sort_by = parsed.str("sort-by").to_owned();
    if !sort_by.is_empty() {
        for group in &mut groups {
            let objects: Vec<Value> = group.table.rows.iter().map(|r| r.object.to_value()).collect();
            let order = sorter::order(&objects, &sort_by)?;
            let rows = std::mem::take(&mut group.table.rows);
            group.table.rows = order.into_iter().filter_map(|i| rows.get(i).cloned()).collect();
        }
    }
    let mut kinds: Vec<&'static Kind> = groups.iter().map(|g| g.kind).collect();
    kinds.dedup();
    let several = kinds.len() > 1;
    let mut wrote = false;
    // Once a column is there, it stays for the types that follow.
    let mut any_namespaced = false;
    for group in &groups {
        if group.table.rows.is_empty() {
            continue;
        }
        any_namespaced |= group.kind.namespaced;
        let mut options = options(parsed, wide, builder);
        options.with_kind = (options.with_kind || several) && subresource != "scale";
        options.with_namespace &= any_namespaced;
        if wrote && !options.no_headers {
            cx.out("\n");
        }
        let mut writer = TabWriter::table();
        table::table(&mut writer, &group.table, &options);
        let text = writer.flush();
        cx.out(&text);
        wrote = true;
    }
    if !wrote && errors.is_empty() && !ignore_missing {
        if builder.all_namespaces || !namespaced {
            cx.errln("No resources found");
        } else {
            cx.errln(&format!("No resources found in {} namespace.", builder.namespace));
        }
    }
    gather(errors)?;
    done()
}

type Part = Result<(&'static Kind, Request)>;

/// Whether lists are asked for rather than objects by name.
fn is_bulk(builder: &Builder) -> bool {
    let bulk = builder.labels.is_some()
        || builder.fields.is_some()
        || (builder.args.len() == 1 && !builder.args.iter().any(|a| a.contains('/')));
    bulk && !builder.has_files()
}

/// One request a list or a named object.
fn requests(cx: &mut Cx<'_>, builder: &Builder, subresource: &str) -> Result<Vec<Part>> {
    if is_bulk(builder) {
        // What does not fit together is found by resolving; the lists are asked for as tables.
        let named = builder.args.len() > 1 || builder.args.iter().any(|a| a.contains('/'));
        if named {
            builder.resolve(cx)?;
        }
        if !cx.config.has_server() {
            cx.memcache(1);
        }
        return Ok(builder.types(cx)?.into_iter().map(|k| Ok((k, builder.list_request(k)))).collect());
    }
    let selected = builder.resolve(cx)?;
    Ok(selected
        .items
        .into_iter()
        .map(|item| item.map(|info: Info| (info.kind, of(&info, subresource))))
        .collect())
}

fn of(info: &Info, subresource: &str) -> Request {
    let request = Request::get(info.kind, &info.namespace, &info.name);
    match subresource {
        "" => request,
        subresource => request.subresource(subresource.to_owned()),
    }
}

fn generic(cx: &mut Cx<'_>, parsed: &Parsed, builder: &Builder, format: &Format) -> Result<Flow> {
    let selected = builder.fetch(cx)?;
    let mut objects: Vec<Value> = Vec::new();
    let mut errors: Vec<Error> = Vec::new();
    for item in selected.items {
        let item = item.and_then(|info| match parsed.str("subresource") {
            "" => Ok(info.object),
            subresource => cx.object(of(&info, subresource)),
        });
        match item {
            Ok(object) => objects.push(object),
            Err(error) if error.is_not_found() && parsed.bool("ignore-not-found") => {}
            Err(error) => {
                if !errors.iter().any(|e| e.text() == error.text()) {
                    errors.push(error);
                }
            }
        }
    }
    if selected.single && !errors.is_empty() {
        return gather(errors).map(|()| Flow::Done(0));
    }
    if objects.is_empty() && parsed.bool("ignore-not-found") {
        gather(errors)?;
        return done();
    }
    let sort_by = parsed.str("sort-by");
    if !sort_by.is_empty() {
        let order = sorter::order(&objects, sort_by)?;
        objects = order.into_iter().filter_map(|i| objects.get(i).cloned()).collect();
    }
    if let Format::Columns(columns) = format {
        let (text, result) = columns.print(&objects);
        cx.out(&text);
        result?;
        gather(errors)?;
        return done();
    }
    if let (true, [one]) = (selected.single, objects.as_slice()) {
        let text = print::object(format, one, Order::Sorted)?;
        cx.out(&text);
        return done();
    }
    let text = match format {
        Format::Name => objects.iter().map(|o| print::name_of(o) + "\n").collect(),
        format => print::object(format, &print::list_of(objects), Order::Sorted)?,
    };
    cx.out(&text);
    gather(errors)?;
    done()
}
