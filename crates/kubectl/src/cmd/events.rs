//! `kubectl events`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/events/events.go (v1.37).

use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::print::tabwriter::TabWriter;
use crate::print::{self, Format, Order};
use crate::resource;
use crate::value::{int, namespace, text};
use k8s_openapi::jiff::Timestamp;
use podlab_api::door::{ResponseBody, Verb, WatchCursor};
use podlab_api::duration::human_duration;
use podlab_api::{Request, kinds};
use serde_json::Value;

/// Events as they come.
#[derive(Clone, Debug)]
pub(crate) struct Watching {
    cursor: WatchCursor,
    types: Vec<String>,
    all: bool,
    writer: TabWriter,
}

fn ago(then: &str, now: Timestamp) -> String {
    match then.parse::<Timestamp>() {
        Ok(then) => {
            let nanos = now.as_nanosecond() - then.as_nanosecond();
            human_duration(i64::try_from(nanos).unwrap_or(i64::MAX))
        }
        Err(_) => "<unknown>".to_owned(),
    }
}

/// How long ago an event came, and how often.
pub(crate) fn interval(event: &Value, now: Timestamp) -> String {
    let series = event.get("series").filter(|s| s.is_object());
    let first = match text(event, &["eventTime"]) {
        "" => text(event, &["firstTimestamp"]),
        time => time,
    };
    let first = ago(first, now);
    if let Some(series) = series {
        let last = ago(text(series, &["lastObservedTime"]), now);
        return format!("{last} (x{} over {first})", int(series, &["count"]));
    }
    let count = int(event, &["count"]);
    if count > 1 {
        return format!("{} (x{count} over {first})", ago(text(event, &["lastTimestamp"]), now));
    }
    first
}

fn row(event: &Value, now: Timestamp, all: bool) -> String {
    let space = if all { format!("{}\t", namespace(event)) } else { String::new() };
    format!(
        "{space}{}\t{}\t{}\t{}/{}\t{}\n",
        interval(event, now),
        text(event, &["type"]),
        text(event, &["reason"]),
        text(event, &["involvedObject", "kind"]),
        text(event, &["involvedObject", "name"]),
        text(event, &["message"]).trim()
    )
}

fn header(parsed: &Parsed, all: bool) -> &'static str {
    match (parsed.bool("no-headers"), all) {
        (true, _) => "",
        (false, true) => "NAMESPACE\tLAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n",
        (false, false) => "LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n",
    }
}

fn wanted(types: &[String], event: &Value) -> bool {
    types.is_empty() || types.iter().any(|t| t.eq_ignore_ascii_case(text(event, &["type"])))
}

fn last_seen(event: &Value) -> &str {
    if event.get("series").is_some_and(Value::is_object) {
        return text(event, &["series", "lastObservedTime"]);
    }
    match text(event, &["lastTimestamp"]) {
        "" => text(event, &["eventTime"]),
        last => last,
    }
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let all = parsed.bool("all-namespaces");
    let types = parsed.list("types");
    for given in &types {
        if !given.eq_ignore_ascii_case("Normal") && !given.eq_ignore_ascii_case("Warning") {
            return message("valid --types are Normal or Warning");
        }
    }
    let format = print::format(cx, parsed, false)?;
    let scope = if all { String::new() } else { cx.namespace.clone() };
    let mut request = Request::list(&kinds::EVENT, &scope);
    let object = parsed.str("for");
    if !object.is_empty() {
        let Some((word, name)) = object.split_once('/') else {
            return message("--for must be in resource/name form".to_string());
        };
        let kind = resource::mapping(cx, word)?;
        request.options.field_selector = Some(format!(
            "involvedObject.kind={},involvedObject.apiVersion={},involvedObject.name={name}",
            kind.kind,
            kind.api_version()
        ));
    }
    cx.discover(1)?;
    let list = cx.list(request.clone())?;
    let mut events: Vec<Value> =
        list.items.iter().map(|o| o.to_value()).filter(|e| wanted(&types, e)).collect();
    let watch = parsed.bool("watch");
    if events.is_empty() && !watch {
        if all {
            cx.errln("No events found.");
        } else {
            cx.errln(&format!("No events found in {} namespace.", cx.namespace));
        }
        return done();
    }
    // Texts would not do: some times have fractions of a second.
    events.sort_by_cached_key(|event| last_seen(event).parse::<Timestamp>().ok());
    if !matches!(format, Format::Human) {
        let shown = match format {
            Format::Name => events.iter().map(|e| print::name_of(e) + "\n").collect(),
            format => print::object(&format, &print::list_of(events), Order::Sorted)?,
        };
        cx.out(&shown);
        return done();
    }
    let now = cx.now();
    let mut writer = TabWriter::table();
    writer.write(header(parsed, all));
    for event in &events {
        writer.write(&row(event, now, all));
    }
    let shown = writer.flush();
    cx.out(&shown);
    if !watch {
        return done();
    }
    request.verb = Verb::Watch;
    request.options.resource_version = Some(list.resource_version.to_string());
    match cx.ask(request)? {
        ResponseBody::Watch(cursor) => Ok(Flow::Wait(Task::Events(Watching { cursor, types, all, writer }))),
        _ => message("the server gave no watch"),
    }
}

impl Watching {
    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        if cx.io.interrupted() {
            return Ok(Step::Done(130));
        }
        let now = cx.now();
        for change in cx.door.watch(&mut self.cursor).map_err(Error::from)? {
            let event = change.object.to_value();
            if change.change.as_str() != "DELETED" && wanted(&self.types, &event) {
                self.writer.write(&row(&event, now, self.all));
            }
        }
        let shown = self.writer.flush();
        cx.out(&shown);
        Ok(Step::Wait(Wait { change: true, input: true, until: None, ..Wait::default() }))
    }
}
