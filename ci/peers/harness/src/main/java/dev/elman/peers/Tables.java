package dev.elman.peers;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** All peers at all shapes: checked, warmed, and timed in rounds. */
final class Tables {
    private static final double WARM_MILLIS = 700;

    private final QuietMachine machine;
    private final List<PeerProcess> peers;
    private final Options options;
    private final Consumer<String> progress;

    private final List<Cell> cells = new ArrayList<>();
    private final List<String> wrong = new ArrayList<>();
    private final Map<String, Map<Output, Double>> deviations = new LinkedHashMap<>();

    Tables(QuietMachine machine, List<PeerProcess> peers, Options options, Consumer<String> progress) {
        this.machine = machine;
        this.peers = peers;
        this.options = options;
        this.progress = progress;
    }

    List<Cell> cells() {
        return cells;
    }

    /** Which peers were not timed where, and why. */
    List<String> wrong() {
        return wrong;
    }

    /** Of each peer and output the largest over all shapes. */
    Map<String, Map<Output, Double>> deviations() {
        return deviations;
    }

    void measure(Sizes sizes) {
        List<PeerProcess> right = check(sizes);
        for (Mode mode : Mode.values()) {
            List<PeerProcess> able =
                    right.stream().filter(peer -> peer.can(mode)).toList();
            Cell cell = rounds(sizes, mode, able);
            cells.add(cell);
            for (String peer : cell.millis().keySet()) {
                double median = cell.of(peer).median();
                progress.accept(sizes + " " + mode.title() + ", " + peer + ": " + Markdown.number(median) + " ms");
            }
        }
    }

    /** Those that compute the right numbers. */
    private List<PeerProcess> check(Sizes sizes) {
        Check check = new Check(Problem.of(sizes));
        return willing(peers, sizes, peer -> {
            peer.ask("prepare", sizes.name());
            Map<Output, Double> worst = deviations.computeIfAbsent(peer.name(), name -> new EnumMap<>(Output.class));
            check.of(peer).forEach((output, deviation) -> worst.merge(output, deviation, Math::max));
        });
    }

    private Cell rounds(Sizes sizes, Mode mode, List<PeerProcess> able) {
        Map<String, double[]> millis = new LinkedHashMap<>();
        for (PeerProcess peer : able) millis.put(peer.name(), new double[options.rounds()]);
        List<PeerProcess> order = willing(able, sizes, peer -> peer.ask("warm", mode, WARM_MILLIS));
        for (int round = 0; round < options.rounds(); round++) {
            int place = round;
            order = willing(order, sizes, peer -> {
                double[] calls = machine.time(peer, mode, options.millis());
                millis.get(peer.name())[place] = Quartiles.of(calls).median();
            });
            Collections.rotate(order, 1);
        }
        millis.keySet().retainAll(order.stream().map(PeerProcess::name).toList());
        return new Cell(sizes, mode, millis);
    }

    /** What a peer is asked to do; it may fail. */
    private interface Request {
        void of(PeerProcess peer) throws IOException;
    }

    /** Those that did it. A peer that fails, or whose process ends, takes nothing of the others along. */
    private List<PeerProcess> willing(List<PeerProcess> asked, Sizes sizes, Request request) {
        List<PeerProcess> able = new ArrayList<>();
        for (PeerProcess peer : asked) {
            try {
                request.of(peer);
                able.add(peer);
            } catch (IOException e) {
                wrong.add(peer.name() + " at " + sizes + ": " + e.getMessage());
                progress.accept("NOT TIMED: " + wrong.get(wrong.size() - 1));
            }
        }
        return able;
    }
}
