//! Movement on the stage: a card travels from the queue to its node, siblings close up, a deleted card fades, a probe
//! sends out one ring. Only transform and opacity move.

use super::model::{Model, Same};
use js_sys::{Array, Object, Reflect};
use std::collections::HashMap;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// What one frame may set going; the rest jumps.
const TRAVELLERS: usize = 24;
const PULSES: usize = 12;
/// More cards than this are not measured, for that makes the browser lay out the page: nothing travels.
const MEASURED: usize = 100;
const EASE: &str = "cubic-bezier(0.2, 0.7, 0.2, 1)";

/// What the stage shows, for [`use_motion`].
#[derive(Clone, PartialEq)]
pub(crate) struct Motion {
    pub(crate) model: Same<Model>,
    /// Nothing travels.
    pub(crate) calm: bool,
    /// Whether pods are elements at all.
    pub(crate) drawn: bool,
}

/// Left, top, width, height.
type Rect = (f64, f64, f64, f64);

struct Place {
    element: Element,
    node: String,
    state: crate::components::PodState,
    /// Within the ground, in pixels; `None` where there are too many to be measured.
    at: Option<Rect>,
}

#[derive(Default)]
struct Before {
    places: HashMap<String, Place>,
    /// `uid@node` of all pods in order: while it is the same nothing has moved.
    signature: String,
    probes: Vec<(String, podlab_sim::SimTime)>,
}

/// Moves what has changed since the stage was drawn last.
#[hook]
pub(crate) fn use_motion(ground: &NodeRef, motion: Motion) {
    let before = use_mut_ref(Before::default);
    let ground = ground.clone();
    use_effect_with(motion, move |motion| {
        if let Some(ground) = ground.cast::<HtmlElement>() {
            let mut before = before.borrow_mut();
            if motion.drawn {
                draw(&ground, motion, &mut before);
            } else {
                *before = Before::default();
            }
        }
    });
}

fn draw(ground: &HtmlElement, motion: &Motion, before: &mut Before) {
    let model = &motion.model;
    let pods: HashMap<&str, _> = model
        .queue
        .iter()
        .chain(model.columns.iter().flat_map(|c| &c.pods))
        .map(|p| (p.uid.as_str(), p))
        .collect();
    let mut signature = String::new();
    for pod in model.queue.iter().chain(model.columns.iter().flat_map(|c| &c.pods)) {
        signature.push_str(&pod.uid);
        signature.push('@');
        signature.push_str(&pod.node);
    }
    let hidden = gloo::utils::document().hidden();
    let still = motion.calm || hidden || crate::dom::is_still();
    if signature != before.signature {
        let first = before.signature.is_empty();
        let measures = pods.len() <= MEASURED;
        let (x, y) = if measures { origin(ground) } else { (0.0, 0.0) };
        let mut places = HashMap::new();
        let mut moving = 0;
        for element in crate::dom::all(ground, ".pod") {
            let Some(pod) = element.get_attribute("data-uid").and_then(|uid| pods.get(uid.as_str()).copied())
            else {
                continue;
            };
            let at = measures.then(|| {
                let rect = element.get_bounding_client_rect();
                (rect.left() - x, rect.top() - y, rect.width(), rect.height())
            });
            if let Some(at) = at
                && !still
                && !first
                && moving < TRAVELLERS
            {
                match before.places.get(&pod.uid).map(|old| (old, old.at)) {
                    Some((old, Some(was))) if (was.0 - at.0).abs() + (was.1 - at.1).abs() > 2.0 => {
                        moving += 1;
                        let travels = old.node != pod.node;
                        travel(&element, (was.0 - at.0, was.1 - at.1), if travels { 420.0 } else { 160.0 });
                        if travels && let Some(slot) = element.parent_element() {
                            arrive(&slot);
                        }
                    }
                    Some(_) => {}
                    None => {
                        moving += 1;
                        enter(&element);
                    }
                }
            }
            places.insert(pod.uid.clone(), Place { element, node: pod.node.clone(), state: pod.state, at });
        }
        if !still && !first {
            let gone = before.places.iter().filter(|(uid, _)| !pods.contains_key(uid.as_str()));
            for (_, place) in gone.take(TRAVELLERS.saturating_sub(moving)) {
                fade(ground, place);
            }
        }
        before.places = places;
        before.signature = signature;
    }
    for (uid, place) in &mut before.places {
        let Some(pod) = pods.get(uid.as_str()) else { continue };
        if place.state != pod.state {
            place.state = pod.state;
            if still {
                mark(&place.element);
            }
        }
    }
    if !still {
        // A probe that was planned then and is due by now has fired.
        let fired = before.probes.iter().filter(|(_, at)| *at <= model.now);
        for (key, _) in fired.take(PULSES) {
            let pod = pods.values().find(|p| {
                key.strip_prefix(&p.namespace).is_some_and(|k| k.strip_prefix('/') == Some(&p.name))
            });
            if let Some(place) = pod.and_then(|p| before.places.get(&p.uid)) {
                pulse(&place.element);
            }
        }
    }
    before.probes.clone_from(&model.probes);
}

fn frames(steps: &[&[(&str, &str)]]) -> Object {
    let list = Array::new();
    for step in steps {
        let frame = Object::new();
        for (name, value) in *step {
            let _ = Reflect::set(&frame, &JsValue::from_str(name), &JsValue::from_str(value));
        }
        list.push(&frame);
    }
    list.unchecked_into()
}

/// `element.animate(frames, options)`, asked for by name so that a browser without it only jumps.
fn animate(element: &Element, steps: &[&[(&str, &str)]], milliseconds: f64) -> Option<JsValue> {
    let options = Object::new();
    let _ = Reflect::set(&options, &"duration".into(), &JsValue::from_f64(milliseconds));
    let _ = Reflect::set(&options, &"easing".into(), &EASE.into());
    let _ = Reflect::set(&options, &"fill".into(), &"backwards".into());
    let animate = Reflect::get(element, &"animate".into()).ok()?.dyn_into::<js_sys::Function>().ok()?;
    animate.call2(element, &frames(steps), &options).ok()
}

fn travel(element: &Element, from: (f64, f64), milliseconds: f64) {
    let start = format!("translate({:.1}px, {:.1}px)", from.0, from.1);
    let raised = if milliseconds > 200.0 { "5" } else { "1" };
    animate(
        element,
        &[&[("transform", &start), ("zIndex", raised)], &[("transform", "none"), ("zIndex", raised)]],
        milliseconds,
    );
}

/// Where the ground begins, in pixels of the window.
fn origin(ground: &HtmlElement) -> (f64, f64) {
    let rect = ground.get_bounding_client_rect();
    (rect.left() - f64::from(ground.scroll_left()), rect.top() - f64::from(ground.scroll_top()))
}

/// The slot that a travelling card will fill is marked until it is there.
fn arrive(slot: &Element) {
    let _ = slot.set_attribute("data-arriving", "true");
    let slot = slot.clone();
    gloo::timers::callback::Timeout::new(420, move || {
        let _ = slot.remove_attribute("data-arriving");
    })
    .forget();
}

fn enter(element: &Element) {
    animate(
        element,
        &[
            &[("transform", "translateY(0.375rem)"), ("opacity", "0")],
            &[("transform", "none"), ("opacity", "1")],
        ],
        200.0,
    );
}

/// A card that is gone fades where it was.
fn fade(ground: &HtmlElement, place: &Place) {
    let Ok(ghost) = place.element.clone_node_with_deep(true) else { return };
    let Ok(ghost) = ghost.dyn_into::<Element>() else { return };
    let Some((x, y, width, height)) = place.at else { return };
    let _ = ghost.set_attribute(
        "style",
        &format!("position:absolute;left:{x:.1}px;top:{y:.1}px;width:{width:.1}px;height:{height:.1}px;margin:0;pointer-events:none;opacity:0"),
    );
    let _ = ghost.remove_attribute("data-uid");
    let _ = ghost.set_attribute("aria-hidden", "true");
    let _ = ghost.set_attribute("inert", "");
    if ground.append_child(&ghost).is_ok() {
        animate(&ghost, &[&[("opacity", "1")], &[("opacity", "0")]], 160.0);
        gloo::timers::callback::Timeout::new(200, move || ghost.remove()).forget();
    }
}

fn pulse(element: &Element) {
    if let Ok(Some(ring)) = element.query_selector(".pulse") {
        animate(
            &ring,
            &[
                &[("transform", "scale(0.8)"), ("opacity", "0.9")],
                &[("transform", "scale(1.9)"), ("opacity", "0")],
            ],
            700.0,
        );
    }
}

/// Where nothing may move, a change is a line in the accent colour for a second.
fn mark(element: &Element) {
    let _ = element.set_attribute("data-changed", "true");
    let element = element.clone();
    gloo::timers::callback::Timeout::new(1000, move || {
        let _ = element.remove_attribute("data-changed");
    })
    .forget();
}

/// The pod nearest to `from` in the direction of an arrow key.
pub(crate) fn beside(ground: &Element, from: &Element, key: &str) -> Option<Element> {
    let (dx, dy) = match key {
        "ArrowRight" => (1.0, 0.0),
        "ArrowLeft" => (-1.0, 0.0),
        "ArrowDown" => (0.0, 1.0),
        "ArrowUp" => (0.0, -1.0),
        _ => return None,
    };
    let middle = |e: &Element| {
        let r = e.get_bounding_client_rect();
        (r.left() + r.width() / 2.0, r.top() + r.height() / 2.0)
    };
    let (x, y) = middle(from);
    let distance = |e: &Element| {
        let (ex, ey) = middle(e);
        let along = (ex - x) * dx + (ey - y) * dy;
        let aside = ((ex - x) * dy).abs() + ((ey - y) * dx).abs();
        (along > 4.0).then_some(along + aside * 2.0)
    };
    let pods = crate::dom::all(ground, ".pod-button");
    let near = pods.into_iter().filter_map(|e| Some((distance(&e)?, e)));
    near.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, e)| e)
}
