//! The plot of a run, as SVG: how long deliveries took, share by share and second by second.

use super::meter::{Second, Share};
use super::report::Report;
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 60.0;
const BETWEEN: f64 = 70.0;
/// Colours that stay apart for most eyes.
const COLOURS: [&str; 3] = ["#0072b2", "#d55e00", "#009e73"];

/// Draws a report.
pub(super) fn svg(report: &Report) -> String {
    let full_height = TOP + 2.0 * (HEIGHT + BETWEEN);
    let full_width = LEFT + WIDTH + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {full_width} {full_height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let run = &report.conditions;
    let title = format!(
        "{} users, {} rooms, {} nodes, {} events/s: p50 {:.2} ms, p99 {:.2} ms; {} lost, {} doubled of {} deliveries",
        run.users,
        run.rooms,
        run.nodes,
        run.rate_per_second,
        report.delivery_ms.p50,
        report.delivery_ms.p99,
        report.events.lost,
        report.events.doubled,
        report.events.expected
    );
    text(&mut svg, (LEFT, 24.0), &title, "start");
    shares(&mut svg, TOP, &report.shares);
    seconds(&mut svg, TOP + HEIGHT + BETWEEN, &report.seconds);
    svg.push_str("</svg>\n");
    svg
}

/// Milliseconds, share by share. The further right, the fewer deliveries: each nine has the same width.
fn shares(svg: &mut String, top: f64, shares: &[Share]) {
    text(svg, (LEFT, top - 10.0), "milliseconds until that share of the deliveries had arrived", "start");
    let nines = |share: f64| -(1.0 - share.min(0.999_99)).log10();
    let widest = shares.iter().rev().nth(1).map_or(1.0, |last| nines(last.share)).max(1.0) + 0.3;
    let axis = Axis::new(top, shares.iter().map(|share| share.ms));
    axis.draw(svg);
    let x = |share: f64| LEFT + (nines(share) / widest).min(1.0) * WIDTH;
    for share in [0.5, 0.9, 0.99, 0.999, 0.9999].into_iter().filter(|share| nines(*share) < widest) {
        let label = format!("{} %", share * 100.0);
        text(svg, (x(share), top + HEIGHT + 16.0), &label, "middle");
    }
    line(svg, COLOURS[0], shares.iter().map(|share| (x(share.share), axis.y(share.ms))));
}

fn seconds(svg: &mut String, top: f64, seconds: &[Second]) {
    let lines = ["p50", "p99", "slowest"];
    text(svg, (LEFT, top - 10.0), "milliseconds, second by second", "start");
    let axis = Axis::new(top, seconds.iter().map(|second| second.max));
    axis.draw(svg);
    let last = seconds.last().map_or(1, |second| second.second.max(1));
    #[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
    let x = |second: u64| LEFT + second as f64 / last as f64 * WIDTH;
    for second in [0, last / 2, last] {
        text(svg, (x(second), top + HEIGHT + 16.0), &format!("{second} s"), "middle");
    }
    for (index, name) in lines.into_iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "three lines")]
        let at = LEFT + 300.0 + index as f64 * 80.0;
        let _ = write!(
            svg,
            "<rect x=\"{at}\" y=\"{}\" width=\"10\" height=\"10\" fill=\"{}\"/>",
            top - 19.0,
            COLOURS[index]
        );
        text(svg, (at + 14.0, top - 10.0), name, "start");
        line(
            svg,
            COLOURS[index],
            seconds.iter().map(|second| (x(second.second), axis.y([second.p50, second.p99, second.max][index]))),
        );
    }
}

/// A logarithmic axis of milliseconds, in whole tenfolds.
struct Axis {
    top: f64,
    least: f64,
    most: f64,
}

impl Axis {
    fn new(top: f64, values: impl Iterator<Item = f64>) -> Self {
        let (mut least, mut most) = (f64::MAX, f64::MIN);
        for value in values.map(|value| value.max(0.001)) {
            least = least.min(value);
            most = most.max(value);
        }
        if least > most {
            (least, most) = (0.1, 10.0);
        }
        let (least, most) = (least.log10().floor(), most.log10().ceil());
        Self { top, least, most: most.max(least + 1.0) }
    }

    fn y(&self, ms: f64) -> f64 {
        let share = (ms.max(0.001).log10() - self.least) / (self.most - self.least);
        self.top + HEIGHT * (1.0 - share)
    }

    fn draw(&self, svg: &mut String) {
        let mut power = self.least;
        while power <= self.most {
            let ms = 10_f64.powf(power);
            let y = self.y(ms);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"#ccc\"/>",
                LEFT + WIDTH
            );
            text(svg, (LEFT - 6.0, y + 4.0), &format!("{}", (ms * 1_000.0).round() / 1_000.0), "end");
            power += 1.0;
        }
    }
}

fn line(svg: &mut String, colour: &str, points: impl Iterator<Item = (f64, f64)>) {
    let points: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
        points.join(" ")
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), text: &str, anchor: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_covers_what_it_shows() {
        let axis = Axis::new(0.0, [0.7, 42.0].into_iter());
        assert!((axis.y(0.1) - HEIGHT).abs() < 0.01 && axis.y(100.0).abs() < 0.01);
        assert!(axis.y(42.0) < axis.y(0.7));
        let empty = Axis::new(0.0, std::iter::empty());
        assert!(empty.y(1.0).is_finite());
    }
}
