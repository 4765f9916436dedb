//! What was found, as one page of HTML that needs nothing besides: no script, no file, no network.

use askama::Template;

use super::findings::{Alone, Findings, Lacking, Row, Together, WayShown};
use super::plot::{Axis, COLOURS, Named, Plot, Point, Series, letter};
use super::table::{bytes_short, cpu_of, delay_of, per_second, time_short};
use super::words::{self, Chapter, story};

/// Writes the page.
pub fn html(findings: &Findings) -> String {
    Page::of(findings).render().expect("the page's parts can all be written")
}

/// What the template needs.
#[derive(Template)]
#[template(path = "compare.html")]
struct Page<'a> {
    findings: &'a Findings,
    faults: Vec<(f64, &'a Row)>,
    lacking: &'a [Lacking],
    figures: Vec<Figure>,
    story: Vec<Chapter>,
    tables: Vec<TableShown>,
    noise: Option<String>,
}

/// A way in the legend.
struct Entry {
    letter: char,
    colour: usize,
    name: String,
}

/// A plot and what it shows.
struct Figure {
    title: String,
    svg: Option<String>,
    legend: Vec<Entry>,
    words: Vec<String>,
}

/// All figures at one rate.
struct TableShown {
    title: String,
    rows: Vec<[String; 14]>,
}

impl<'a> Page<'a> {
    fn of(findings: &'a Findings) -> Self {
        let noise = findings.cpu.rates.iter().map(Alone::noise).max_by(f64::total_cmp);
        Self {
            findings,
            faults: findings.faults(),
            lacking: &findings.lacking,
            figures: figures(findings),
            story: story(findings),
            tables: findings.together.iter().map(|at| table(findings, at)).collect(),
            noise: noise.map(time_short),
        }
    }

    fn name<'b>(&'b self, key: &'b str) -> &'b str {
        self.findings.name(key)
    }
}

fn figures(findings: &Findings) -> Vec<Figure> {
    let at_row = |of: fn(&Together, &Row) -> f64| {
        move |at: &Together, row: &Row| Point::new(at.rate, of(at, row))
    };
    let delay = Plot {
        id: "delay",
        title: "Delay against the rate of events".to_owned(),
        description: "Median time from the change to the reader, a line for each way.".to_owned(),
        x: RATE,
        y: Axis { title: "median delay", write: time_axis },
        series: series(findings, at_row(|_, row| row.delay_us.p50 as f64)),
    };
    let bytes = Plot {
        id: "bytes",
        title: "Bytes per event against the rate of events".to_owned(),
        description: "Bytes on the wire, both ways together and with TLS, per event.".to_owned(),
        x: RATE,
        y: Axis { title: "bytes per event", write: bytes_axis },
        series: series(findings, at_row(words::bytes)),
    };
    let requests = Plot {
        id: "requests",
        title: "Requests per event against the rate of events".to_owned(),
        description: "Requests of HTTP per event; ways that make none are not drawn.".to_owned(),
        x: RATE,
        y: Axis { title: "requests per event", write: plain },
        series: series(
            findings,
            at_row(|at, row| row.run.requests as f64 / at.events.max(1) as f64),
        ),
    };
    [
        (delay, words::of_delay(findings)),
        (cpu(findings), words::of_cpu(findings)),
        (bytes, words::of_bytes(findings)),
        (requests, words::of_requests(findings)),
        (tradeoff(findings), words::of_tradeoff(findings)),
    ]
    .map(|(plot, words)| Figure {
        svg: plot.to_svg(),
        legend: legend(findings, &plot),
        title: plot.title,
        words,
    })
    .into()
}

/// The ways that have a point in the plot.
fn legend(findings: &Findings, plot: &Plot) -> Vec<Entry> {
    let is_drawn = |number: usize| {
        let joined = |series: &Series| {
            series.named == Named::ByLabels && findings.ways[number].every_ms.is_some()
        };
        plot.series.iter().any(|series| series.number == number || joined(series))
    };
    let ways = findings.ways.iter().enumerate().filter(|(number, _)| is_drawn(*number));
    let entry = |(number, way): (usize, &WayShown)| Entry {
        letter: letter(number),
        colour: number % COLOURS,
        name: way.name.clone(),
    };
    ways.map(entry).collect()
}

/// A line for each way through its point at each rate.
fn series(findings: &Findings, of: impl Fn(&Together, &Row) -> Option<Point>) -> Vec<Series> {
    let line = |number: usize, key: &str| {
        let points = findings.together.iter().filter_map(|at| {
            let row = at.readers.iter().find(|row| row.key == key && row.seen > 0)?;
            of(at, row)
        });
        Series { number, points: points.collect(), named: Named::AtEdge }
    };
    let ways = findings.ways.iter().enumerate();
    let lines = ways.map(|(number, way)| line(number, &way.key));
    lines.filter(|line| !line.points.is_empty()).collect()
}

/// What is lost in the noise is drawn as high as it could be.
fn cpu(findings: &Findings) -> Plot {
    let point = |at: &Alone, key: &str| {
        let row = at.readers.iter().find(|row| row.key == key)?;
        let is_bound = row.us < at.noise();
        let point = Point::new(at.rate, row.us.max(at.noise()))?;
        Some(Point { is_bound, ..point })
    };
    let line = |(number, way): (usize, &WayShown)| {
        let points = findings.cpu.rates.iter().filter_map(|at| point(at, &way.key)).collect();
        Series { number, points, named: Named::AtEdge }
    };
    let lines = findings.ways.iter().enumerate().map(line);
    Plot {
        id: "cpu",
        title: "The server's CPU time per event against the rate of events".to_owned(),
        description:
            "CPU time of the server per event with one reader alone, less the time of the \
                      same events without a reader. Rings are upper bounds."
                .to_owned(),
        x: RATE,
        y: Axis { title: "CPU time per event", write: time_axis },
        series: lines.filter(|line| !line.points.is_empty()).collect(),
    }
}

/// Delay against bytes at the lowest rate: the polls as a line through their intervals, and
/// everybody else.
fn tradeoff(findings: &Findings) -> Plot {
    let Some(at) = findings.together.first() else { return tradeoff_of(Vec::new()) };
    let points = findings.ways.iter().enumerate().filter_map(|(number, way)| {
        let row = at.readers.iter().find(|row| row.key == way.key && row.seen > 0)?;
        Some((number, way, Point::new(words::bytes(at, row), row.delay_us.p50 as f64)?))
    });
    let mut all: Vec<Series> = Vec::new();
    for (number, way, mut point) in points {
        let label = way
            .every_ms
            .map(|millis| format!("{} {} s", letter(number), plain(millis as f64 / 1e3)));
        let named = if label.is_some() { Named::ByLabels } else { Named::Nearby };
        point.label = label;
        let line = all.last_mut().filter(|_| way.keeps_connection && way.every_ms.is_some());
        // One line joins the polls that keep their connection, whatever their letters.
        match line.filter(|line| line.named == named && line.points.len() < findings.ways.len()) {
            Some(line) if is_kept(findings, line.number) => line.points.push(point),
            _ => all.push(Series { number, points: vec![point], named }),
        }
    }
    tradeoff_of(all)
}

fn is_kept(findings: &Findings, number: usize) -> bool {
    findings.ways.get(number).is_some_and(|way| way.keeps_connection)
}

fn tradeoff_of(series: Vec<Series>) -> Plot {
    Plot {
        id: "tradeoff",
        title: "Delay against cost, at the lowest rate: what a poll's interval buys".to_owned(),
        description: "Bytes per event from left to right, median delay from bottom to top; nearer \
                      to the lower left corner is better in both."
            .to_owned(),
        x: Axis { title: "bytes per event", write: bytes_axis },
        y: Axis { title: "median delay", write: time_axis },
        series,
    }
}

fn table(findings: &Findings, at: &Together) -> TableShown {
    let alone = findings.cpu.rates.iter().find(|alone| alone.rate == at.rate);
    let rows = at.readers.iter().map(|row| {
        let per_event = |count: u64| count as f64 / at.events.max(1) as f64;
        let number = findings.ways.iter().position(|way| way.key == row.key).unwrap_or_default();
        [
            letter(number).to_string(),
            findings.name(&row.key).to_owned(),
            row.seen.to_string(),
            delay_of(row, row.delay_us.p50),
            delay_of(row, row.delay_us.p90),
            delay_of(row, row.delay_us.p99),
            delay_of(row, row.delay_us.max),
            row.requests.to_string(),
            row.empty_answers.to_string(),
            row.connections.to_string(),
            bytes_short(per_event(row.run.sent_bytes)),
            bytes_short(per_event(row.run.received_bytes)),
            plain(per_event(row.run.requests)),
            cpu_of(row, alone),
        ]
    });
    let Together { rate, events, secs, .. } = at;
    let title = format!("{}: {events} events in {secs:.1} s", per_second(*rate));
    TableShown { title, rows: rows.collect() }
}

/// A number with as many digits as it needs.
fn plain(value: f64) -> String {
    match value {
        value if value >= 9.95 => format!("{value:.0}"),
        value if value >= 0.095 => format!("{}", (value * 10.0).round() / 10.0),
        value => format!("{}", (value * 1_000.0).round() / 1_000.0),
    }
}

/// A time at a tick, which is round.
fn time_axis(micros: f64) -> String {
    match micros {
        micros if micros < 999.5 => format!("{} µs", plain(micros)),
        micros if micros < 999_500.0 => format!("{} ms", plain(micros / 1e3)),
        micros => format!("{} s", plain(micros / 1e6)),
    }
}

/// A number of bytes at a tick, which is round.
fn bytes_axis(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 999.5 => plain(bytes),
        bytes if bytes < 999_500.0 => format!("{}k", plain(bytes / 1e3)),
        bytes => format!("{}M", plain(bytes / 1e6)),
    }
}

const RATE: Axis = Axis { title: "events a second", write: plain };

#[cfg(test)]
mod tests {
    use super::super::findings::sample::findings;
    use super::*;

    #[test]
    fn the_page_needs_nothing_besides() {
        let page = html(&findings());
        for outside in ["<script", "src=", "@import", "url(", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        let foreign = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!foreign.contains("http://"), "a plot names its language, and nothing else");
        assert_eq!(page.matches("<svg ").count(), 5);
        assert_eq!(page.matches("<table>").count(), 2);
        assert!(page.contains("color-scheme: light dark"));
    }

    #[test]
    fn every_plot_has_words_and_every_way_its_letter() {
        let findings = findings();
        let page = Page::of(&findings);
        assert!(page.figures.iter().all(|figure| figure.svg.is_some() && !figure.words.is_empty()));
        let letters = |figure: &Figure| figure.legend.iter().map(|e| e.letter).collect::<String>();
        let letters: Vec<String> = page.figures.iter().map(letters).collect();
        assert_eq!(letters, ["ABCDE", "ABCDE", "ABCDE", "ABCD", "ABCDE"]);
        assert_eq!(page.story.len(), 6);
    }

    #[test]
    fn what_a_server_says_stays_text() {
        let mut findings = findings();
        findings.server.url = "https://<b>x</b>".to_owned();
        findings.together[0].readers[0].complaints = vec!["<i>gap</i>".to_owned()];
        findings.stopped = Some("<u>so</u>".to_owned());
        let page = html(&findings);
        for tag in ["<b>x", "<i>gap", "<u>so"] {
            assert!(!page.contains(tag), "{tag}");
        }
        assert!(page.contains("Not every event came once and in order"));
    }

    #[test]
    fn without_cpu_time_there_is_a_sentence_instead_of_a_plot() {
        let mut findings = findings();
        findings.cpu.rates.clear();
        findings.cpu.unknown = Some("the server was not started for this".to_owned());
        let page = html(&findings);
        assert!(page.contains("is not known: the server was not started for this."), "{page}");
    }

    #[test]
    fn a_cost_and_a_delay_that_are_not_known_are_told_in_the_words_of_the_terminal() {
        let mut findings = findings();
        let alone = &mut findings.cpu.rates[0];
        alone.cause_us = [100.0, 446.0];
        (alone.readers[1].us, alone.readers[2].us) = (-71.0, 20.0);
        findings.together[0].readers[3].seen = 0;
        let shown = table(&findings, &findings.together[0]);
        let cpu: Vec<&str> = shown.rows.iter().map(|row| row[13].as_str()).collect();
        assert_eq!(cpu[1..3], ["<346 µs", "<346 µs"], "{cpu:?}");
        assert_eq!(shown.rows[3][3..7], ["–", "–", "–", "–"]);
        let terminal = super::super::table::text(&findings);
        assert!(cpu.iter().all(|cell| terminal.contains(cell)), "{cpu:?}: {terminal}");
        let page = html(&findings);
        assert!(page.contains("<td>&#60;346 µs</td>"), "{page}");
        for text in [&page, &terminal] {
            assert!(!text.contains("-71"), "{text}");
        }
    }

    #[test]
    fn ticks_are_written_as_short_as_they_are_round() {
        for (micros, text) in [(1.0, "1 µs"), (200.0, "200 µs"), (1e3, "1 ms"), (2e5, "200 ms")] {
            assert_eq!(time_axis(micros), text);
        }
        assert_eq!(time_axis(3e6), "3 s");
        assert_eq!([200.0, 2e3, 3e4, 1e6].map(bytes_axis), ["200", "2k", "30k", "1M"]);
        for (value, text) in [(100.0, "100"), (0.5, "0.5"), (0.02, "0.02"), (3.0, "3"), (0.0, "0")]
        {
            assert_eq!(plain(value), text);
        }
    }
}
