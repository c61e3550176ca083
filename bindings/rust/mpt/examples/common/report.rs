//! What training shows and leaves behind: a bar or lines, a table, a CSV log and a plot.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// A number as C's %.<digits>g writes it.
pub fn general(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "nan".into() } else if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let scientific = format!("{:.*e}", digits - 1, value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text.to_string() };
    if exponent < -4 || exponent >= digits as i32 {
        format!("{}e{}{:02}", trim(mantissa), if exponent < 0 { '-' } else { '+' }, exponent.abs())
    } else {
        trim(&format!("{:.*}", (digits as i32 - 1 - exponent) as usize, value))
    }
}

/// A number with that many decimals; not a number as C writes it.
pub fn fixed(value: f64, decimals: usize) -> String {
    if value.is_finite() {
        format!("{:.*}", decimals, value)
    } else {
        general(value, 1)
    }
}

/// What the place that output goes to can show.
pub struct Terminal {
    in_place: bool,
    colour: bool,
    utf8: bool,
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

impl Terminal {
    pub fn open() -> Terminal {
        let stdout = std::fs::read_link("/proc/self/fd/1").unwrap_or_default();
        let is_terminal = stdout.starts_with("/dev/pts") || stdout.starts_with("/dev/tty") || stdout.starts_with("/dev/console");
        let in_place = is_terminal && !matches!(variable("TERM").as_str(), "" | "dumb");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().map(|n| variable(n)).find(|v| !v.is_empty()).unwrap_or_default().to_lowercase();
        Terminal { in_place, colour: in_place && variable("NO_COLOR").is_empty(), utf8: locale.contains("utf-8") || locale.contains("utf8") }
    }

    fn width(&self) -> usize {
        let ask = || {
            let tty = std::fs::File::open("/dev/tty").ok()?;
            let answer = std::process::Command::new("stty").arg("size").stdin(tty).output().ok()?;
            String::from_utf8(answer.stdout).ok()?.split_whitespace().nth(1)?.parse().ok()
        };
        ask().filter(|&w| w > 0).unwrap_or(80)
    }
}

/// What is shown beside the bar.
pub struct Shown {
    pub loss: f64,
    pub accuracy: f64,
    /// 0: no loss scaling.
    pub scale: f64,
    pub skipped: i64,
}

/// How far an epoch has come: a bar on a terminal, plain lines elsewhere.
pub struct Progress<'t> {
    terminal: &'t Terminal,
    width: usize,
    title: String,
    total: i64,
    /// Steps that come after this bar and count for the time left.
    later: i64,
    start: Instant,
    last_drawn: Option<Instant>,
    last_tenth: i64,
}

fn duration(seconds: f64) -> String {
    let s = (seconds + 0.5) as i64;
    if s >= 3600 {
        format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    } else {
        format!("{}:{:02}", s / 60, s % 60)
    }
}

fn scale_text(scale: f64) -> String {
    if scale > 0.0 {
        general(scale, 6)
    } else {
        "-".into()
    }
}

impl<'t> Progress<'t> {
    pub fn begin(terminal: &'t Terminal, title: String, total: i64, later: i64) -> Progress<'t> {
        let width = if terminal.in_place { terminal.width() } else { 0 };
        Progress { terminal, width, title, total, later, start: Instant::now(), last_drawn: None, last_tenth: 0 }
    }

    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn figures(&self, done: i64, v: &Shown, narrow: bool) -> String {
        let elapsed = self.seconds();
        let rate = if elapsed > 0.0 { done as f64 / elapsed } else { 0.0 };
        let left = if rate > 0.0 { duration((self.total - done + self.later) as f64 / rate) } else { "?".into() };
        let scale = scale_text(v.scale);
        let shown = 100.0 * v.accuracy;
        if narrow {
            let accuracy = if shown.is_finite() { format!(" acc {:.1}", shown) } else { String::new() };
            format!("{:.1}/s left {} loss {}{} scale {} skipped {}", rate, left, fixed(v.loss, 3), accuracy, scale, v.skipped)
        } else {
            let accuracy = if shown.is_finite() { format!("  acc {:.1} %", shown) } else { String::new() };
            format!("{}/{}  {:.1} steps/s  left {}  loss {}{}  scale {}  skipped {}", done, self.total, rate, left, fixed(v.loss, 4), accuracy, scale, v.skipped)
        }
    }

    fn draw(&self, done: i64, v: &Shown) {
        let (t, room) = (self.terminal, self.width.saturating_sub(1));
        let mut line = String::from("\r");
        let fitting = [false, true].iter().map(|&narrow| self.figures(done, v, narrow)).find(|f| self.title.len() + f.len() + 6 <= room);
        if let Some(figures) = fitting {
            let bar = (room - self.title.len() - figures.len() - 2).min(40);
            let filled = if self.total > 0 { (done * bar as i64 / self.total) as usize } else { bar };
            let full = if t.utf8 { "\u{2501}" } else { "#" };
            let rest = if !t.utf8 { "-" } else if t.colour { full } else { "\u{2500}" };
            let (green, grey, plain) = if t.colour { ("\x1b[32m", "\x1b[90m", "\x1b[0m") } else { ("", "", "") };
            let _ = write!(line, "{} {}{}{}{}{} {}", self.title, green, full.repeat(filled), grey, rest.repeat(bar - filled), plain, figures);
        } else {
            line.extend(format!("{} {}", self.title, self.figures(done, v, true)).chars().take(room.max(1)));
        }
        print!("{}\x1b[K", line);
        let _ = std::io::stdout().flush();
    }

    /// Call after each step: draws when enough has changed.
    pub fn update(&mut self, done: i64, v: &Shown) {
        if self.terminal.in_place {
            if done < self.total && self.last_drawn.map_or(false, |at| at.elapsed() < Duration::from_millis(100)) {
                return;
            }
            self.last_drawn = Some(Instant::now());
            self.draw(done, v);
        } else {
            let tenth = if self.total > 0 { done * 10 / self.total } else { 10 };
            if tenth != self.last_tenth {
                self.last_tenth = tenth;
                println!("{} {:3} %  {}", self.title, tenth * 10, self.figures(done, v, false));
            }
        }
    }

    /// Removes the bar.
    pub fn end(&self) {
        if self.terminal.in_place {
            print!("\r\x1b[K");
            let _ = std::io::stdout().flush();
        }
    }
}

/// A row of the table: an epoch.
pub struct Row {
    pub epoch: i64,
    pub seconds: f64,
    pub rate: f64,
    pub train_loss: f64,
    pub train_accuracy: f64,
    pub test_loss: f64,
    pub test_accuracy: f64,
    pub scale: f64,
    pub skipped: i64,
}

const HEADER: &str = "epoch,seconds,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,loss_scale,skipped";

pub fn print_header(t: &Terminal) {
    let (bold, plain) = if t.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    println!(
        "{}{:>5}  {:>8}  {:>10}  {:>11}  {:>9}  {:>10}  {:>10}  {:>7}{}",
        bold, "epoch", "time s", "train loss", "train acc %", "test loss", "test acc %", "loss scale", "skipped", plain
    );
}

pub fn print_row(r: &Row) {
    let train = if r.train_accuracy.is_finite() { format!("{:.2}", 100.0 * r.train_accuracy) } else { "-".into() };
    println!(
        "{:>5}  {:>8}  {:>10}  {:>11}  {:>9}  {:>10}  {:>10}  {:>7}",
        r.epoch,
        fixed(r.seconds, 1),
        fixed(r.train_loss, 4),
        train,
        fixed(r.test_loss, 4),
        fixed(100.0 * r.test_accuracy, 2),
        scale_text(r.scale),
        r.skipped
    );
}

/// Writes a file beside its place first, so that it appears whole or not at all.
fn write_whole(path: &str, text: &str) -> std::io::Result<()> {
    let draft = format!("{}.{}.part", path, std::process::id());
    std::fs::write(&draft, text)?;
    std::fs::rename(&draft, path)
}

pub fn write_csv(rows: &[Row], path: &str) -> std::io::Result<()> {
    let mut text = format!("{}\n", HEADER);
    for r in rows {
        let numbers = [r.rate, r.train_loss, r.train_accuracy, r.test_loss, r.test_accuracy, r.scale].map(|v| general(v, 9));
        let _ = writeln!(text, "{},{},{},{}", r.epoch, fixed(r.seconds, 3), numbers.join(","), r.skipped);
    }
    write_whole(path, &text)
}

/// The rows of a log up to an epoch, to the first that cannot be understood.
pub fn read_csv(path: &str, last_epoch: i64) -> Vec<Row> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return Vec::new();
    }
    let row = |line: &str| -> Option<Row> {
        let fields: Vec<&str> = line.split(',').collect();
        let real = |i: usize| fields.get(i)?.parse::<f64>().ok();
        Some(Row {
            epoch: fields.first()?.parse().ok().filter(|&e: &i64| e <= last_epoch)?,
            seconds: real(1)?,
            rate: real(2)?,
            train_loss: real(3)?,
            train_accuracy: real(4)?,
            test_loss: real(5)?,
            test_accuracy: real(6)?,
            scale: real(7)?,
            skipped: fields.get(8)?.parse().ok()?,
        })
    };
    lines.map_while(row).collect()
}

// ---- the plot: panels of 460 x 340 pixels side by side ----

/// One direction of a panel: values from low to high lie on pixels from start to end.
struct Axis {
    low: f64,
    high: f64,
    step: f64,
    start: f64,
    end: f64,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64>, whole: bool, start: f64, end: f64) -> Axis {
        let (mut low, mut high) = values.filter(|v| v.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            low = 0.0;
            high = 1.0;
        }
        if low == high {
            let half = if whole { 1.0 } else if low != 0.0 { 0.1 * low.abs() } else { 1.0 };
            low -= half;
            high += half;
        }
        let rough = (high - low) / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = power * [1.0, 2.0, 5.0].iter().copied().find(|&s| rough / power <= s).unwrap_or(10.0);
        if whole {
            let space = 0.03 * (high - low);
            return Axis { low: low - space, high: high + space, step: step.max(1.0), start, end };
        }
        Axis { low: (low / step).floor() * step, high: (high / step).ceil() * step, step, start, end }
    }
    fn place(&self, value: f64) -> f64 {
        self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)
    }
    fn ticks(&self) -> impl Iterator<Item = f64> + '_ {
        let (first, last) = ((self.low / self.step - 1e-9).ceil() as i64, (self.high / self.step + 1e-9).floor() as i64);
        (first..=last).map(move |k| k as f64 * self.step)
    }
}

/// Name, colour and points.
type Series<'t> = (&'t str, &'t str, Vec<(f64, f64)>);

fn panel(svg: &mut String, left: f64, title: &str, y_label: &str, series: &[Series<'_>]) {
    let points = || series.iter().flat_map(|s| s.2.iter().filter(|p| p.1.is_finite()));
    let x = Axis::new(points().map(|p| p.0), true, left + 66.0, left + 442.0);
    let y = Axis::new(points().map(|p| p.1), false, 328.0, 74.0);
    for v in y.ticks() {
        let at = y.place(v);
        let _ = writeln!(svg, "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#e4e4e4\"/>", x.start, at, x.end, at);
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", x.start - 8.0, at + 4.0, general(v, 6));
    }
    for v in x.ticks() {
        let at = x.place(v);
        let _ = writeln!(svg, "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#444\"/>", at, y.start, at, y.start + 5.0);
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>", at, y.start + 20.0, general(v, 6));
    }
    let _ = writeln!(svg, "<path fill=\"none\" stroke=\"#444\" d=\"M{:.1} {:.1}V{:.1}H{:.1}\"/>", x.start, y.end, y.start, x.end);
    for (_, colour, line) in series {
        let path: Vec<String> = line.iter().filter(|p| p.1.is_finite()).map(|p| format!("{:.1} {:.1}", x.place(p.0), y.place(p.1))).collect();
        let start = if path.is_empty() { "" } else { "M" };
        let _ = writeln!(svg, "<path fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\" d=\"{}{}\"/>", colour, start, path.join("L"));
        for p in line.iter().filter(|p| p.1.is_finite()) {
            let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{}\"/>", x.place(p.0), y.place(p.1), colour);
        }
    }
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" font-weight=\"bold\">{}</text>", x.start, y.end - 8.0, title);
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">epoch</text>", (x.start + x.end) / 2.0, y.start + 42.0);
    let (side, middle) = (left + 18.0, (y.start + y.end) / 2.0);
    let _ = writeln!(svg, "<text x=\"{0:.1}\" y=\"{1:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 {0:.1} {1:.1})\">{2}</text>", side, middle, y_label);
    // Above the axes, at the right, where no curve can run through it; seven pixels a letter is enough at this size.
    let mut legend = x.end;
    for (name, colour, _) in series.iter().rev() {
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", legend, y.end - 8.0, name);
        legend -= 7.0 * name.len() as f64;
        let at = y.end - 12.0;
        let _ = writeln!(svg, "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{}\" stroke-width=\"3\"/>", legend - 20.0, at, legend - 4.0, at, colour);
        legend -= 32.0;
    }
}

pub fn write_plot(rows: &[Row], path: &str, title: &str) -> std::io::Result<()> {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"920\" height=\"380\" viewBox=\"0 0 920 380\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
    );
    let _ = writeln!(svg, "<text x=\"460.0\" y=\"26.0\" text-anchor=\"middle\" font-size=\"16\">{}</text>", title);
    let line = |value: fn(&Row) -> f64| rows.iter().map(|r| (r.epoch as f64, value(r))).collect::<Vec<_>>();
    panel(&mut svg, 0.0, "Loss", "cross-entropy", &[("train", "#1f77b4", line(|r| r.train_loss)), ("test", "#d62728", line(|r| r.test_loss))]);
    panel(&mut svg, 460.0, "Accuracy", "% right", &[("train", "#1f77b4", line(|r| 100.0 * r.train_accuracy)), ("test", "#d62728", line(|r| 100.0 * r.test_accuracy))]);
    svg.push_str("</svg>\n");
    write_whole(path, &svg)
}
