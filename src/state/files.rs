//! The learner's files: what the editor shows and `kubectl apply -f` reads.

use serde::{Deserialize, Serialize};

/// A file in the lab's working directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Its name, unique among the files.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The files, in the order of their tabs.
///
/// Invariant: there is always at least one, and `active` is one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Files {
    files: Vec<File>,
    active: usize,
}

impl Default for Files {
    fn default() -> Files {
        Files { files: vec![File { name: "pod.yaml".to_owned(), text: String::new() }], active: 0 }
    }
}

impl Files {
    /// One file.
    pub fn single(name: &str, text: &str) -> Files {
        Files { files: vec![File { name: name.to_owned(), text: text.to_owned() }], active: 0 }
    }

    /// All files in order.
    pub fn all(&self) -> &[File] {
        &self.files
    }

    /// The index of the one in the editor.
    pub fn active_index(&self) -> usize {
        self.active.min(self.files.len().saturating_sub(1))
    }

    /// The one in the editor.
    pub fn active(&self) -> &File {
        &self.files[self.active_index()]
    }

    /// A file's text.
    pub fn read(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|f| f.name == name).map(|f| f.text.as_str())
    }

    /// Shows another file.
    pub fn select(&mut self, index: usize) {
        if index < self.files.len() {
            self.active = index;
        }
    }

    /// Replaces the text of the file in the editor.
    pub fn edit(&mut self, text: &str) {
        let index = self.active_index();
        if let Some(file) = self.files.get_mut(index) {
            text.clone_into(&mut file.text);
        }
    }

    /// Writes a file, a new one where there is none of the name; the editor stays where it is.
    pub fn write(&mut self, name: &str, text: &str) {
        match self.files.iter_mut().find(|f| f.name == name) {
            Some(file) => text.clone_into(&mut file.text),
            None => self.files.push(File { name: name.to_owned(), text: text.to_owned() }),
        }
    }

    /// The name under which a text can be written without the loss of another: `stem.yaml`, else `stem-2.yaml`, ….
    pub fn name_for(&self, stem: &str, text: &str) -> String {
        let names = std::iter::once(format!("{stem}.yaml")).chain((2..).map(|n| format!("{stem}-{n}.yaml")));
        let usable = |name: &String| self.read(name).is_none_or(|old| old == text || old.trim().is_empty());
        names.into_iter().find(usable).unwrap_or_else(|| format!("{stem}.yaml"))
    }

    /// Adds a file under a free name like `stem.yaml`, `stem-2.yaml`, and shows it.
    pub fn add(&mut self, stem: &str, text: &str) {
        let free = |name: &String| !self.files.iter().any(|f| f.name == *name);
        let names = std::iter::once(format!("{stem}.yaml")).chain((2..).map(|n| format!("{stem}-{n}.yaml")));
        if let Some(name) = names.into_iter().find(free) {
            self.files.push(File { name, text: text.to_owned() });
            self.active = self.files.len() - 1;
        }
    }

    /// Renames a file; `false` where the name is empty or taken.
    pub fn rename(&mut self, index: usize, name: &str) -> bool {
        let name = name.trim();
        let taken = self.files.iter().enumerate().any(|(i, f)| i != index && f.name == name);
        match self.files.get_mut(index) {
            Some(file) if !taken && !name.is_empty() && !name.contains('/') => {
                name.clone_into(&mut file.name);
                true
            }
            _ => false,
        }
    }

    /// Takes a file away; the last one is emptied instead.
    pub fn remove(&mut self, index: usize) {
        if self.files.len() > 1 && index < self.files.len() {
            self.files.remove(index);
            if self.active > index || self.active >= self.files.len() {
                self.active = self.active.saturating_sub(1);
            }
        } else {
            self.edit("");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_file_to_show() {
        let mut files = Files::default();
        files.add("pod", "kind: Pod");
        assert_eq!(files.active().name, "pod-2.yaml");
        files.remove(1);
        files.remove(0);
        assert_eq!(files.active().name, "pod.yaml");
        assert_eq!(files.active().text, "");
    }
}
