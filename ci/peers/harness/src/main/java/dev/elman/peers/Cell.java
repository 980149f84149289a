package dev.elman.peers;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One shape in one mode.
 *
 * @param millis for each peer that was timed, its median call in each round; the same rounds for all
 */
record Cell(Sizes sizes, Mode mode, Map<String, double[]> millis) {
    static final String OURS = "elman";

    Quartiles of(String peer) {
        return Quartiles.of(millis.get(peer));
    }

    boolean has(String peer) {
        return millis.containsKey(peer);
    }

    /** The peer with the least median over all rounds; none unless elman and another were timed. */
    Optional<String> best() {
        List<String> others =
                millis.keySet().stream().filter(peer -> !peer.equals(OURS)).toList();
        if (!has(OURS)) return Optional.empty();
        return others.stream().min(Comparator.comparingDouble(peer -> of(peer).median()));
    }

    /** elman's time divided by that peer's, round by round: what slows a whole round down cancels. */
    Quartiles ratioTo(String peer) {
        double[] ours = millis.get(OURS);
        double[] theirs = millis.get(peer);
        double[] ratios = new double[ours.length];
        for (int i = 0; i < ratios.length; i++) ratios[i] = ours[i] / theirs[i];
        return Quartiles.of(ratios);
    }

    /** 10^9 operations a second at that peer's median. */
    double gflops(String peer) {
        return mode.operations(sizes) / of(peer).median() / 1e6;
    }
}
