import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What training came to: a bar while it runs, a table, log.csv and plot.svg, as the C samples have them. */
final class Report {
    record Row(long epoch, double seconds, double rate, double trainLoss, double trainAccuracy, double testLoss, double testAccuracy, double scale, long skipped) {}

    private static final String HEADER = "epoch,seconds,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,loss_scale,skipped";
    private final List<Row> rows = new ArrayList<>();
    private final boolean inPlace, colour, utf8;
    private String title;
    private long total, later, lastTenth;
    private double start, lastDrawn;

    Report() {
        String term = System.getenv("TERM"), noColor = System.getenv("NO_COLOR"), to = "";
        try {
            to = Path.of("/proc/self/fd/1").toRealPath().toString();
        } catch (IOException e) {
            // a pipe
        }
        inPlace = (to.startsWith("/dev/pts/") || to.startsWith("/dev/tty")) && term != null && !term.equals("dumb");
        colour = inPlace && (noColor == null || noColor.isEmpty());
        String locale = "";
        for (String name : new String[] {"LC_ALL", "LC_CTYPE", "LANG"}) {
            if (locale.isEmpty() && System.getenv(name) != null) locale = System.getenv(name);
        }
        utf8 = locale.toLowerCase(Locale.ROOT).matches(".*utf-?8.*");
    }

    static void print(String format, Object... values) {
        System.out.print(String.format(Locale.ROOT, format, values));
        System.out.flush();
    }

    /** C's %.(digits)g. */
    static String g(double value, int digits) {
        if (Double.isNaN(value)) return "nan";
        if (Double.isInfinite(value)) return value > 0 ? "inf" : "-inf";
        if (value == 0) return "0";
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(digits)).stripTrailingZeros();
        int exponent = rounded.precision() - rounded.scale() - 1;
        if (exponent >= -4 && exponent < digits) return rounded.toPlainString();
        return rounded.movePointLeft(exponent).toPlainString() + String.format(Locale.ROOT, "e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    static double clock() {
        return 1e-9 * System.nanoTime();
    }

    // ---- the bar ----

    void begin(String title, long total, long later) {
        this.title = title;
        this.total = total;
        this.later = later;
        lastTenth = 0;
        lastDrawn = 0;
        start = clock();
    }

    double seconds() {
        return clock() - start;
    }

    private static String duration(double seconds) {
        long s = (long) (seconds + 0.5);
        return s >= 3600 ? String.format("%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60) : String.format("%d:%02d", s / 60, s % 60);
    }

    private String figures(long done, double loss, double accuracy, double scale, long skipped, boolean narrow) {
        double elapsed = seconds(), rate = elapsed > 0 ? done / elapsed : 0;
        String left = rate > 0 ? duration((total - done + later) / rate) : "?", factor = scale > 0 ? g(scale, 6) : "-";
        if (narrow) return String.format(Locale.ROOT, "%.1f/s left %s loss %.3f acc %.1f scale %s skipped %d", rate, left, loss, 100 * accuracy, factor, skipped);
        return String.format(Locale.ROOT, "%d/%d  %.1f steps/s  left %s  loss %.4f  acc %.1f %%  scale %s  skipped %d", done, total, rate, left, loss,
                100 * accuracy, factor, skipped);
    }

    void update(long done, double loss, double accuracy, double scale, long skipped) {
        if (!inPlace) {
            long tenth = done * 10 / total;
            if (tenth == lastTenth) return;
            lastTenth = tenth;
            print("%s %3d %%  %s\n", title, tenth * 10, figures(done, loss, accuracy, scale, skipped, false));
            return;
        }
        if (clock() - lastDrawn < 0.1 && done < total) return;
        lastDrawn = clock();
        int room = width() - 1;
        String text = figures(done, loss, accuracy, scale, skipped, false);
        if (room - title.length() - text.length() - 2 < 4) text = figures(done, loss, accuracy, scale, skipped, true);
        int bar = Math.min(40, room - title.length() - text.length() - 2);
        if (bar < 4) {
            String line = title + " " + text;
            print("\r%s\033[K", line.substring(0, Math.min(line.length(), Math.max(room, 1))));
            return;
        }
        int filled = (int) (done * bar / total);
        String full = utf8 ? "\u2501" : "#", rest = utf8 ? colour ? full : "\u2500" : "-";
        print("\r%s %s%s%s%s%s %s\033[K", title, colour ? "\033[32m" : "", full.repeat(filled), colour ? "\033[90m" : "", rest.repeat(bar - filled), colour ? "\033[0m" : "",
                text);
    }

    private static int width() {
        String columns = System.getenv("COLUMNS");
        return columns != null && columns.matches("[1-9]\\d{0,3}") ? Integer.parseInt(columns) : 80;
    }

    void end() {
        if (inPlace) print("\r\033[K");
    }

    // ---- table and log ----

    void printHeader() {
        print("%s%5s  %8s  %10s  %11s  %9s  %10s  %10s  %7s%s\n", colour ? "\033[1m" : "", "epoch", "time s", "train loss", "train acc %", "test loss", "test acc %",
                "loss scale", "skipped", colour ? "\033[0m" : "");
        for (Row row : rows) printRow(row);
    }

    private static void printRow(Row r) {
        print("%5d  %8.1f  %10.4f  %11.2f  %9.4f  %10.2f  %10s  %7d\n", r.epoch, r.seconds, r.trainLoss, 100 * r.trainAccuracy, r.testLoss, 100 * r.testAccuracy,
                r.scale > 0 ? g(r.scale, 6) : "-", r.skipped);
    }

    void add(Row row) {
        rows.add(row);
        printRow(row);
    }

    private static void write(Path path, String text) throws IOException {
        Path draft = path.resolveSibling(path.getFileName() + "." + ProcessHandle.current().pid() + ".part");
        Files.writeString(draft, text);
        Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    void writeCsv(Path path) throws IOException {
        StringBuilder text = new StringBuilder(HEADER + "\n");
        for (Row r : rows)
            text.append(String.format(Locale.ROOT, "%d,%.3f,%s,%s,%s,%s,%s,%s,%d\n", r.epoch, r.seconds, g(r.rate, 9), g(r.trainLoss, 9), g(r.trainAccuracy, 9),
                    g(r.testLoss, 9), g(r.testAccuracy, 9), g(r.scale, 9), r.skipped));
        write(path, text.toString());
    }

    /** The rows of a log up to an epoch; no log is an empty history. */
    void readCsv(Path path, long lastEpoch) {
        try {
            List<String> lines = Files.readAllLines(path);
            if (lines.isEmpty() || !lines.get(0).equals(HEADER)) return;
            for (String line : lines.subList(1, lines.size())) {
                String[] f = line.replace("nan", "NaN").split(",");
                Row r = new Row(Long.parseLong(f[0]), Double.parseDouble(f[1]), Double.parseDouble(f[2]), Double.parseDouble(f[3]), Double.parseDouble(f[4]),
                        Double.parseDouble(f[5]), Double.parseDouble(f[6]), Double.parseDouble(f[7]), Long.parseLong(f[8]));
                if (r.epoch > lastEpoch) return;
                rows.add(r);
            }
        } catch (IOException | RuntimeException e) {
            // what cannot be understood is left out
        }
    }

    // ---- the plot ----

    void writePlot(Path path, String title) throws IOException {
        StringBuilder to = new StringBuilder("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"920\" height=\"380\" viewBox=\"0 0 920 380\" font-family=\"sans-serif\" "
                + "font-size=\"12\" fill=\"#222\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        text(to, 460, 26, "text-anchor=\"middle\" font-size=\"16\"", title);
        panel(to, 0, "Loss", "cross-entropy", rows.stream().mapToDouble(Row::trainLoss).toArray(), rows.stream().mapToDouble(Row::testLoss).toArray());
        panel(to, 460, "Accuracy", "% right", rows.stream().mapToDouble(r -> 100 * r.trainAccuracy).toArray(), rows.stream().mapToDouble(r -> 100 * r.testAccuracy).toArray());
        write(path, to.append("</svg>\n").toString());
    }

    private static void put(StringBuilder to, String format, Object... values) {
        to.append(String.format(Locale.ROOT, format, values));
    }

    private static void text(StringBuilder to, double x, double y, String attributes, String text) {
        put(to, "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, attributes, text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"));
    }

    /** One direction of a panel: values from low to high lie on pixels from start to end. */
    private record Axis(double low, double high, double step, double start, double end) {
        double place(double value) {
            return start + (value - low) / (high - low) * (end - start);
        }

        static Axis of(boolean vertical, double start, double end, double[]... series) {
            double low = Double.POSITIVE_INFINITY, high = Double.NEGATIVE_INFINITY;
            for (double[] values : series) {
                for (double v : values) {
                    if (!Double.isFinite(v)) continue;
                    low = Math.min(low, v);
                    high = Math.max(high, v);
                }
            }
            if (low > high) {
                low = 0;
                high = 1;
            }
            if (low == high) {
                double half = !vertical ? 1 : low != 0 ? 0.1 * Math.abs(low) : 1;
                low -= half;
                high += half;
            }
            double rough = (high - low) / 6, power = Math.pow(10, Math.floor(Math.log10(rough))), part = rough / power;
            double step = power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
            if (!vertical) step = Math.max(step, 1);
            double space = 0.03 * (high - low);
            return vertical ? new Axis(Math.floor(low / step) * step, Math.ceil(high / step) * step, step, start, end) : new Axis(low - space, high + space, step, start, end);
        }
    }

    private void panel(StringBuilder to, double left, String title, String label, double[] train, double[] test) {
        double[] epochs = rows.stream().mapToDouble(Row::epoch).toArray();
        Axis x = Axis.of(false, left + 66, left + 442, epochs), y = Axis.of(true, 328, 74, train, test);
        for (long k = (long) Math.ceil(y.low / y.step - 1e-9); k <= (long) Math.floor(y.high / y.step + 1e-9); ++k) {
            put(to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#e4e4e4\"/>\n", x.start, y.place(k * y.step), x.end, y.place(k * y.step));
            text(to, x.start - 8, y.place(k * y.step) + 4, "text-anchor=\"end\"", g(k * y.step, 6));
        }
        for (long k = (long) Math.ceil(x.low / x.step - 1e-9); k <= (long) Math.floor(x.high / x.step + 1e-9); ++k) {
            put(to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#444\"/>\n", x.place(k * x.step), y.start, x.place(k * x.step), y.start + 5);
            text(to, x.place(k * x.step), y.start + 20, "text-anchor=\"middle\"", g(k * x.step, 6));
        }
        put(to, "<path fill=\"none\" stroke=\"#444\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", x.start, y.end, y.start, x.end);
        series(to, "#1f77b4", epochs, train, x, y);
        series(to, "#d62728", epochs, test, x, y);
        text(to, x.start, y.end - 8, "font-weight=\"bold\"", title);
        text(to, (x.start + x.end) / 2, y.start + 42, "text-anchor=\"middle\"", "epoch");
        double middle = (y.start + y.end) / 2;
        text(to, left + 18, middle, String.format(Locale.ROOT, "text-anchor=\"middle\" transform=\"rotate(-90 %.1f %.1f)\"", left + 18, middle), label);
        double at = x.end;
        for (String[] s : new String[][] {{"test", "#d62728"}, {"train", "#1f77b4"}}) {
            text(to, at, y.end - 8, "text-anchor=\"end\"", s[0]);
            at -= 7 * s[0].length();
            put(to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"3\"/>\n", at - 20, y.end - 12, at - 4, y.end - 12, s[1]);
            at -= 32;
        }
    }

    private static void series(StringBuilder to, String colour, double[] xs, double[] ys, Axis x, Axis y) {
        StringBuilder path = new StringBuilder(), dots = new StringBuilder();
        boolean down = false;
        for (int i = 0; i < xs.length; ++i) {
            if (!Double.isFinite(ys[i])) {
                down = false;
                continue;
            }
            put(path, "%c%.1f %.1f", down ? 'L' : 'M', x.place(xs[i]), y.place(ys[i]));
            put(dots, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x.place(xs[i]), y.place(ys[i]), colour);
            down = true;
        }
        put(to, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\" d=\"%s\"/>\n%s", colour, path, dots);
    }
}
