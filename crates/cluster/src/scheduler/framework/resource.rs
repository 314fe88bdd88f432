//! Amounts of resources as the scheduler counts them.

use podlab_api::resources::ResourceList;

/// Amounts of resources.
///
/// Source: pkg/scheduler/framework/types.go `Resource` (v1.37).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// CPU in thousandths.
    pub milli_cpu: i64,
    /// Memory in bytes.
    pub memory: i64,
    /// Ephemeral storage in bytes.
    pub ephemeral_storage: i64,
    /// How many pods; only for what a node has.
    pub allowed_pod_number: i64,
    /// Extended resources, huge pages and the like: (name, amount), ordered by name.
    pub scalar: Vec<(String, i64)>,
}

impl Resource {
    /// Reads a resource list; what is no resource of a node is left out.
    pub fn from_list(list: &ResourceList) -> Resource {
        let mut resource = Resource::default();
        for (name, quantity) in list {
            match name.as_str() {
                "cpu" => resource.milli_cpu = quantity.milli_value(),
                "memory" => resource.memory = quantity.value(),
                "pods" => resource.allowed_pod_number = quantity.value(),
                "ephemeral-storage" => resource.ephemeral_storage = quantity.value(),
                _ if is_scalar_resource_name(name) => resource.scalar.push((name.clone(), quantity.value())),
                _ => {}
            }
        }
        resource
    }

    /// The amount of a scalar resource, 0 where there is none.
    pub fn scalar(&self, name: &str) -> i64 {
        match self.scalar.binary_search_by(|(n, _)| n.as_str().cmp(name)) {
            Ok(index) => self.scalar[index].1,
            Err(_) => 0,
        }
    }

    /// Whether nothing but pods is asked for.
    pub fn is_empty(&self) -> bool {
        self.milli_cpu == 0 && self.memory == 0 && self.ephemeral_storage == 0 && self.scalar.is_empty()
    }

    /// Adds another's amounts `sign` times.
    pub fn add(&mut self, other: &Resource, sign: i64) {
        self.milli_cpu = self.milli_cpu.saturating_add(sign.saturating_mul(other.milli_cpu));
        self.memory = self.memory.saturating_add(sign.saturating_mul(other.memory));
        self.ephemeral_storage =
            self.ephemeral_storage.saturating_add(sign.saturating_mul(other.ephemeral_storage));
        for (name, amount) in &other.scalar {
            let amount = sign.saturating_mul(*amount);
            match self.scalar.binary_search_by(|(n, _)| n.cmp(name)) {
                Ok(index) => self.scalar[index].1 = self.scalar[index].1.saturating_add(amount),
                Err(index) => self.scalar.insert(index, (name.clone(), amount)),
            }
        }
    }
}

/// Whether a name is an extended resource, huge pages, a prefixed native resource or attachable volumes.
///
/// Source: pkg/scheduler/util/utils.go `IsScalarResourceName` (v1.37).
pub fn is_scalar_resource_name(name: &str) -> bool {
    name.starts_with("hugepages-") || name.starts_with("attachable-volumes-") || name.contains('/')
}
