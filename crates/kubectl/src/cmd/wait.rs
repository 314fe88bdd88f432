//! `kubectl wait`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/wait/*.go (v1.37).

use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::print::{self, relaxed};
use crate::resource::{Builder, Info};
use crate::value::{int, list, text};
use k8s_openapi::jiff::Timestamp;
use podlab_api::jsonpath::JsonPath;
use serde_json::Value;

#[derive(Clone, Debug)]
enum Condition {
    Delete,
    Create,
    Status(String, String),
    JsonPath(Box<JsonPath>, Option<String>),
}

/// Objects that are waited for, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    condition: Condition,
    infos: Vec<Info>,
    deadline: Option<Timestamp>,
    once: bool,
    builder: Option<Builder>,
    quiet_name: bool,
    failures: Vec<Error>,
}

fn parse(text: &str) -> Result<Condition> {
    let lower = text.to_lowercase();
    if lower == "delete" {
        return Ok(Condition::Delete);
    }
    if lower == "create" {
        return Ok(Condition::Create);
    }
    if let Some(rest) = text.strip_prefix("condition=") {
        let (name, value) = rest.split_once('=').unwrap_or((rest, "true"));
        return Ok(Condition::Status(name.to_owned(), value.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("jsonpath=") {
        let rest = rest.trim_matches('\'');
        let (path, value) = match rest.find("}=") {
            Some(at) => (rest.get(..=at).unwrap_or(rest), rest.get(at + 2..)),
            None => match rest.split_once('=').filter(|_| !rest.contains('{')) {
                Some((path, value)) => (path, Some(value)),
                None => (rest, None),
            },
        };
        if value == Some("") {
            return message(
                "jsonpath wait has to have a non-empty value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
            );
        }
        let value = value.map(|v| v.trim_matches('"').trim_matches('\'').to_owned());
        return Ok(Condition::JsonPath(Box::new(relaxed(path)?), value));
    }
    message(format!("unrecognized condition: {text:?}"))
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let conditions = parsed.list("for");
    let condition = match conditions.as_slice() {
        [] => return message("unrecognized condition: []"),
        [one] => parse(one)?,
        [create, other] if create == "create" => parse(other)?,
        _ => return message("podlab does not simulate 'kubectl wait' for several conditions"),
    };
    let timeout = parsed.duration("timeout");
    let mut builder = Builder::new(cx, parsed).all(parsed.bool("all"));
    if builder.select_all && parsed.bool("all") {
        builder = builder.allow_all();
    }
    let deadline = match timeout {
        0 => None,
        t if t < 0 => super::delete::after(cx.now(), 7 * 24 * 3600 * 1_000_000_000),
        t => super::delete::after(cx.now(), t),
    };
    let mut task = Waiting {
        condition: condition.clone(),
        infos: Vec::new(),
        deadline,
        once: timeout == 0,
        builder: None,
        quiet_name: parsed.str("output") == "name",
        failures: Vec::new(),
    };
    if matches!(condition, Condition::Create) {
        builder.resolve(cx)?;
        task.builder = Some(builder);
        return Ok(Flow::Wait(Task::Wait(task)));
    }
    let selected = builder.fetch(cx)?;
    for item in selected.items {
        match item {
            Ok(info) => task.infos.push(info),
            Err(error) if error.is_not_found() && matches!(condition, Condition::Delete) => {}
            Err(error) => task.failures.push(error),
        }
    }
    if task.infos.is_empty() && task.failures.is_empty() && !matches!(condition, Condition::Delete) {
        return message("no matching resources found");
    }
    Ok(Flow::Wait(Task::Wait(task)))
}

impl Condition {
    fn met(&self, object: &Value) -> Result<bool> {
        match self {
            Condition::Delete | Condition::Create => Ok(false),
            Condition::Status(name, wanted) => {
                for condition in list(object, &["status", "conditions"]) {
                    if !text(condition, &["type"]).eq_ignore_ascii_case(name) {
                        continue;
                    }
                    let generation = int(object, &["metadata", "generation"]);
                    let observed = condition
                        .get("observedGeneration")
                        .or_else(|| object.get("status").and_then(|s| s.get("observedGeneration")))
                        .and_then(Value::as_i64);
                    if observed.is_some_and(|o| o < generation) {
                        return Ok(false);
                    }
                    return Ok(text(condition, &["status"]).eq_ignore_ascii_case(wanted));
                }
                Ok(false)
            }
            Condition::JsonPath(path, wanted) => {
                let groups = match path.find_results(object) {
                    Ok(groups) => groups,
                    Err(error) => return message(error.to_string()),
                };
                let Some(first) = groups.first().filter(|g| !g.is_empty()) else { return Ok(false) };
                if groups.len() > 1 {
                    return message("given jsonpath expression matches more than one list");
                }
                if first.len() > 1 {
                    return message("given jsonpath expression matches more than one value");
                }
                let Some(wanted) = wanted else { return Ok(true) };
                let found = first.first().map(|i| i.to_value()).unwrap_or(Value::Null);
                if found.is_object() || found.is_array() {
                    return message("jsonpath leads to a nested object or list which is not supported");
                }
                Ok(crate::value::plain(&found).trim() == wanted.trim())
            }
        }
    }
}

impl Waiting {
    fn late(&self, cx: &Cx<'_>) -> bool {
        self.once || self.deadline.is_some_and(|d| cx.now() >= d)
    }

    fn tell(&self, cx: &mut Cx<'_>, object: &Value) {
        let name = print::name_of(object);
        cx.outln(&if self.quiet_name { name } else { format!("{name} condition met") });
    }

    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        if cx.io.interrupted() {
            return Ok(Step::Done(130));
        }
        let wait = Step::Wait(Wait { change: true, input: true, until: self.deadline, ..Wait::default() });
        if let Some(builder) = &self.builder {
            let found = builder.fetch(cx)?;
            let there: Vec<&Info> = found.items.iter().flatten().collect();
            if there.is_empty() {
                if let Some(Err(error)) =
                    found.items.iter().find(|i| i.as_ref().is_err_and(|e| !e.is_not_found()))
                {
                    return Err(error.clone());
                }
                if self.late(cx) {
                    return message("timed out waiting for the condition");
                }
                return Ok(wait);
            }
            for info in there {
                self.tell(cx, &info.object);
            }
            return Ok(Step::Done(0));
        }
        while let Some(info) = self.infos.first() {
            let object = cx.get(info.kind, &info.namespace, &info.name);
            let what = format!("{}/{}", info.kind.plural, info.name);
            let met = match (&self.condition, &object) {
                (Condition::Delete, Err(error)) if error.is_not_found() => true,
                (Condition::Delete, Ok(object)) => {
                    text(object, &["metadata", "uid"]) != text(&info.object, &["metadata", "uid"])
                }
                (_, Err(error)) => {
                    self.failures.push(error.clone());
                    self.infos.remove(0);
                    continue;
                }
                (condition, Ok(object)) => match condition.met(object) {
                    Ok(met) => met,
                    Err(error) => {
                        self.failures.push(error);
                        self.infos.remove(0);
                        continue;
                    }
                },
            };
            if met {
                let shown = object.unwrap_or_else(|_| info.object.clone());
                self.tell(cx, &shown);
                self.infos.remove(0);
                continue;
            }
            if self.late(cx) {
                let text = if self.once {
                    format!("condition not met for {what}")
                } else {
                    format!("timed out waiting for the condition on {what}")
                };
                self.failures.push(Error::Message(text));
                self.infos.remove(0);
                continue;
            }
            return Ok(wait);
        }
        crate::resource::gather(std::mem::take(&mut self.failures))?;
        Ok(Step::Done(0))
    }
}
