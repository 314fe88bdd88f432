//! Get, list, watch.

use super::ApiServer;
use podlab_api::door::{
    Accept, ChangeType, List, Request, RequestOptions, ResponseBody, WatchCursor, WatchEvent,
};
use podlab_api::selector::supported_fields::parse_field_selector_of;
use podlab_api::selector::{FieldSelector, Selector};
use podlab_api::{Kind, Object, Response, Status, kinds, versions};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which objects of a kind are meant: selectors that have been understood.
pub(super) struct Filter {
    labels: Option<Selector>,
    fields: Option<FieldSelector>,
}

impl Filter {
    /// # Errors
    /// 400 with the text of the selector that cannot be read or asks for a field the kind does not have.
    pub(super) fn new(kind: &Kind, labels: Option<&str>, fields: Option<&str>) -> Result<Filter, Status> {
        let labels = match labels.filter(|text| !text.is_empty()) {
            Some(text) => Some(Selector::parse(text).map_err(|e| Status::bad_request(e.to_string()))?),
            None => None,
        };
        let fields = match fields.filter(|text| !text.is_empty()) {
            Some(text) => Some(parse_field_selector_of(kind, text).map_err(Status::bad_request)?),
            None => None,
        };
        Ok(Filter { labels, fields })
    }

    pub(super) fn matches(&self, object: &Object) -> bool {
        let none = BTreeMap::new();
        self.labels.as_ref().is_none_or(|s| s.matches(object.metadata.labels.as_ref().unwrap_or(&none)))
            && self.fields.as_ref().is_none_or(|s| s.matches(object))
    }
}

impl ApiServer {
    pub(super) fn get(
        &self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        options: &RequestOptions,
    ) -> Result<Response, Status> {
        let Some(object) = self.store.get(kind, namespace, name) else {
            return Err(Status::not_found(kind, name));
        };
        if options.accept == Accept::Table {
            return Ok(self.table(kind, std::slice::from_ref(object), podlab_api::printers::table));
        }
        if kind.is_custom() {
            return Ok(Response::object(super::definitions::in_version(kind, object)));
        }
        Ok(Response::object(self.seen(object)))
    }

    /// The objects a list request means, ordered by namespace, then name.
    pub(super) fn select(
        &self,
        kind: &'static Kind,
        namespace: &str,
        options: &RequestOptions,
    ) -> Result<Vec<Arc<Object>>, Status> {
        let filter = Filter::new(kind, options.label_selector.as_deref(), options.field_selector.as_deref())?;
        let matching = |object: &&Arc<Object>| filter.matches(object);
        Ok(if namespace.is_empty() {
            self.store.list(kind).filter(matching).cloned().collect()
        } else {
            self.store.list_namespace(kind, namespace).filter(matching).cloned().collect()
        })
    }

    pub(super) fn list(
        &self,
        kind: &'static Kind,
        namespace: &str,
        options: &RequestOptions,
    ) -> Result<Response, Status> {
        let mut items = self.select(kind, namespace, options)?;
        if *kind == kinds::LEASE {
            items = items.iter().map(|lease| self.seen(lease)).collect();
        }
        if kind.is_custom() {
            items = items.iter().map(|object| super::definitions::in_version(kind, object)).collect();
        }
        // A continue token is the key of the last object given; podlab's own form, opaque to clients.
        if let Some(token) = &options.continue_token {
            let after = token.split_once('/').unwrap_or(("", token));
            items.retain(|o| (o.namespace(), o.name()) > after);
        }
        let mut continue_token = None;
        let mut remaining = None;
        if let Some(limit) = options.limit.filter(|l| *l > 0)
            && items.len() > limit
        {
            remaining = i64::try_from(items.len() - limit).ok();
            items.truncate(limit);
            continue_token = items.last().map(|o| format!("{}/{}", o.namespace(), o.name()));
        }
        if options.accept == Accept::Table {
            let mut response = self.table(kind, &items, podlab_api::printers::list_table);
            if let ResponseBody::Table(table) = &mut response.body {
                table.continue_token = continue_token;
                table.remaining = remaining;
            }
            return Ok(response);
        }
        let list =
            List { kind, items, resource_version: self.store.resource_version(), continue_token, remaining };
        Ok(Response { code: 200, body: ResponseBody::List(list), warnings: Vec::new() })
    }

    pub(super) fn table(
        &self,
        kind: &'static Kind,
        items: &[Arc<Object>],
        print: fn(&Kind, &[Arc<Object>], podlab_api::door::Timestamp) -> podlab_api::Table,
    ) -> Response {
        let now = podlab_api::time::time(self.now.as_secs()).0;
        let mut table = print(kind, items, now);
        table.resource_version = self.store.resource_version();
        Response { code: 200, body: ResponseBody::Table(table), warnings: Vec::new() }
    }

    pub(super) fn start_watch(&self, kind: &'static Kind, request: &Request) -> Result<Response, Status> {
        let options = &request.options;
        let filter = Filter::new(kind, options.label_selector.as_deref(), options.field_selector.as_deref())?;
        let namespace = request.namespace.clone();
        let from = match options.resource_version.as_deref() {
            None | Some("" | "0") => None,
            Some(text) => Some(text.parse::<u64>().map_err(|_| {
                Status::bad_request(format!(
                    "resourceVersion: Invalid value: {text:?}: must be an unsigned integer"
                ))
            })?),
        };
        // Without a version to begin at, the objects that exist come first.
        let initial = match from {
            Some(_) => Vec::new(),
            None => self
                .store
                .list(kind)
                .filter(|o| namespace.as_deref().is_none_or(|ns| ns == o.namespace()))
                .filter(|o| request.name.as_deref().is_none_or(|n| n == o.name()))
                .filter(|o| filter.matches(o))
                .map(|object| super::definitions::in_version(kind, object))
                .collect(),
        };
        let cursor = WatchCursor {
            kind,
            namespace,
            name: request.name.clone(),
            label_selector: options.label_selector.clone(),
            field_selector: options.field_selector.clone(),
            resource_version: from.unwrap_or(self.store.resource_version()),
            initial,
            accept: options.accept,
        };
        Ok(Response { code: 200, body: ResponseBody::Watch(cursor), warnings: Vec::new() })
    }

    /// The changes a cursor has not seen; moves it on.
    ///
    /// # Errors
    /// 410 where the history no longer reaches back to the cursor.
    pub fn watch(&self, cursor: &mut WatchCursor) -> Result<Vec<WatchEvent>, Status> {
        let version = versions::find(cursor.kind.group, cursor.kind.version, cursor.kind.plural);
        let kind = version.map_or(cursor.kind, |version| version.kind);
        let filter = Filter::new(kind, cursor.label_selector.as_deref(), cursor.field_selector.as_deref())?;
        let Some(changes) = self.store.history().since(cursor.resource_version) else {
            return Err(Status::resource_expired(format!(
                "too old resource version: {} ({})",
                cursor.resource_version,
                self.store.history().oldest()
            )));
        };
        let mut events: Vec<WatchEvent> = std::mem::take(&mut cursor.initial)
            .into_iter()
            .map(|object| WatchEvent { change: ChangeType::Added, object })
            .collect();
        for change in changes {
            cursor.resource_version = change.resource_version;
            let object = &change.object;
            if object.kind != kind
                || cursor.namespace.as_deref().is_some_and(|ns| ns != object.namespace())
                || cursor.name.as_deref().is_some_and(|n| n != object.name())
            {
                continue;
            }
            let was = change.before.as_ref().is_some_and(|before| filter.matches(before));
            let is = change.change != ChangeType::Deleted && filter.matches(object);
            let change = match (was, is) {
                (false, true) => ChangeType::Added,
                (true, true) => ChangeType::Modified,
                (true, false) => ChangeType::Deleted,
                (false, false) => continue,
            };
            let object = match version {
                Some(version) => super::versions::shown(version, object),
                None => super::definitions::in_version(cursor.kind, object),
            };
            events.push(WatchEvent { change, object });
        }
        cursor.resource_version = self.store.resource_version();
        Ok(events)
    }
}
