//! The labels of a pod as the stage keeps them: thousands of pods share a few texts, and every key in the selector's
//! field asks all of them.

use podlab_api::Object;
use podlab_api::selector::Labels;
use std::collections::HashSet;
use std::rc::Rc;

/// Labels, sorted by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PodLabels(Box<[(Rc<str>, Rc<str>)]>);

impl PodLabels {
    /// Those of an object.
    pub(crate) fn of(object: &Object, texts: &mut Texts) -> PodLabels {
        let labels = object.metadata.labels.iter().flatten();
        PodLabels(labels.map(|(key, value)| (texts.shared(key), texts.shared(value))).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Keys with values, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
}

impl Labels for PodLabels {
    fn lookup(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| **own == *key).map(|(_, value)| &**value)
    }
}

/// The texts that labels share.
#[derive(Default)]
pub(crate) struct Texts {
    known: HashSet<Rc<str>>,
    /// How many there are when those that nobody holds any more are let go.
    full_at: usize,
}

impl Texts {
    fn shared(&mut self, text: &str) -> Rc<str> {
        const FULL_FROM: usize = 4096;
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        if self.known.len() >= self.full_at.max(FULL_FROM) {
            self.known.retain(|text| Rc::strong_count(text) > 1);
            self.full_at = self.known.len() * 2;
        }
        let new: Rc<str> = text.into();
        self.known.insert(new.clone());
        new
    }
}

#[cfg(test)]
mod tests {
    use super::{PodLabels, Texts};
    use podlab_api::Object;
    use podlab_api::selector::{Labels, Selector};
    use serde_json::json;
    use std::rc::Rc;

    fn labels(texts: &mut Texts, labels: serde_json::Value) -> PodLabels {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": labels}});
        PodLabels::of(&Object::from_value(pod).unwrap(), texts)
    }

    #[test]
    fn labels_are_found_in_order_and_shared() {
        let mut texts = Texts::default();
        let a = labels(&mut texts, json!({"tier": "front", "app": "web"}));
        let b = labels(&mut texts, json!({"app": "web"}));
        assert_eq!(a.iter().collect::<Vec<_>>(), [("app", "web"), ("tier", "front")]);
        assert_eq!((a.lookup("tier"), b.lookup("tier")), (Some("front"), None));
        assert!(Rc::ptr_eq(&a.0[0].1, &b.0[0].1));
        let selector = Selector::parse("app in (web),!tier").unwrap();
        assert_eq!([selector.matches(&a), selector.matches(&b)], [false, true]);
    }

    #[test]
    fn texts_that_nobody_holds_go() {
        let mut texts = Texts::default();
        let kept = labels(&mut texts, json!({"app": "web"}));
        for n in 0..10_000 {
            labels(&mut texts, json!({"n": n.to_string()}));
        }
        assert!(texts.known.len() <= 4096);
        assert_eq!(labels(&mut texts, json!({"app": "web"})), kept);
    }
}
