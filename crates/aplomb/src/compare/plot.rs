//! Plots with two logarithmic axes, written as SVG: no script, no font, no file besides.
//!
//! Colours are classes of the page around it, so that one plot serves light and dark. Every line
//! ends with a letter, so that nobody needs the colours.

use std::fmt::Write;

/// One plot.
#[derive(Debug, Clone)]
pub struct Plot {
    /// The word by which the page refers to it.
    pub id: &'static str,
    /// What is shown.
    pub title: String,
    /// What a reader who does not see it is told.
    pub description: String,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
}

/// An axis without its range, which the points give.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// What is on it.
    pub title: &'static str,
    /// Writes a value.
    pub write: fn(f64) -> String,
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Which letter and colour, of [`letter`].
    pub number: usize,
    /// From left to right.
    pub points: Vec<Point>,
    /// How it is named.
    pub named: Named,
}

/// How a series is named in the plot; what is beside a point is written there anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// By its letter at the right edge; its points are joined.
    AtEdge,
    /// By its letter in a column near its point and others of the kind.
    Nearby,
    /// By what is beside its points, which are joined.
    ByLabels,
}

/// One point; both values are above 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// From left to right.
    pub x: f64,
    /// From bottom to top.
    pub y: f64,
    /// Whether the true value is this or less.
    pub is_bound: bool,
    /// What is written beside it.
    pub label: Option<String>,
}

/// The range of an axis and where it is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

/// The letter of a series.
pub fn letter(number: usize) -> char {
    char::from(b'A' + u8::try_from(number % 26).expect("26 letters"))
}

impl Point {
    /// A point without anything beside it; none if it cannot be on a logarithmic axis.
    pub fn new(x: f64, y: f64) -> Option<Self> {
        let is_there = x > 0.0 && y > 0.0 && x.is_finite() && y.is_finite();
        is_there.then_some(Self { x, y, is_bound: false, label: None })
    }
}

impl Plot {
    /// Writes it; none if there is nothing to draw.
    pub fn to_svg(&self) -> Option<String> {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = Scale::around(points().map(|point| point.x), LEFT, WIDTH - RIGHT)?;
        let y = Scale::around(points().map(|point| point.y), HEIGHT - BOTTOM, TOP)?;
        let mut out = String::new();
        let id = self.id;
        push(
            &mut out,
            &format!(
                "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
                 aria-labelledby=\"{id}-t {id}-d\" xmlns=\"http://www.w3.org/2000/svg\">\
                 <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
                escape(&self.title),
                escape(&self.description),
            ),
        );
        self.push_axes(&mut out, x, y);
        for series in &self.series {
            push_series(&mut out, series, x, y);
        }
        self.push_names(&mut out, x, y, true);
        self.push_names(&mut out, x, y, false);
        out.push_str("</svg>");
        Some(out)
    }

    fn push_axes(&self, out: &mut String, x: Scale, y: Scale) {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for value in y.ticks(TICKS_MAX_Y) {
            let (at, text) = (y.place(value), escape(&(self.y.write)(value)));
            push(
                out,
                &format!(
                    "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/><text class=\"tick\" \
                     x=\"{:.1}\" y=\"{at:.1}\" dy=\".35em\" text-anchor=\"end\">{text}</text>",
                    LEFT - 8.0
                ),
            );
        }
        for value in x.ticks(TICKS_MAX_X) {
            let (at, text) = (x.place(value), escape(&(self.x.write)(value)));
            push(
                out,
                &format!(
                    "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/><text class=\"tick\" \
                     x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                    bottom + 22.0
                ),
            );
        }
        push(
            out,
            &format!(
                "<text class=\"axis\" x=\"4\" y=\"16\">{}</text>\
                 <text class=\"axis\" x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                escape(self.y.title),
                HEIGHT - 6.0,
                escape(self.x.title),
            ),
        );
    }

    /// Names the series beside their points: moved apart, each with a line to its point.
    fn push_names(&self, out: &mut String, x: Scale, y: Scale, is_at_edge: bool) {
        let edge = WIDTH - RIGHT + 26.0;
        let here = |series: &&Series| (series.named == Named::AtEdge) == is_at_edge;
        let nearby = self.series.iter().filter(|series| series.named == Named::Nearby);
        let nearby = nearby.flat_map(|series| &series.points).map(|point| x.place(point.x));
        let column = nearby.fold(LEFT, f64::max) + 34.0;
        let mut names: Vec<Name> = Vec::new();
        for series in self.series.iter().filter(here) {
            let last = series.points.len().saturating_sub(1);
            for (place, point) in series.points.iter().enumerate() {
                let (at_x, at_y) = (x.place(point.x), y.place(point.y));
                let (text, at) = match (&point.label, series.named) {
                    (Some(label), _) => (label.clone(), at_x + 14.0),
                    (None, Named::AtEdge) if place < last => continue,
                    (None, Named::AtEdge) => (letter(series.number).to_string(), edge),
                    (None, _) => (letter(series.number).to_string(), column.min(edge)),
                };
                names.push(Name { number: series.number, text, from: (at_x, at_y), at });
            }
        }
        let wanted: Vec<f64> = names.iter().map(|name| name.from.1).collect();
        let places = spread(&wanted, LETTER_HEIGHT, (TOP, HEIGHT - BOTTOM));
        for (name, at) in names.iter().zip(places) {
            name.push(out, at);
        }
    }
}

/// What a series is called beside one of its points.
struct Name {
    number: usize,
    text: String,
    /// The point.
    from: (f64, f64),
    /// Where the text begins.
    at: f64,
}

impl Name {
    fn push(&self, out: &mut String, y: f64) {
        let Self { number, text, from: (from_x, from_y), at } = self;
        // A long name near the edge stands on the other side of its point.
        let is_turned = text.len() > 1 && *at > WIDTH - NAME_WIDTH;
        let (sign, anchor) = if is_turned { (-1.0, "end") } else { (1.0, "start") };
        let at = if is_turned { 2.0 * from_x - at } else { *at };
        let (from, to, colour) = (from_x + sign * 6.0, at - sign * 3.0, number % COLOURS);
        let (path, text) = (format!("M{from:.1} {from_y:.1}L{to:.1} {y:.1}"), escape(text));
        push(
            out,
            &format!(
                "<path class=\"lead\" d=\"{path}\"/><text class=\"letter f{colour}\" x=\"{at:.1}\" \
                 y=\"{y:.1}\" dy=\".35em\" text-anchor=\"{anchor}\">{text}</text>"
            ),
        );
    }
}

fn push_series(out: &mut String, series: &Series, x: Scale, y: Scale) {
    let colour = series.number % COLOURS;
    let dashed = if series.number >= COLOURS { " dashed" } else { "" };
    // What could be anything below is not joined: a line there would tell of a fall that is none.
    let known = series.points.split(|point| point.is_bound);
    for joined in known.filter(|part| series.named != Named::Nearby && part.len() > 1) {
        let places = joined.iter();
        let places = places.map(|at| format!("{:.1},{:.1}", x.place(at.x), y.place(at.y)));
        let places: Vec<String> = places.collect();
        push(
            out,
            &format!("<polyline class=\"s{colour}{dashed}\" points=\"{}\"/>", places.join(" ")),
        );
    }
    for point in &series.points {
        let (at_x, at_y) = (x.place(point.x), y.place(point.y));
        let kind = if point.is_bound { "bound" } else { "dot" };
        push(
            out,
            &format!(
                "<circle class=\"{kind} s{colour}\" cx=\"{at_x:.1}\" cy=\"{at_y:.1}\" r=\"4.5\"/>"
            ),
        );
    }
}

impl Scale {
    /// A scale that has all values, with a little room; none without values.
    fn around(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Option<Self> {
        let low = values.clone().min_by(f64::total_cmp)?;
        let high = values.max_by(f64::total_cmp)?;
        // At least a factor of four, so that little differences are not drawn large.
        let room = (4.0_f64.ln() - (high / low).ln()).max(0.0) / 2.0;
        let grow = room.exp() * ROOM;
        Some(Self { low: low / grow, high: high * grow, from, to })
    }

    fn place(self, value: f64) -> f64 {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        self.from + (self.to - self.from) * share
    }

    /// Round values: 1, 2 and 5 times the powers of ten, or fewer if there are more than `max`.
    fn ticks(self, max: usize) -> Vec<f64> {
        let decades = (self.low.log10().floor() as i32)..=(self.high.log10().ceil() as i32);
        let of = |parts: &[f64], every: i32| -> Vec<f64> {
            decades
                .clone()
                .filter(|decade| decade.rem_euclid(every) == 0)
                .flat_map(|decade| parts.iter().map(move |part| part * 10.0_f64.powi(decade)))
                .filter(|value| (self.low..=self.high).contains(value))
                .collect()
        };
        let tries = [of(&[1.0, 2.0, 5.0], 1), of(&[1.0, 3.0], 1), of(&[1.0], 1), of(&[1.0], 2)];
        let fewest = tries.last().cloned().unwrap_or_default();
        tries.into_iter().find(|ticks| ticks.len() <= max).unwrap_or(fewest)
    }
}

/// Moves places apart to at least `gap`, in their order, as little as it takes, within `bounds`
/// where they fit.
fn spread(wanted: &[f64], gap: f64, (low, high): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    // Neighbours that touch become one block around the mean of what they want.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for place in &order {
        let mut block = (wanted[*place], 1);
        while let Some((middle, count)) = blocks.last().copied() {
            let touch = gap * (count + block.1) as f64 / 2.0;
            if block.0 - middle >= touch {
                break;
            }
            blocks.pop();
            let all = count + block.1;
            let mean = (middle * count as f64 + block.0 * block.1 as f64) / all as f64;
            block = (mean, all);
        }
        blocks.push(block);
    }
    let mut places: Vec<f64> = blocks
        .iter()
        .flat_map(|(middle, count)| {
            let first = middle - gap * (*count as f64 - 1.0) / 2.0;
            (0..*count).map(move |step| first + gap * step as f64)
        })
        .collect();
    press(&mut places, gap, low, high);
    let mut spread = vec![0.0; wanted.len()];
    for (place, at) in order.into_iter().zip(places) {
        spread[place] = at;
    }
    spread
}

/// Pushes ascending places into bounds; the lower bound counts more.
fn press(places: &mut [f64], gap: f64, low: f64, high: f64) {
    let mut limit = high;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - gap;
    }
    let mut limit = low;
    for place in places {
        *place = place.max(limit);
        limit = *place + gap;
    }
}

/// A text between tags, or in an attribute.
pub fn escape(text: &str) -> String {
    aplomb_core::xml::escape_attribute(text).into_owned()
}

fn push(out: &mut String, text: &str) {
    out.write_str(text).expect("a string takes everything");
}

/// Colours that the page has.
pub const COLOURS: usize = 8;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = 52.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 52.0;

/// How far the outermost points are from the edges, as a factor.
const ROOM: f64 = 1.15;

/// What a name of several letters may need where the page is narrow.
const NAME_WIDTH: f64 = 110.0;

/// Between two letters; they are 20 high where the page is narrow.
const LETTER_HEIGHT: f64 = 19.0;

const TICKS_MAX_Y: usize = 9;
const TICKS_MAX_X: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: &[&[(f64, f64)]]) -> Plot {
        let series = points.iter().enumerate().map(|(number, points)| Series {
            number,
            points: points.iter().filter_map(|(x, y)| Point::new(*x, *y)).collect(),
            named: Named::AtEdge,
        });
        let axis = Axis { title: "µs <&>", write: |value| format!("{value}") };
        let (title, description) = ("a & b".to_owned(), "c < d".to_owned());
        Plot { id: "p", title, description, x: axis, y: axis, series: series.collect() }
    }

    #[test]
    fn a_plot_is_xml_and_names_itself_for_those_who_do_not_see_it() {
        let svg = plot(&[&[(1.0, 5.0), (10.0, 50.0)], &[(1.0, 7.0)]]).to_svg().unwrap();
        let root = aplomb_core::xml::read_element(&svg, aplomb_core::xml::Prologue::Forbidden);
        let root = root.unwrap();
        assert_eq!(root.attr("role"), Some("img"));
        let child = |name: &str| root.children().find(|child| child.name() == name).unwrap().text();
        assert_eq!((child("title").as_str(), child("desc").as_str()), ("a & b", "c < d"));
        let count = |name: &str| root.children().filter(|child| child.name() == name).count();
        assert_eq!((count("polyline"), count("circle")), (1, 3));
    }

    #[test]
    fn what_is_only_a_bound_is_a_ring_and_not_joined() {
        let mut plot = plot(&[&[(1.0, 5.0), (10.0, 50.0), (20.0, 5.0), (30.0, 5.0)]]);
        plot.series[0].points[1].is_bound = true;
        let svg = plot.to_svg().unwrap();
        assert_eq!(svg.matches("class=\"bound").count(), 1);
        assert_eq!(svg.matches("<polyline").count(), 1, "the first point is alone");
    }

    #[test]
    fn nothing_to_draw_is_no_plot() {
        assert_eq!(plot(&[]).to_svg(), None);
        assert_eq!(plot(&[&[(1.0, 0.0), (0.0, 1.0), (1.0, f64::NAN)]]).to_svg(), None);
    }

    #[test]
    fn every_point_and_every_letter_is_within_the_picture() {
        let lines: &[&[(f64, f64)]] =
            &[&[(0.1, 1.0), (1e3, 1e6)], &[(0.1, 1.0), (1e3, 1e6)], &[(5.0, 3.0)]];
        let mut plot = plot(lines);
        plot.series[1].named = Named::ByLabels;
        plot.series[1].points[1].label = Some("B 0.1 s".to_owned());
        plot.series[2].named = Named::Nearby;
        let svg = plot.to_svg().unwrap();
        assert_eq!(svg.matches("text-anchor=\"end\">B 0.1 s").count(), 1, "it is at the edge");
        let places = |name: &str| -> Vec<f64> {
            let attribute = format!(" {name}=\"");
            let parts = svg.split(&attribute).skip(1);
            parts.map(|part| part.split('"').next().unwrap().parse().unwrap()).collect()
        };
        for (name, least, most) in [
            ("cx", LEFT, WIDTH - RIGHT),
            ("cy", TOP, HEIGHT - BOTTOM),
            ("x", 0.0, WIDTH - 20.0),
            ("y", 10.0, HEIGHT),
        ] {
            let places = places(name);
            assert!(!places.is_empty());
            assert!(places.iter().all(|at| (least..=most).contains(at)), "{name}: {places:?}");
        }
    }

    #[test]
    fn ticks_are_round_and_few() {
        let scale = |low, high| Scale { low, high, from: 0.0, to: 1.0 };
        let close = |ticks: Vec<f64>, expected: &[f64]| {
            assert_eq!(ticks.len(), expected.len(), "{ticks:?}");
            assert!(
                ticks.iter().zip(expected).all(|(a, b)| (a / b - 1.0).abs() < 1e-9),
                "{ticks:?}"
            );
        };
        close(scale(0.9, 120.0).ticks(9), &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        close(scale(0.9, 120.0).ticks(5), &[1.0, 3.0, 10.0, 30.0, 100.0]);
        close(scale(0.9, 1.2e6).ticks(7), &[1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6]);
        close(scale(0.9, 1.2e6).ticks(5), &[1.0, 100.0, 1e4, 1e6]);
    }

    #[test]
    fn letters_move_apart_and_no_further() {
        let gap = 10.0;
        let all = |wanted: &[f64]| spread(wanted, gap, (0.0, 100.0));
        assert_eq!(all(&[5.0, 50.0, 90.0]), [5.0, 50.0, 90.0]);
        assert_eq!(all(&[50.0, 50.0]), [45.0, 55.0]);
        assert_eq!(all(&[52.0, 50.0, 90.0]), [56.0, 46.0, 90.0]);
        assert_eq!(all(&[0.0, 0.0, 1.0]), [0.0, 10.0, 20.0]);
        assert_eq!(all(&[100.0, 99.0]), [100.0, 90.0]);
        assert_eq!(all(&[]), Vec::<f64>::new());
    }

    #[test]
    fn one_value_stands_in_the_middle() {
        let scale = Scale::around([5.0].into_iter(), 0.0, 100.0).unwrap();
        assert!((scale.place(5.0) - 50.0).abs() < 1e-9);
    }
}
