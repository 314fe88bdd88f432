//! Large clusters: a tile a node, the pods as glyphs on one canvas. Only tiles in sight are elements.

use super::Asked;
use super::model::{Column, Model, NodeView, Same};
use crate::components::{Icon, IconKind, PodState};
use crate::i18n::{stage as texts, use_lang};
use std::collections::{BTreeMap, HashMap};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, HtmlElement, Path2d, ResizeObserver};
use yew::prelude::*;

/// Sizes in rem.
const TILE: f64 = 6.75;
const GAP: f64 = 0.3125;
const HEAD: f64 = 1.9;
const GLYPH: f64 = 0.8125;
const INSET: f64 = 0.375;
/// Rows of glyphs that a tile shows at most.
const ROWS: usize = 12;

/// Properties of [`Tiles`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct TilesProps {
    pub(crate) model: Same<Model>,
    pub(crate) asked: Same<Asked>,
    /// Called with the uid of the node to look at closely.
    pub(crate) on_zoom: Callback<Option<String>>,
}

/// What is in sight: scroll position and sizes in pixels.
#[derive(Clone, Copy, PartialEq)]
struct Sight {
    top: f64,
    width: f64,
    height: f64,
    rem: f64,
}

impl Sight {
    /// Measures. Asked for while the page has changes that are not laid out yet this costs a layout: only events of
    /// scrolling and sizes, which come after one, call it.
    fn of(place: &NodeRef, unit: &NodeRef) -> Option<Sight> {
        let element = place.cast::<HtmlElement>()?;
        let rem = unit.cast::<HtmlElement>()?.get_bounding_client_rect().width();
        Some(Sight {
            top: f64::from(element.scroll_top()),
            width: f64::from(element.client_width()),
            height: f64::from(element.client_height()),
            rem: if rem > 0.0 { rem } else { 16.0 },
        })
    }
}

/// What is in sight of an element, kept up to date; `unit` is one rem wide.
#[hook]
fn use_sight(place: &NodeRef, unit: &NodeRef) -> (Sight, Callback<Event>) {
    let sight = use_state_eq(|| Sight { top: 0.0, width: 600.0, height: 600.0, rem: 16.0 });
    let look = {
        let (place, unit, sight) = (place.clone(), unit.clone(), sight.setter());
        move || {
            if let Some(now) = Sight::of(&place, &unit) {
                sight.set(now);
            }
        }
    };
    {
        let (place, unit, look) = (place.clone(), unit.clone(), look.clone());
        use_effect_with((), move |()| {
            let changed = Closure::<dyn Fn()>::new(look);
            let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok();
            if let Some(observer) = &observer {
                for element in [place, unit].iter().filter_map(NodeRef::cast::<Element>) {
                    observer.observe(&element);
                }
            }
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                drop(changed);
            }
        });
    }
    (*sight, Callback::from(move |_: Event| look()))
}

/// Where tiles stand, in pixels.
#[derive(Clone, Copy, PartialEq)]
struct Grid {
    columns: usize,
    width: f64,
    height: f64,
    gap: f64,
    /// Glyphs in a row of a tile.
    per_row: usize,
    rem: f64,
}

impl Grid {
    fn of(model: &Model, width: f64, rem: f64) -> Grid {
        let gap = GAP * rem;
        let columns = (((width + gap) / (TILE * rem + gap)).floor() as usize).max(1);
        let tile = (width - gap * (columns - 1) as f64) / columns as f64;
        let per_row = (((tile - 2.0 * INSET * rem) / (GLYPH * rem)).floor() as usize).max(1);
        // All tiles are as high as the fullest needs, up to a bound.
        let most = model.columns.iter().map(|c| c.pods.len()).max().unwrap_or(0);
        let rows = most.div_ceil(per_row).clamp(1, ROWS);
        Grid { columns, width: tile, height: (HEAD + rows as f64 * GLYPH + INSET) * rem, gap, per_row, rem }
    }

    fn place(&self, index: usize) -> (f64, f64) {
        let (row, column) = (index / self.columns, index % self.columns);
        (column as f64 * (self.width + self.gap), row as f64 * (self.height + self.gap))
    }

    fn total(&self, count: usize) -> f64 {
        count.div_ceil(self.columns) as f64 * (self.height + self.gap)
    }
}

/// The tiles.
#[component]
pub(crate) fn Tiles(props: &TilesProps) -> Html {
    let place = use_node_ref();
    let canvas = use_node_ref();
    let unit = use_node_ref();
    let (sight, onscroll) = use_sight(&place, &unit);
    let model = &props.model;
    let grid = Grid::of(model, sight.width - 2.0, sight.rem);
    let Sight { top, height, .. } = sight;
    let row = grid.height + grid.gap;
    let first = ((top / row).floor().max(0.0) as usize) * grid.columns;
    let last = (((top + height) / row).ceil().max(0.0) as usize + 1) * grid.columns;
    let visible = first.min(model.columns.len())..last.min(model.columns.len());
    {
        let (canvas, model, asked, visible) =
            (canvas.clone(), model.clone(), props.asked.clone(), visible.clone());
        use_effect_with((model, asked, visible, sight), move |(model, asked, visible, sight)| {
            if let Some(canvas) = canvas.cast::<HtmlCanvasElement>() {
                let _ = paint(&canvas, model, asked, visible.clone(), grid, *sight);
            }
        });
    }
    html! {
        <div class="tiles" ref={place} {onscroll} tabindex="-1">
            <i class="rem" ref={unit} aria-hidden="true" />
            <div class="tiles-in" style={format!("height:{:.0}px", grid.total(model.columns.len()))}>
                {for visible.map(|index| {
                    let column = &model.columns[index];
                    let failing = column.pods.iter().filter(|p| p.state.is_failing()).count();
                    html! {
                        <Tile key={column.node.uid.clone()} node={column.node.clone()} place={grid.place(index)} size={(grid.width, grid.height)}
                            count={column.pods.len()} {failing} used={used(column)} on_zoom={props.on_zoom.clone()} />
                    }
                })}
            </div>
            <canvas ref={canvas} aria-hidden="true" style={format!("top:{top:.0}px")} />
        </div>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct TileProps {
    node: Same<NodeView>,
    place: (f64, f64),
    size: (f64, f64),
    /// Pods, and those of them that fail.
    count: usize,
    failing: usize,
    /// Per cent of its CPU that is requested.
    used: f64,
    on_zoom: Callback<Option<String>>,
}

/// A node without its pods, which stand on the canvas: most changes leave it as it is.
#[component]
fn Tile(props: &TileProps) -> Html {
    let lang = use_lang();
    let TileProps { node, place: (x, y), size: (width, height), failing, used, .. } = props;
    let style = format!("left:{x:.1}px;top:{y:.1}px;width:{width:.1}px;height:{height:.1}px");
    let label = texts::TILE.with(
        lang,
        &[("name", &node.name), ("count", &props.count.to_string()), ("failing", &failing.to_string())],
    );
    let onclick = {
        let (on_zoom, node) = (props.on_zoom.clone(), node.clone());
        move |_| on_zoom.emit(Some(node.uid.clone()))
    };
    html! {
        <button type="button" class={classes!("tile", (*failing > 0).then_some("failing"))} {style} aria-label={label} {onclick}>
            <span class="tile-head"><span>{&node.name}</span>
                if *failing > 0 { <em><Icon kind={IconKind::Warning} />{*failing}</em> }
            </span>
            <span class="tile-bar"><i style={format!("width:{used:.1}%")} /></span>
        </button>
    }
}

/// How much of a node's CPU is requested, in per cent.
fn used(column: &Column) -> f64 {
    let cpu: i64 = column.pods.iter().chain(&column.others).map(|p| p.cpu).sum();
    (cpu as f64 * 100.0 / column.node.cpu.max(1) as f64).min(100.0)
}

thread_local! {
    /// The glyphs' shapes as the canvas wants them: stroked, filled.
    static SHAPES: HashMap<PodState, (Option<Path2d>, Option<Path2d>)> = PodState::ALL
        .iter()
        .map(|state| {
            let (stroked, filled, _) = state.paths();
            let path = |text: &str| (!text.is_empty()).then(|| Path2d::new_with_path_string(text).ok()).flatten();
            (*state, (path(stroked), path(filled)))
        })
        .collect();
}

/// Draws the glyphs of the tiles in sight.
fn paint(
    canvas: &HtmlCanvasElement,
    model: &Model,
    asked: &Asked,
    visible: std::ops::Range<usize>,
    grid: Grid,
    sight: Sight,
) -> Option<()> {
    let Sight { top, width, height, .. } = sight;
    let window = gloo::utils::window();
    let ratio = window.device_pixel_ratio().clamp(1.0, 3.0);
    let (wide, high) = ((width * ratio) as u32, (height * ratio) as u32);
    if canvas.width() != wide || canvas.height() != high {
        canvas.set_width(wide);
        canvas.set_height(high);
        let _ = canvas.style().set_property("width", &format!("{width:.0}px"));
        let _ = canvas.style().set_property("height", &format!("{height:.0}px"));
    }
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    let dark = is_dark(canvas);
    let _ = context.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
    context.clear_rect(0.0, 0.0, f64::from(wide), f64::from(high));
    context.set_line_width(1.6);
    let scale = (GLYPH - 0.125) * grid.rem / 16.0 * ratio;
    let selector = asked.selector.as_ref().map(|(selector, _)| selector);
    // By colour: telling the canvas a colour costs more than a glyph.
    let mut glyphs: BTreeMap<(PodState, bool), Vec<(f64, f64)>> = BTreeMap::new();
    for index in visible {
        let Some(column) = model.columns.get(index) else { continue };
        let (x, y) = grid.place(index);
        for (n, pod) in column.pods.iter().enumerate().take(grid.per_row * ROWS) {
            let (row, place) = (n / grid.per_row, n % grid.per_row);
            let left = x + (INSET + place as f64 * GLYPH) * grid.rem;
            let up = y - top + (HEAD + row as f64 * GLYPH) * grid.rem;
            let dim = selector.is_some_and(|selector| !selector.matches(&pod.labels));
            glyphs.entry((pod.state, dim)).or_default().push((left * ratio, up * ratio));
        }
    }
    SHAPES.with(|shapes| {
        for ((state, dim), places) in glyphs {
            let Some((stroked, filled)) = shapes.get(&state) else { continue };
            let colour = colour(state, dark);
            context.set_global_alpha(if dim { 0.3 } else { 1.0 });
            context.set_fill_style_str(colour);
            context.set_stroke_style_str(colour);
            for (left, up) in places {
                let _ = context.set_transform(scale, 0.0, 0.0, scale, left, up);
                if let Some(path) = filled {
                    context.fill_with_path_2d(path);
                }
                if let Some(path) = stroked {
                    context.stroke_with_path(path);
                }
            }
        }
    });
    Some(())
}

/// Whether the page is dark: chosen, or as the system says.
fn is_dark(canvas: &HtmlCanvasElement) -> bool {
    let theme = canvas
        .owner_document()
        .and_then(|d| d.document_element())
        .and_then(|r| r.get_attribute("data-theme"));
    match theme.as_deref() {
        Some("dark") => true,
        Some(_) => false,
        None => crate::dom::media("(prefers-color-scheme: dark)"),
    }
}

/// The colours of tokens.css, which a canvas cannot ask for as `light-dark()`.
fn colour(state: PodState, dark: bool) -> &'static str {
    let (light, night) = match state {
        PodState::Running | PodState::NotReady => ("#00583f", "#3fd9a4"),
        PodState::Pending => ("#5a4300", "#f0cb4c"),
        PodState::Waiting => ("#0a63b4", "#8ccbff"),
        PodState::Crash | PodState::Image => ("#bb3d00", "#ff7d52"),
        PodState::Failed => ("#951c33", "#ff7f90"),
        PodState::Completed => ("#5f656d", "#9298a0"),
        PodState::Terminating => ("#70308c", "#c683dd"),
        PodState::Unknown => ("#5d6268", "#969ca4"),
    };
    if dark { night } else { light }
}
