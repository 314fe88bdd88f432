//! `kubectl explain`: what a kind's fields are and what they are for.
//!
//! kubectl renders the server's OpenAPI v3 document through a template; the same is told here from the schema and the
//! descriptions. Of that document's habits these show: a field of a struct type is a reference, so that its own
//! description is followed by the type's; an enumeration's values stand below a field's description.
//!
//! Source: k8s.io/kubectl/pkg/cmd/explain/explain.go, pkg/explain/v2/templates/plaintext.tmpl,
//! k8s.io/kube-openapi/pkg/generators/enum.go (v1.37).

mod custom;
mod wrap;

use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::resource;
use podlab_api::descriptions::{self, Descriptions};
use podlab_api::schema::{Field, GoType, Schema, Special, TypeId};
use podlab_api::{Kind, kinds};
use std::fmt::Write;
use wrap::{indent, wrap};

/// As deep as a tree of fields is printed where cycles do not end it earlier.
const DEEPEST: usize = 64;

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let resources = "Use \"kubectl api-resources\" for a complete list of supported resources.";
    let depth = parsed.int("max-depth");
    let word = match parsed.args.as_slice() {
        [] => {
            return message(format!("You must specify the type of resource to explain. {resources}\n"));
        }
        [word] => word,
        _ => return message("We accept only this format: explain RESOURCE\n"),
    };
    if depth > 0 && !parsed.bool("recursive") {
        return message("--max-depth requires --recursive");
    }
    let Ok(depth) = usize::try_from(depth) else { return message("--max-depth must be non-negative") };
    cx.discover(4)?;
    let (kind, path) = target(cx, word)?;
    resource::warn_of_others(cx, kind, word.split('.').next().unwrap_or_default());
    match parsed.str("output") {
        "plaintext" => {}
        "plaintext-openapiv2" => return message("podlab does not simulate '--output=plaintext-openapiv2'"),
        other => return message(format!("unrecognized format: {other}")),
    }
    let asked = parsed.str("api-version");
    let served = kind.api_version();
    let api_version = if asked.is_empty() { served.as_ref() } else { asked };
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let unknown =
        || message(format!("couldn't find resource for \"{group}/{version}, Resource={}\"", kind.plural));
    let definition = match (kind.is_custom(), asked) {
        (true, "") => kind.definition(),
        (true, asked) => {
            let defined = cx.defined();
            let other = defined.iter().find(|one| **one == kind && one.api_version() == asked);
            let Some(other) = other else { return unknown() };
            other.definition()
        }
        (false, _) => None,
    };
    // Of a kind that somebody has defined, apiVersion, kind and metadata are those of every kind.
    let root = match definition {
        Some(_) => Schema::get().kind("v1", "ConfigMap"),
        None => Schema::get().kind(api_version, kind.kind),
    };
    let Some(root) = root else { return unknown() };
    let Some(descriptions) = descriptions::get() else {
        return message("the descriptions of fields are still being loaded; try again in a moment");
    };
    let mut head = String::new();
    if !group.is_empty() {
        let _ = writeln!(head, "GROUP:      {group}");
    }
    let _ = writeln!(head, "KIND:       {}\nVERSION:    {version}\n", kind.kind);
    let page = Page { schema: Schema::get(), descriptions, depth: parsed.bool("recursive").then_some(depth) };
    let body = match definition {
        Some(definition) => custom::Page { native: &page, root, schema: definition.schema() }.at(&path),
        None => page.at(root, &path),
    };
    let Some(body) = body else {
        cx.out(&head);
        return message(format!("field {:?} does not exist", path.last().copied().unwrap_or("")));
    };
    cx.out(&head);
    cx.outln(&body);
    done()
}

/// The kind and the fields that a word like `deployments.apps.spec.replicas` names.
fn target<'w>(cx: &mut Cx<'_>, word: &'w str) -> Result<(&'static Kind, Vec<&'w str>)> {
    let trimmed = word.strip_suffix('.').unwrap_or(word);
    let (name, _) = trimmed.split_once('.').unwrap_or((trimmed, ""));
    if name.is_empty() {
        return message("invalid jsonpath syntax, first node must be field node");
    }
    let all: Vec<&'static Kind> = kinds::ALL.iter().copied().chain(cx.defined()).collect();
    let Some(first) = resource::lookup(name).or_else(|| resource::lookup_in(&all, name)) else {
        return Err(Error::Plain(format!("the server doesn't have a resource type {name:?}")));
    };
    // The group may be given where the plural is.
    let kind = all.into_iter().filter(|k| k.plural == name).find(|k| {
        let full = k.group_resource();
        trimmed.strip_prefix(full.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    let (kind, rest) = match kind {
        Some(kind) => (kind, trimmed.get(kind.group_resource().len()..).unwrap_or_default()),
        None => (first, trimmed.get(name.len()..).unwrap_or_default()),
    };
    let path: Vec<&str> = rest.split('.').skip(1).collect();
    if path.iter().any(|part| part.is_empty() || part.contains(['[', ']', '{', '}', '(', ')', '@', '*'])) {
        return message("invalid jsonpath syntax, first node must be field node");
    }
    Ok((kind, path))
}

/// What a field's schema is in the OpenAPI document.
enum Shape<'a> {
    /// A reference to a struct.
    Struct(TypeId),
    List(&'a GoType),
    Map(&'a GoType),
    /// A type of its own or a plain one: what the type is called, and whose description follows.
    Leaf(&'static str, Option<&'static str>),
}

struct Page<'a> {
    schema: &'static Schema,
    descriptions: &'a Descriptions,
    /// `--recursive`, with how deep at most (0: no bound).
    depth: Option<usize>,
}

impl Page<'_> {
    fn shape<'t>(&'t self, ty: &'t GoType) -> Shape<'t> {
        match self.schema.resolve(ty) {
            GoType::Bool => Shape::Leaf("boolean", None),
            GoType::Int(..) => Shape::Leaf("integer", None),
            GoType::Float => Shape::Leaf("number", None),
            GoType::Str | GoType::Bytes => Shape::Leaf("string", None),
            // In OpenAPI times are strings; what has no type there goes by its name.
            GoType::Special(special @ (Special::Time | Special::MicroTime | Special::Duration)) => {
                Shape::Leaf("string", Some(special.full_name()))
            }
            GoType::Special(special) => {
                let name = special.full_name();
                Shape::Leaf(name.rsplit_once('.').map_or(name, |(_, name)| name), Some(name))
            }
            GoType::Named(id) => Shape::Struct(*id),
            GoType::Pointer(inner) => self.shape(inner),
            GoType::Slice(inner) => Shape::List(inner),
            GoType::Map(_, inner) => Shape::Map(inner),
        }
    }

    /// `[]Container`, `map[string]Quantity`.
    fn type_name(&self, ty: &GoType) -> String {
        match self.shape(ty) {
            Shape::Struct(id) => self.schema.type_name(id).to_owned(),
            Shape::List(inner) => format!("[]{}", self.type_name(inner)),
            Shape::Map(inner) => format!("map[string]{}", self.type_name(inner)),
            Shape::Leaf(name, _) => name.to_owned(),
        }
    }

    /// The values of a field that is an enumeration itself; a list's elements do not count.
    fn values(&self, field: &Field) -> &[&'static str] {
        match &field.ty {
            GoType::Slice(_) => &[],
            ty => self.schema.enum_values(ty),
        }
    }

    /// A field's own description, with the values of its enumeration.
    fn about(&self, owner: TypeId, field: &Field) -> String {
        let mut text =
            self.descriptions.of_member(&self.schema.full_name(owner), field.name).unwrap_or_default();
        let values = self.values(field);
        if values.is_empty() {
            return text;
        }
        let name = enumeration(&field.ty).map(|id| self.schema.full_name(id)).unwrap_or_default();
        text.push_str("\n\nPossible enum values:");
        for value in values {
            let _ = write!(text, "\n - `{}`", serde_json::Value::from(*value));
            if let Some(about) = self.descriptions.of_member(&name, value).filter(|about| !about.is_empty()) {
                let _ = write!(text, " {about}");
            }
        }
        text
    }

    /// What follows a field's own description: that of the type it refers to.
    fn about_type(&self, ty: &GoType) -> String {
        let of =
            |name: &str| self.descriptions.of_type(name).map(|text| format!("{text}\n")).unwrap_or_default();
        match self.shape(ty) {
            Shape::Struct(id) => of(&self.schema.full_name(id)),
            Shape::List(inner) | Shape::Map(inner) => self.about_type(inner),
            Shape::Leaf(_, Some(name)) => of(name),
            Shape::Leaf(_, None) => String::new(),
        }
    }

    /// The page of a kind or of a field; `None` where there is no such field.
    fn at(&self, root: TypeId, path: &[&str]) -> Option<String> {
        let mut owner = root;
        let mut found: Option<&Field> = None;
        for name in path {
            if let Some(field) = found {
                owner = self.schema.inner_struct(&field.ty)?;
            }
            found = Some(self.schema.fields(owner).iter().find(|f| f.name == *name)?);
        }
        let mut out = String::new();
        let (about, fields) = match found {
            None => {
                let about = self.descriptions.of_type(&self.schema.full_name(root)).unwrap_or_default();
                (if about.is_empty() { about } else { about + "\n" }, Some(root))
            }
            Some(field) => {
                let _ = writeln!(out, "FIELD: {} <{}>", field.name, self.type_name(&field.ty));
                let values = self.values(field);
                if !values.is_empty() {
                    out.push_str("ENUM:");
                    for value in values {
                        let _ = write!(out, "\n    {}", if value.is_empty() { "\"\"" } else { value });
                    }
                }
                out.push_str("\n\n");
                let mut about = self.about(owner, field);
                if !about.is_empty() {
                    about.push('\n');
                }
                about.push_str(&self.about_type(&field.ty));
                (about, self.schema.inner_struct(&field.ty))
            }
        };
        let about = if about.is_empty() { "<empty>" } else { &about };
        let _ = writeln!(out, "DESCRIPTION:\n{}", indent(4, &wrap(76, about)));
        if let Some(id) = fields {
            let mut list = String::new();
            self.fields(id, 1, &mut Vec::new(), &mut list);
            if !list.is_empty() {
                out.push_str("FIELDS:\n");
                out.push_str(&list);
            }
        }
        Some(out)
    }

    /// A struct's fields by name; with `--recursive` theirs below them. `above` holds the structs on the way.
    fn fields(&self, id: TypeId, level: usize, above: &mut Vec<TypeId>, out: &mut String) {
        if above.contains(&id) || above.len() > DEEPEST {
            return;
        }
        above.push(id);
        let mut fields: Vec<&Field> = self.schema.fields(id).iter().collect();
        fields.sort_by_key(|f| f.name);
        for field in fields {
            self.member_of(id, field, level, above, out);
        }
        above.pop();
    }

    /// A field of a struct by its name, with `--recursive` those below it.
    fn member(&self, id: TypeId, name: &str, level: usize, out: &mut String) {
        if let Some(field) = self.schema.fields(id).iter().find(|field| field.name == name) {
            self.member_of(id, field, level, &mut Vec::new(), out);
        }
    }

    fn member_of(&self, id: TypeId, field: &Field, level: usize, above: &mut Vec<TypeId>, out: &mut String) {
        self.field(id, field, level, out);
        if self.goes_below(level)
            && let Some(inner) = self.schema.inner_struct(&field.ty)
        {
            self.fields(inner, level + 1, above, out);
        }
    }

    /// Whether the fields below those of a level are listed as well.
    fn goes_below(&self, level: usize) -> bool {
        self.depth.is_some_and(|depth| depth == 0 || level < depth)
    }

    fn field(&self, owner: TypeId, field: &Field, level: usize, out: &mut String) {
        let margin = level * 2;
        let required = if field.required { " -required-" } else { "" };
        let _ = write!(out, "{}\t<{}>{required}", indent(margin, field.name), self.type_name(&field.ty));
        let values = self.values(field);
        if !values.is_empty() {
            let shown: Vec<&str> =
                values.iter().take(4).map(|v| if v.is_empty() { "\"\"" } else { *v }).collect();
            let more = if values.len() > 4 { ", ...." } else { "" };
            let _ = write!(out, "\n{}enum: {}{more}", " ".repeat(margin), shown.join(", "));
        }
        out.push('\n');
        if self.depth.is_none() {
            let about = self.about(owner, field);
            let about = if about.is_empty() { "<no description>" } else { &about };
            let _ = writeln!(out, "{}\n", indent(margin + 2, &wrap(78 - margin, about)));
        }
    }
}

/// The named type of an enumeration, through pointers.
fn enumeration(ty: &GoType) -> Option<TypeId> {
    match ty {
        GoType::Named(id) => Some(*id),
        GoType::Pointer(inner) => enumeration(inner),
        _ => None,
    }
}
