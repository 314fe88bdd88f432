//! Flags as pflag reads them, with its texts.
//!
//! Source: github.com/spf13/pflag/flag.go, github.com/spf13/cobra/command.go.

use crate::error::{Error, Result, message};
use crate::tree::{self, Command, Flag};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Says which command line made a revision.
pub(crate) const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// A command line that has been read.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    /// The command, from the root's child on.
    pub command: &'static Command,
    /// `kubectl create deployment`.
    pub path: String,
    /// Arguments that are no flags.
    pub args: Vec<String>,
    /// How many arguments stood before `--`, if it was given.
    pub dash: Option<usize>,
    /// Whether `--help` was asked for.
    pub help: bool,
    /// Flag → values, in order.
    values: BTreeMap<&'static str, Vec<String>>,
    /// What is to be said of flags that will go.
    pub deprecated: Vec<String>,
}

/// Which command a line names, and what is left of the line.
pub(crate) struct Found {
    pub command: &'static Command,
    pub path: String,
    pub rest: Vec<String>,
}

/// Walks down the tree by the words of a line, flags left out.
pub(crate) fn find(argv: &[String]) -> Found {
    let mut command = tree::root();
    let mut path = "kubectl".to_owned();
    let mut rest: Vec<String> = argv.to_vec();
    while let Some(at) = first_word(command, &rest) {
        let Some(next) = rest.get(at).and_then(|word| command.find(word)) else { break };
        rest.remove(at);
        path = format!("{path} {}", next.name());
        command = next;
    }
    Found { command, path, rest }
}

/// Where the first word stands that is neither a flag nor a flag's value.
fn first_word(command: &'static Command, args: &[String]) -> Option<usize> {
    let mut i = 0;
    while let Some(arg) = args.get(i) {
        if arg == "--" {
            return None;
        }
        let takes = |flag: Option<&'static Flag>| flag.is_none_or(|f| f.no_value.is_empty());
        if let Some(name) = arg.strip_prefix("--") {
            i += if !name.contains('=') && takes(lookup(command, name)) { 2 } else { 1 };
        } else if arg.len() > 1 && arg.starts_with('-') {
            let short = arg.get(1..2).unwrap_or("");
            let alone = arg.chars().count() == 2;
            i += if alone && takes(lookup_short(command, short)) { 2 } else { 1 };
        } else if arg.is_empty() {
            i += 1;
        } else {
            return Some(i);
        }
    }
    None
}

fn all_flags(command: &'static Command) -> impl Iterator<Item = &'static Flag> {
    let root = tree::root();
    command.flags.iter().chain(root.global.iter())
}

/// A flag of the command or of all commands; `_` counts as `-`.
pub(crate) fn lookup(command: &'static Command, name: &str) -> Option<&'static Flag> {
    let name = name.replace('_', "-");
    all_flags(command).find(|f| f.name == name)
}

fn lookup_short(command: &'static Command, short: &str) -> Option<&'static Flag> {
    if short.is_empty() {
        return None;
    }
    all_flags(command).find(|f| f.short == short)
}

/// Reads the flags of a command.
///
/// # Errors
/// An unknown flag, a flag without its value, a value of the wrong form.
pub(crate) fn parse(found: Found) -> Result<Parsed> {
    let mut out = Parsed {
        command: found.command,
        path: found.path,
        args: Vec::new(),
        dash: None,
        help: false,
        values: BTreeMap::new(),
        deprecated: Vec::new(),
    };
    let path = out.path.clone();
    parse_into(&mut out, found.rest).map_err(|e| match path.as_str() {
        // What says that there are differences is no code for a mistake.
        "kubectl diff" => {
            Error::Coded(format!("error: {}\nSee '{path} -h' for help and examples", e.text()), 2)
        }
        "kubectl options" => Error::Message(format!("{}\nRun 'kubectl options' without flags.", e.text())),
        _ => Error::Message(format!("{}\nSee '{path} --help' for usage.", e.text())),
    })?;
    Ok(out)
}

fn parse_into(out: &mut Parsed, rest: Vec<String>) -> Result<()> {
    let mut args = rest.into_iter();
    while let Some(arg) = args.next() {
        if arg.len() < 2 || !arg.starts_with('-') {
            out.args.push(arg);
            continue;
        }
        if arg == "--" {
            out.dash = Some(out.args.len());
            out.args.extend(args.by_ref());
            break;
        }
        if let Some(long) = arg.strip_prefix("--") {
            if long.starts_with('-') || long.starts_with('=') {
                return message(format!("bad flag syntax: {arg}"));
            }
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let Some(flag) = lookup(out.command, name) else {
                if name == "help" {
                    out.help = true;
                    continue;
                }
                return message(format!("unknown flag: --{name}"));
            };
            let value = match value {
                Some(value) => value,
                None if !flag.no_value.is_empty() => flag.no_value.clone(),
                None => match args.next() {
                    Some(value) => value,
                    None => return message(format!("flag needs an argument: {arg}")),
                },
            };
            set(out, flag, value)?;
            continue;
        }
        let shorts = arg.get(1..).unwrap_or("").to_owned();
        let mut left = shorts.as_str();
        while let Some(c) = left.chars().next() {
            let after = left.get(c.len_utf8()..).unwrap_or("");
            let Some(flag) = lookup_short(out.command, &c.to_string()) else {
                if c == 'h' {
                    out.help = true;
                    return Ok(());
                }
                return message(format!("unknown shorthand flag: '{c}' in -{left}"));
            };
            if let Some(value) = after.strip_prefix('=').filter(|_| after.len() > 1) {
                set(out, flag, value.to_owned())?;
                break;
            } else if !flag.no_value.is_empty() {
                set(out, flag, flag.no_value.clone())?;
                left = after;
            } else if !after.is_empty() {
                set(out, flag, after.to_owned())?;
                break;
            } else {
                match args.next() {
                    Some(value) => set(out, flag, value)?,
                    None => return message(format!("flag needs an argument: '{c}' in -{left}")),
                }
                break;
            }
        }
    }
    Ok(())
}

fn set(out: &mut Parsed, flag: &'static Flag, value: String) -> Result<()> {
    if let Err(why) = check(&flag.kind, &value) {
        let shown = if flag.short.is_empty() {
            format!("--{}", flag.name)
        } else {
            format!("-{}, --{}", flag.short, flag.name)
        };
        return message(format!("invalid argument {value:?} for {shown:?} flag: {why}"));
    }
    if !flag.deprecated.is_empty() {
        out.deprecated.push(format!("Flag --{} has been deprecated, {}", flag.name, flag.deprecated));
    }
    if flag.name == "help" {
        out.help = value == "true";
    }
    out.values.entry(flag.name.as_str()).or_default().push(value);
    Ok(())
}

fn check(kind: &str, value: &str) -> std::result::Result<(), String> {
    let number = |low: i128, high: i128, name: &str| match value.parse::<i128>() {
        Ok(n) if (low..=high).contains(&n) => Ok(()),
        Ok(_) => Err(format!("strconv.{name}: parsing {value:?}: value out of range")),
        Err(_) => Err(format!("strconv.{name}: parsing {value:?}: invalid syntax")),
    };
    match kind {
        "bool" | "tristate" => match parse_bool(value) {
            Some(_) => Ok(()),
            None => Err(format!("strconv.ParseBool: parsing {value:?}: invalid syntax")),
        },
        "int" | "int64" => number(i64::MIN.into(), i64::MAX.into(), "ParseInt"),
        "int32" => number(i32::MIN.into(), i32::MAX.into(), "ParseInt"),
        "uint16" => number(0, u16::MAX.into(), "ParseUint"),
        "duration" => parse_duration(value).map(|_| ()),
        "stringToString" => match value.split(',').find(|part| !part.contains('=')) {
            Some(part) => Err(format!("{part} must be formatted as key=value")),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// A truth value as Go's strconv reads it.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Nanoseconds of a duration as Go's time reads it.
///
/// # Errors
/// `time: invalid duration "x"` and its kin.
pub(crate) fn parse_duration(text: &str) -> std::result::Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (sign, mut left) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if left == "0" {
        return Ok(0);
    }
    if left.is_empty() {
        return Err(invalid());
    }
    let mut total = 0.0_f64;
    while !left.is_empty() {
        let digits = left.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(left.len());
        let (number, rest) = left.split_at(digits);
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(letters);
        let factor = match unit {
            "" => return Err(format!("time: missing unit in duration {text:?}")),
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 6e10,
            "h" => 3.6e12,
            _ => return Err(format!("time: unknown unit {unit:?} in duration {text:?}")),
        };
        total += number * factor;
        left = rest;
    }
    let total = sign * total;
    if total.abs() >= 9.2e18 {
        return Err(invalid());
    }
    Ok(total as i64)
}

impl Parsed {
    /// Whether the flag was given.
    /// Notes the command line on an object, as `--record` asks (`kubernetes.io/change-cause`).
    ///
    /// Source: k8s.io/cli-runtime/pkg/genericclioptions/record_flags.go (v1.37).
    pub(crate) fn record(&self, object: &mut Value) {
        if !self.bool("record") {
            return;
        }
        let mut cause = self.path.clone();
        for arg in &self.args {
            cause.push(' ');
            cause.push_str(arg);
        }
        for (name, values) in &self.values {
            cause.push_str(&format!(" --{name}={}", values.join(",")));
        }
        let Some(object) = object.as_object_mut() else { return };
        let metadata = object.entry("metadata").or_insert_with(|| Value::Object(Map::default()));
        let Some(metadata) = metadata.as_object_mut() else { return };
        let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::default()));
        if !annotations.is_object() {
            *annotations = Value::Object(Map::default());
        }
        annotations[CHANGE_CAUSE] = cause.into();
    }

    pub(crate) fn changed(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Its last value, or its default.
    pub(crate) fn str(&self, name: &str) -> &str {
        match self.values.get(name).and_then(|v| v.last()) {
            Some(value) => value,
            None => {
                let default = lookup(self.command, name).map_or("", |f| f.default.as_str());
                if default == "[]" { "" } else { default }
            }
        }
    }

    pub(crate) fn bool(&self, name: &str) -> bool {
        parse_bool(self.str(name)).unwrap_or(false)
    }

    pub(crate) fn int(&self, name: &str) -> i64 {
        self.str(name).parse().unwrap_or(0)
    }

    /// Nanoseconds.
    pub(crate) fn duration(&self, name: &str) -> i64 {
        parse_duration(self.str(name)).unwrap_or(0)
    }

    /// Every value, one an occurrence; of a `stringSlice`, split at commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let split = lookup(self.command, name).is_some_and(|f| f.kind == "stringSlice");
        let given = self.values.get(name).cloned().unwrap_or_default();
        if split { given.iter().flat_map(|v| csv(v)).collect() } else { given }
    }

    /// The arguments after `--`.
    pub(crate) fn after_dash(&self) -> &[String] {
        self.dash.and_then(|at| self.args.get(at..)).unwrap_or(&[])
    }

    /// The arguments before `--`, or all of them.
    pub(crate) fn before_dash(&self) -> &[String] {
        self.args.get(..self.dash.unwrap_or(self.args.len())).unwrap_or(&[])
    }

    /// # Errors
    /// A flag that the command needs was not given.
    pub(crate) fn check_required(&self) -> Result<()> {
        let missing: Vec<String> = self
            .command
            .flags
            .iter()
            .filter(|f| f.required && !self.changed(&f.name))
            .map(|f| format!("{:?}", f.name))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            message(format!("required flag(s) {} not set", missing.join(", ")))
        }
    }
}

/// Splits at commas as Go's csv reader does: a field may stand in quotes.
fn csv(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    if text.is_empty() {
        return out;
    }
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => out.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    out.push(field);
    out
}
