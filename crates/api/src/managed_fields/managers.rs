//! Who owns what: the entries of `metadata.managedFields`.
//!
//! Source: k8s.io/apimachinery/pkg/util/managedfields/internal/managedfields.go, capmanagers.go (v1.37).

use super::path::PathElement;
use super::set::Set;
use crate::time::time;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The version in which a scale is written.
const SCALE_VERSION: &str = "autoscaling/v1";

/// How many managers an object's updates are told apart by.
const MAX_UPDATE_MANAGERS: usize = 10;

/// Under whom the oldest updates are put together.
const ANCIENT_CHANGES: &str = "ancient-changes";

/// How a manager came to own its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Every other write.
    Update,
}

/// What tells one manager from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manager {
    /// `kubectl-client-side-apply`.
    pub name: String,
    /// How it writes.
    pub operation: Operation,
    /// The version in which it wrote; empty for [`Operation::Apply`], where it tells nobody apart.
    pub api_version: String,
    /// `status`, `scale`; empty for the object itself.
    pub subresource: String,
}

impl Manager {
    /// A writer by its name; an empty name is `unknown`.
    pub fn new(name: &str, operation: Operation, api_version: &str, subresource: &str) -> Manager {
        Manager {
            name: if name.is_empty() { "unknown" } else { name }.to_owned(),
            operation,
            api_version: if operation == Operation::Apply { String::new() } else { api_version.to_owned() },
            subresource: subresource.to_owned(),
        }
    }

    /// As conflicts name it: `"kubectl-edit" using apps/v1`.
    pub fn text(&self) -> String {
        let mut text = crate::go_text::quote(&self.name);
        if !self.subresource.is_empty() {
            text = format!("{text} with subresource {}", crate::go_text::quote(&self.subresource));
        }
        match self.operation {
            Operation::Apply => text,
            Operation::Update => format!("{text} using {}", self.api_version),
        }
    }
}

/// What a manager owns.
#[derive(Clone, Debug, PartialEq)]
pub struct Owned {
    /// The fields.
    pub set: Set,
    /// In which version their paths are.
    pub api_version: String,
    /// When it last changed something, in seconds since the Unix epoch; `None` where it never did.
    pub time: Option<i64>,
}

/// Manager → what it owns. No set in it is empty once a write is through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Managers(pub BTreeMap<Manager, Owned>);

impl Managers {
    /// Whether nobody owns anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the same managers own the same, whenever they wrote.
    pub fn same_but_for_times(&self, other: &Managers) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|((a, x), (b, y))| a == b && x.api_version == y.api_version && x.set == y.set)
    }

    /// The same once they have been written as entries and read again: of two entries of one manager, as a scale leaves
    /// them, the later one counts.
    pub fn read_back(self) -> Managers {
        let renamed = |(manager, owned): (&Manager, &Owned)| {
            manager.operation == Operation::Update && manager.api_version != owned.api_version
        };
        match self.0.iter().any(renamed) {
            true => Managers::decode(&self.encode()).unwrap_or_default(),
            false => self,
        }
    }

    /// The managers of an object's scale, for an object in `api_version` that has its replicas at `path`.
    ///
    /// Source: k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go `ToSubresource` (v1.37).
    pub fn to_scale(&self, api_version: &str, path: &[PathElement]) -> Managers {
        let mut managers = Managers::default();
        let owners =
            self.0.iter().filter(|(_, owned)| owned.api_version == api_version && owned.set.has(path));
        for (manager, owned) in owners {
            let Manager { name, operation, subresource, .. } = manager;
            let mut manager = Manager::new("", *operation, SCALE_VERSION, subresource);
            manager.name.clone_from(name);
            let set = Set::of_fields(&["spec", "replicas"]);
            managers
                .0
                .insert(manager, Owned { set, api_version: SCALE_VERSION.to_owned(), time: owned.time });
        }
        managers
    }

    /// The managers of an object whose scale has come to have `scale`'s. Who updated the scale is known there by the
    /// scale's version and so is never found again: it gets an entry of its own, without a time.
    ///
    /// Source: k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go `ToParent` (v1.37).
    pub fn with_scale(&self, mut scale: Managers, api_version: &str, path: &[PathElement]) -> Managers {
        let mut replicas = Set::default();
        replicas.insert(path);
        let mut managers = Managers::default();
        for (manager, owned) in self.0.iter().filter(|(_, owned)| owned.api_version == api_version) {
            let mut owned = owned.clone();
            if owned.set.has(path) && scale.0.remove(manager).is_none() {
                owned.set = owned.set.difference(&replicas);
            }
            if !owned.set.is_empty() {
                managers.0.insert(manager.clone(), owned);
            }
        }
        let scaled = Set::of_fields(&["spec", "replicas"]);
        for (manager, owned) in scale.0 {
            if owned.set.intersection(&scaled).is_empty() {
                continue;
            }
            let time = self.0.get(&manager).and_then(|owned| owned.time);
            let owned = Owned { set: replicas.clone(), api_version: api_version.to_owned(), time };
            managers.0.insert(manager, owned);
        }
        managers
    }

    /// The set of all that is owned.
    pub fn all(&self) -> Set {
        self.0.values().fold(Set::default(), |all, owned| all.union(&owned.set))
    }

    /// Gives fields to a manager, on top of what it has.
    pub fn give(&mut self, manager: Manager, api_version: &str, set: Set, time: Option<i64>) {
        if set.is_empty() {
            return;
        }
        match self.0.get_mut(&manager) {
            Some(owned) => {
                owned.set = owned.set.union(&set);
                owned.api_version = api_version.to_owned();
                owned.time = time;
            }
            None => {
                self.0.insert(manager, Owned { set, api_version: api_version.to_owned(), time });
            }
        }
    }

    /// Takes fields away from everybody.
    pub fn take(&mut self, set: &Set) {
        for owned in self.0.values_mut() {
            owned.set = owned.set.difference(set);
        }
        self.0.retain(|_, owned| !owned.set.is_empty());
    }

    /// Puts the oldest updates together where there are too many managers.
    pub(super) fn cap(&mut self) {
        let mut updaters: Vec<(i64, Manager)> = self
            .0
            .iter()
            .filter(|(manager, _)| manager.operation == Operation::Update)
            .map(|(manager, owned)| (owned.time.unwrap_or(0), manager.clone()))
            .collect();
        let mut length = updaters.len();
        updaters.sort();
        let mut first_of: BTreeMap<String, Manager> = BTreeMap::new();
        for (_, manager) in updaters {
            if length <= MAX_UPDATE_MANAGERS {
                return;
            }
            let Some(owned) = self.0.get(&manager).cloned() else { continue };
            let Some(first) = first_of.get(&owned.api_version).cloned() else {
                first_of.insert(owned.api_version, manager);
                continue;
            };
            let bucket = Manager::new(ANCIENT_CHANGES, Operation::Update, &owned.api_version, "");
            if !self.0.contains_key(&bucket)
                && let Some(owned) = self.0.remove(&first)
            {
                self.0.insert(bucket.clone(), owned);
            }
            self.0.remove(&manager);
            if let Some(all) = self.0.get_mut(&bucket) {
                all.set = all.set.union(&owned.set);
                all.time = owned.time;
            }
            length -= 1;
        }
    }

    /// The entries of `metadata.managedFields`, in order.
    pub fn encode(&self) -> Vec<Value> {
        let mut all: Vec<(&Manager, &Owned)> = self.0.iter().collect();
        all.sort_by_key(|(manager, owned)| {
            let Manager { name, operation, subresource, .. } = manager;
            (*operation, owned.time.unwrap_or(0), name, &owned.api_version, subresource)
        });
        all.into_iter().map(|(manager, owned)| entry(manager, owned)).collect()
    }

    /// Reads the entries of `metadata.managedFields`.
    ///
    /// # Errors
    /// An entry is none.
    pub fn decode(entries: &[Value]) -> Result<Managers, String> {
        let mut managers = Managers::default();
        for (at, entry) in entries.iter().enumerate() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("");
            let operation = match text("operation") {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return Err("operation must be `Apply` or `Update`".to_owned()),
            };
            let api_version = text("apiVersion");
            if api_version.is_empty() {
                return Err("apiVersion must not be empty".to_owned());
            }
            match text("fieldsType") {
                "FieldsV1" => {}
                "" => return Err(format!("missing fieldsType in managed fields entry {at}")),
                other => return Err(format!("invalid fieldsType {other:?} in managed fields entry {at}")),
            }
            let set = entry.get("fieldsV1").map_or_else(|| Ok(Set::default()), Set::decode)?;
            let time = entry.get("time").cloned();
            let time: Option<crate::Time> = time.and_then(|time| serde_json::from_value(time).ok());
            let mut manager = Manager::new("", operation, api_version, text("subresource"));
            manager.name = text("manager").to_owned();
            let time = time.as_ref().map(crate::time::unix_seconds);
            managers.0.insert(manager, Owned { set, api_version: api_version.to_owned(), time });
        }
        Ok(managers)
    }
}

fn entry(manager: &Manager, owned: &Owned) -> Value {
    let mut map = Map::new();
    if !manager.name.is_empty() {
        map.insert("manager".to_owned(), manager.name.as_str().into());
    }
    let operation = match manager.operation {
        Operation::Apply => "Apply",
        Operation::Update => "Update",
    };
    map.insert("operation".to_owned(), operation.into());
    map.insert("apiVersion".to_owned(), owned.api_version.as_str().into());
    if let Some(seconds) = owned.time {
        map.insert("time".to_owned(), json!(time(seconds)));
    }
    map.insert("fieldsType".to_owned(), "FieldsV1".into());
    map.insert("fieldsV1".to_owned(), owned.set.encode());
    if !manager.subresource.is_empty() {
        map.insert("subresource".to_owned(), manager.subresource.as_str().into());
    }
    Value::Object(map)
}
