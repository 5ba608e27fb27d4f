//! The bytes as bars, in SVG: a group a motion, a bar a mode, drawn to one linear scale.

use std::fmt::Write;

use super::forms::WIRE;
use super::report::Row;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 150.0;
/// Room for the figure behind the longest bar.
const RIGHT: f64 = 70.0;
const BAR: f64 = 14.0;
const PITCH: f64 = 18.0;
const GROUP_HEAD: f64 = 30.0;

/// The plot of some rows, in their order.
pub fn svg(rows: &[Row]) -> String {
    let most = rows
        .iter()
        .map(|row| row.bytes_per_entity_tick)
        .fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    let mut bars = String::new();
    let mut y = 34.0;
    let mut motion = "";
    for row in rows {
        if row.motion != motion {
            motion = row.motion;
            y += GROUP_HEAD;
            text(&mut bars, 8.0, y - 10.0, "start", "bold", motion);
        }
        let long = row.bytes_per_entity_tick * scale;
        let fill = if row.mode == WIRE {
            "#d9480f"
        } else {
            "#748ffc"
        };
        let label = match row.predictor {
            Some(predictor) if row.mode == WIRE => format!("{WIRE} ({predictor})"),
            _ => row.mode.to_owned(),
        };
        let weight = if row.mode == WIRE { "bold" } else { "normal" };
        text(&mut bars, LEFT - 8.0, y + 11.0, "end", weight, &label);
        let figure = format!("{:.2}", row.bytes_per_entity_tick);
        text(
            &mut bars,
            LEFT + long + 6.0,
            y + 11.0,
            "start",
            weight,
            &figure,
        );
        // Writing to a string can't fail.
        let _ = writeln!(
            bars,
            r#"<rect x="{LEFT}" y="{y:.1}" width="{long:.1}" height="{BAR}" fill="{fill}"/>"#
        );
        y += PITCH;
    }
    let height = y + 12.0;
    let mut title = String::new();
    text(
        &mut title,
        8.0,
        24.0,
        "start",
        "bold",
        "Bytes per moving entity and tick",
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{title}{bars}</svg>\n"
    )
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, weight: &str, words: &str) {
    let _ = writeln!(
        out,
        r##"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-weight="{weight}" fill="#212529">{words}</text>"##
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_figures_and_stay_inside() {
        let row = |mode, bytes| Row {
            motion: "wasd",
            mode,
            bytes_per_entity_tick: bytes,
            ..Row::default()
        };
        let plot = svg(&[row(WIRE, 1.0), row("json", 54.0)]);
        assert!(plot.contains(r#"width="540.0""#), "{plot}");
        assert!(plot.contains(r#"width="10.0""#), "{plot}");
        assert_eq!(plot.matches("<text").count(), 6);
    }
}
