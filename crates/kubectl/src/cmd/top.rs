//! `kubectl top`: what pods and nodes use, from the Metrics API.
//!
//! Source: k8s.io/kubectl/pkg/cmd/top/*.go, pkg/metricsutil/metrics_printer.go (v1.37).

use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message, usage};
use crate::flags::Parsed;
use crate::print::tabwriter::TabWriter;
use podlab_api::door::Gvr;
use podlab_api::quantity::Quantity;
use podlab_api::selector::field::FieldSelector;
use podlab_api::selector::label::Selector;
use podlab_api::{Kind, Request, kinds};
use serde_json::Value;
use std::cmp::Ordering;

/// A pod this young may have no metrics yet, in seconds.
const METRICS_CREATION_DELAY: i64 = 120;

/// CPU and memory; what is missing counts as none.
type Usage = [Quantity; 2];

struct Metric {
    namespace: String,
    name: String,
    usage: Usage,
    /// The containers of a pod.
    containers: Vec<(String, Usage)>,
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn none() -> Quantity {
    Quantity::new(0, podlab_api::quantity::Format::DecimalSi)
}

fn amounts(list: Option<&Value>) -> Usage {
    ["cpu", "memory"].map(|name| {
        let amount = list.and_then(|list| list.get(name)).and_then(Value::as_str);
        amount.and_then(|amount| Quantity::parse(amount).ok()).unwrap_or_else(none)
    })
}

impl Metric {
    fn of(item: &Value) -> Metric {
        let containers = item.get("containers").and_then(Value::as_array).into_iter().flatten();
        let containers: Vec<(String, Usage)> =
            containers.map(|one| (text(one, "/name").to_owned(), amounts(one.get("usage")))).collect();
        let mut usage = amounts(item.get("usage"));
        for (_, one) in &containers {
            add(&mut usage, one);
        }
        Metric {
            namespace: text(item, "/metadata/namespace").to_owned(),
            name: text(item, "/metadata/name").to_owned(),
            usage,
            containers,
        }
    }
}

fn add(sum: &mut Usage, one: &Usage) {
    for (sum, one) in sum.iter_mut().zip(one) {
        sum.add(one);
    }
}

/// The more a thing uses of what is sorted by, the further up; `None` where the names decide.
fn by_usage(sort: &str, left: &Usage, right: &Usage) -> Option<Ordering> {
    let [cpu, memory] = [0, 1].map(|at| right[at].milli_value().cmp(&left[at].milli_value()));
    match sort {
        "cpu" => Some(cpu),
        "memory" => Some(memory),
        _ => None,
    }
}

fn cells(usage: &Usage) -> [String; 2] {
    let [cpu, memory] = usage;
    [format!("{}m", cpu.milli_value()), format!("{}Mi", memory.value() / (1 << 20))]
}

/// Every cell ends with a tab, the last one too.
fn line(table: &mut TabWriter, cells: &[&str]) {
    for cell in cells {
        table.write(cell);
        table.write("\t");
    }
    table.write("\n");
}

/// Asks the Metrics API for one object, or for all that a selector finds.
fn ask(cx: &mut Cx<'_>, kind: &Kind, namespace: &str, name: &str, labels: &str) -> Result<Vec<Metric>> {
    let resource = Gvr {
        group: "metrics.k8s.io".into(),
        version: "v1beta1".into(),
        resource: kind.plural.to_owned().into(),
    };
    let mut probe = Request::list(resource.clone(), namespace);
    if !labels.is_empty() {
        probe.options.label_selector = Some(labels.to_owned());
    }
    let list = match cx.object(probe) {
        Err(Error::Status(status)) if status.is_not_found() => return message("Metrics API not available"),
        answer => answer?,
    };
    if name.is_empty() {
        let items = list.get("items").and_then(Value::as_array);
        return Ok(items.into_iter().flatten().map(Metric::of).collect());
    }
    Ok(vec![Metric::of(&cx.object(Request::get(resource, namespace, name))?)])
}

fn check<'p>(parsed: &'p Parsed, both: &'static str) -> Result<&'p str> {
    if !["", "cpu", "memory"].contains(&parsed.str("sort-by")) {
        return message("--sort-by accepts only cpu or memory");
    }
    let name = parsed.args.first().map_or("", String::as_str);
    let selects = !parsed.str("selector").is_empty() || !parsed.str("field-selector").is_empty();
    if !name.is_empty() && selects {
        return message(both);
    }
    Ok(name)
}

/// `kubectl top pod`.
pub(crate) fn pod(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if parsed.args.len() > 1 {
        return usage(&parsed.path, "pod [NAME | -l label]");
    }
    let name = check(parsed, "only one of NAME or selector can be provided")?;
    let labels = selector(parsed)?;
    let fields = match parsed.str("field-selector") {
        "" => None,
        fields => Some(FieldSelector::parse(fields).or_else(|error| message(error.to_string()))?),
    };
    cx.discover(1)?;
    let all = parsed.bool("all-namespaces");
    let namespace = if all { String::new() } else { cx.namespace.clone() };
    let mut metrics = ask(cx, &kinds::POD, &namespace, name, &labels)?;
    if fields.is_some() {
        let mut request = Request::list(&kinds::POD, &namespace);
        request.options.field_selector = Some(parsed.str("field-selector").to_owned());
        request.options.label_selector = (!labels.is_empty()).then(|| labels.clone());
        let pods = cx.list(request)?.items;
        metrics.retain(|metric| {
            pods.iter().any(|pod| pod.namespace() == metric.namespace && pod.name() == metric.name)
        });
    }
    if metrics.is_empty() {
        check_pods_without(cx, &cx.namespace.clone(), &labels, parsed.str("field-selector"))?;
        match all {
            true => cx.errln("No resources found"),
            false => cx.errln(&format!("No resources found in {namespace} namespace.")),
        }
        return done();
    }
    let sort = parsed.str("sort-by");
    metrics.sort_by(|left, right| {
        let by_name = || {
            let namespaces = if all { left.namespace.cmp(&right.namespace) } else { Ordering::Equal };
            namespaces.then_with(|| left.name.cmp(&right.name))
        };
        by_usage(sort, &left.usage, &right.usage).unwrap_or_else(by_name)
    });
    let shown = pod_table(metrics, parsed, all);
    cx.out(&shown);
    done()
}

fn pod_table(mut metrics: Vec<Metric>, parsed: &Parsed, all: bool) -> String {
    let (containers, swap) = (parsed.bool("containers"), parsed.bool("show-swap"));
    let mut columns: Vec<&str> = Vec::new();
    columns.extend(all.then_some("NAMESPACE"));
    columns.extend(containers.then_some("POD"));
    columns.extend(["NAME", "CPU(cores)", "MEMORY(bytes)"]);
    columns.extend(swap.then_some("SWAP(bytes)"));
    let mut table = TabWriter::table();
    if !parsed.bool("no-headers") {
        line(&mut table, &columns);
    }
    let mut sum: Usage = [none(), none()];
    for metric in &mut metrics {
        add(&mut sum, &metric.usage);
        let mut write = |name: &[&str], usage: &Usage| {
            let [cpu, memory] = cells(usage);
            let mut row: Vec<&str> = Vec::new();
            row.extend(all.then_some(metric.namespace.as_str()));
            row.extend(name);
            row.extend([cpu.as_str(), memory.as_str()]);
            row.extend(swap.then_some("0Mi"));
            line(&mut table, &row);
        };
        if !containers {
            write(&[&metric.name], &metric.usage);
            continue;
        }
        let sort = parsed.str("sort-by");
        metric.containers.sort_by(|(left, one), (right, other)| {
            by_usage(sort, one, other).unwrap_or_else(|| left.cmp(right))
        });
        for (container, usage) in &metric.containers {
            write(&[&metric.name, container], usage);
        }
    }
    if parsed.bool("sum") {
        // The real one reckons the width from the headers it printed.
        let width = match parsed.bool("no-headers") {
            true => 3 + usize::from(swap),
            false => columns.len(),
        };
        let [cpu, memory] = cells(&sum);
        let mut rule = vec![""; width.saturating_sub(2)];
        rule.extend(["________", "________"]);
        line(&mut table, &rule);
        let mut row = vec![""; width.saturating_sub(2)];
        row.extend([cpu.as_str(), memory.as_str()]);
        row.extend(swap.then_some("0Mi"));
        line(&mut table, &row);
    }
    table.flush()
}

/// Why nothing is known of any pod: they are too new, or something is wrong.
///
/// Source: pkg/cmd/top/top_pod.go `verifyEmptyMetrics`, `checkPodAge`.
fn check_pods_without(cx: &mut Cx<'_>, namespace: &str, labels: &str, fields: &str) -> Result<()> {
    let mut request = Request::list(&kinds::POD, namespace);
    request.options.label_selector = (!labels.is_empty()).then(|| labels.to_owned());
    request.options.field_selector = (!fields.is_empty()).then(|| fields.to_owned());
    let pods = cx.list(request)?.items;
    let now = cx.now().as_second();
    for pod in &pods {
        let created = pod.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0.as_second());
        let age = now.saturating_sub(created);
        if age > METRICS_CREATION_DELAY {
            let (namespace, name, age) = (pod.namespace(), pod.name(), go_duration(age));
            return message(format!("Metrics not available for pod {namespace}/{name}, age: {age}"));
        }
    }
    if pods.is_empty() { Ok(()) } else { message("metrics not available yet") }
}

/// Seconds as Go prints a duration: `2m5s`, `1h0m0s`.
fn go_duration(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

fn selector(parsed: &Parsed) -> Result<String> {
    let labels = parsed.str("selector");
    if let Err(error) = Selector::parse(labels) {
        return message(error.to_string());
    }
    Ok(labels.to_owned())
}

/// `kubectl top node`.
pub(crate) fn node(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if parsed.args.len() > 1 {
        return usage(&parsed.path, "node [NAME | -l label]");
    }
    let name = check(parsed, "only one of NAME or --selector can be provided")?;
    let labels = selector(parsed)?;
    cx.discover(1)?;
    let mut metrics = ask(cx, &kinds::NODE, "", name, &labels)?;
    if metrics.is_empty() {
        return message("metrics not available yet");
    }
    let nodes = match name {
        "" => cx.select(&kinds::NODE, "", &labels)?,
        name => vec![cx.get(&kinds::NODE, "", name)?],
    };
    let sort = parsed.str("sort-by");
    metrics.sort_by(|left, right| {
        by_usage(sort, &left.usage, &right.usage).unwrap_or_else(|| left.name.cmp(&right.name))
    });
    let swap = parsed.bool("show-swap");
    let of = if parsed.bool("show-capacity") { "/status/capacity" } else { "/status/allocatable" };
    let mut table = TabWriter::table();
    if !parsed.bool("no-headers") {
        let mut columns = vec!["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"];
        columns.extend(swap.then_some(["SWAP(bytes)", "SWAP(%)"]).into_iter().flatten());
        line(&mut table, &columns);
    }
    let unknown = |table: &mut TabWriter, row: &mut Vec<String>, count: usize| {
        row.resize(row.len() + count, "<unknown>".to_owned());
        line(table, &row.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let name_of = |node: &Value| text(node, "/metadata/name").to_owned();
    for metric in &metrics {
        let node = nodes.iter().find(|node| name_of(node) == metric.name);
        let available = amounts(node.and_then(|node| node.pointer(of)));
        let mut row = vec![metric.name.clone()];
        for ((used, cell), available) in metric.usage.iter().zip(cells(&metric.usage)).zip(&available) {
            row.push(cell);
            row.push(format!("{}%", percent(used.milli_value(), available.milli_value())));
        }
        unknown(&mut table, &mut row, if swap { 2 } else { 0 });
    }
    for node in nodes.iter().map(name_of).filter(|name| metrics.iter().all(|metric| metric.name != *name)) {
        unknown(&mut table, &mut vec![node], if swap { 6 } else { 4 });
    }
    let shown = table.flush();
    cx.out(&shown);
    done()
}

/// A part of a whole in hundredths, cut off.
fn percent(part: i64, whole: i64) -> i64 {
    let share = i128::from(part) * 100;
    i64::try_from(share.checked_div(i128::from(whole)).unwrap_or(0)).unwrap_or(i64::MAX)
}
