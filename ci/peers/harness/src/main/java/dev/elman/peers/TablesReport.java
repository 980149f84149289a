package dev.elman.peers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/** What {@link Tables} measured, as text. */
final class TablesReport {
    /** The usual answer to "a network on the JVM". */
    private static final String USUAL_ANSWER = "djl";

    private final List<Cell> cells;

    TablesReport(List<Cell> cells) {
        this.cells = cells;
    }

    void writeTo(Markdown text, int rounds) {
        for (Mode mode : Mode.values()) {
            List<Cell> ofMode =
                    cells.stream().filter(cell -> cell.mode() == mode).toList();
            times(text, mode, ofMode, rounds);
            ratios(text, mode, ofMode);
        }
        means(text);
    }

    private static void times(Markdown text, Mode mode, List<Cell> cells, int rounds) {
        List<String> peers = cells.stream()
                .flatMap(cell -> cell.millis().keySet().stream())
                .distinct()
                .toList();
        text.heading(mode.title() + ": ms a call, median of " + rounds + " rounds (quartiles)");
        text.table(with("(N,T,D,H)", peers));
        for (Cell cell : cells) {
            List<String> times = peers.stream()
                    .map(peer -> cell.has(peer) ? time(cell.of(peer)) : "not timed")
                    .toList();
            text.row(with(cell.sizes().toString(), times));
        }
    }

    private static String time(Quartiles millis) {
        return Markdown.number(millis.median()) + " (" + Markdown.number(millis.low()) + " to "
                + Markdown.number(millis.high()) + ")";
    }

    private static void ratios(Markdown text, Mode mode, List<Cell> cells) {
        List<Cell> compared =
                cells.stream().filter(cell -> cell.best().isPresent()).toList();
        if (compared.isEmpty()) return;
        text.heading(mode.title() + ": elman's time / the best peer's, within a round");
        text.table(List.of("(N,T,D,H)", "best peer", "ratio", "quartiles", "not slower", "elman, GFLOP/s"));
        for (Cell cell : compared) {
            String best = cell.best().orElseThrow();
            Quartiles ratio = cell.ratioTo(best);
            text.row(List.of(
                    cell.sizes().toString(),
                    best,
                    Markdown.ratio(ratio.median()),
                    Markdown.ratio(ratio.low()) + " to " + Markdown.ratio(ratio.high()),
                    Verdict.of(ratio).words(),
                    Markdown.number(cell.gflops(Cell.OURS))));
        }
    }

    /** How many times as fast elman is, geometrically averaged. */
    private void means(Markdown text) {
        Map<String, List<Cell>> groups = new LinkedHashMap<>();
        for (Mode mode : Mode.values()) {
            groups.put(
                    mode.title(),
                    cells.stream().filter(cell -> cell.mode() == mode).toList());
        }
        groups.put("both", cells);
        if (cells.stream().noneMatch(cell -> cell.best().isPresent())) return;
        text.heading("How many times as fast elman is: geometric means over the shapes");
        text.table(List.of("", "as the best peer", "as " + USUAL_ANSWER));
        groups.forEach((title, group) -> text.row(List.of(
                title,
                speed(group, Cell::best),
                speed(
                        group,
                        cell -> Optional.of(USUAL_ANSWER).filter(peer -> cell.has(peer) && cell.has(Cell.OURS))))));
    }

    /** A cell's peer, where the cell can be compared with it. */
    private interface Choice {
        Optional<String> of(Cell cell);
    }

    private static String speed(List<Cell> cells, Choice peer) {
        ToDoubleFunction<Cell> logarithm =
                cell -> -Math.log(cell.ratioTo(peer.of(cell).orElseThrow()).median());
        DoubleStream logarithms =
                cells.stream().filter(cell -> peer.of(cell).isPresent()).mapToDouble(logarithm);
        double mean = logarithms.average().orElse(Double.NaN);
        return Double.isNaN(mean) ? "not measured" : Markdown.ratio(Math.exp(mean));
    }

    private static List<String> with(String first, List<String> others) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(others);
        return all;
    }

    static void deviations(Markdown text, Map<String, Map<Output, Double>> deviations) {
        List<String> titles = new ArrayList<>(List.of("peer"));
        for (Output output : Output.values()) titles.add(output.title());
        text.heading("Largest deviation from loops in double over all shapes, as a share of the largest element");
        text.table(titles);
        deviations.forEach((peer, worst) -> {
            List<String> row = new ArrayList<>(List.of(peer));
            for (Output output : Output.values()) {
                Double deviation = worst.get(output);
                row.add(deviation == null ? "" : String.format(Locale.ROOT, "%.1e", deviation));
            }
            text.row(row);
        });
    }

    /** A line for each round of each peer, for programs. */
    static List<String> tsv(List<Cell> cells) {
        List<String> lines = new ArrayList<>(List.of("N\tT\tD\tH\tmode\tpeer\tround\tms"));
        for (Cell cell : cells) {
            String sizes = cell.sizes().name().replace('x', '\t');
            cell.millis().forEach((peer, rounds) -> {
                for (int round = 0; round < rounds.length; round++) {
                    lines.add(String.join("\t", sizes, cell.mode().name(), peer, "" + round, "" + rounds[round]));
                }
            });
        }
        return lines;
    }
}
