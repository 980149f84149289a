package dev.elman.peers;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What to measure.
 *
 * @param peers names from {@code peers.conf}; empty for all
 * @param rounds how often each peer is measured for each cell
 * @param millis the least time of a measurement
 * @param patience the seconds that all measurements together may wait for other processes to end
 */
record Options(Set<Part> parts, List<String> peers, List<Sizes> shapes, int rounds, double millis, double patience) {
    /** The sections of the report. */
    enum Part {
        TABLES,
        START,
        MEMORY,
        SCALING
    }

    static final String USAGE = """
            Arguments, all of the form NAME=VALUE:
              parts=LIST    of tables, start, memory, scaling; all by default
              peers=LIST    names from ci/peers/peers.conf; all by default
              shapes=LIST   NxTxDxH, such as 1x128x64x64,32x64x64x128; eight by default
              rounds=R      measurements of each peer for each cell; 11 by default
              ms=MS         the least time of a measurement in milliseconds; 200 by default
              patience=S    seconds that all may wait for other processes; 300 by default""";

    /** Throws {@link IllegalArgumentException} that says what is wrong. */
    static Options parse(String... arguments) {
        Options options = new Options(EnumSet.allOf(Part.class), List.of(), Sizes.USUAL, 11, 200, 300);
        for (String argument : arguments) {
            String[] pair = argument.split("=", 2);
            if (pair.length < 2) throw new IllegalArgumentException("\"" + argument + "\" is no NAME=VALUE.");
            options = options.with(pair[0], pair[1]);
        }
        return options;
    }

    private Options with(String name, String value) {
        List<String> list = Arrays.asList(value.split(","));
        return switch (name) {
            case "parts" -> new Options(parts(list), peers, shapes, rounds, millis, patience);
            case "peers" -> new Options(parts, list, shapes, rounds, millis, patience);
            case "shapes" ->
                new Options(parts, peers, list.stream().map(Sizes::parse).toList(), rounds, millis, patience);
            case "rounds" -> new Options(parts, peers, shapes, whole(name, 1, value), millis, patience);
            case "ms" -> new Options(parts, peers, shapes, rounds, whole(name, 1, value), patience);
            case "patience" -> new Options(parts, peers, shapes, rounds, millis, whole(name, 0, value));
            default -> throw new IllegalArgumentException("There is no argument " + name + ".");
        };
    }

    private static Set<Part> parts(List<String> names) {
        Set<Part> parts = EnumSet.noneOf(Part.class);
        for (String name : names) {
            try {
                parts.add(Part.valueOf(name.toUpperCase(Locale.ROOT)));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("There is no part \"" + name + "\".", e);
            }
        }
        return parts;
    }

    private static int whole(String name, int least, String value) {
        try {
            if (Integer.parseInt(value) >= least) return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new IllegalArgumentException(
                name + " is a whole number of " + least + " or more, but \"" + value + "\" was given.");
    }

    /**
     * Those of {@code all} that were asked for; throws {@link IllegalArgumentException} where there is none of a name.
     */
    List<PeerSpec> choose(List<PeerSpec> all) {
        List<String> names = all.stream().map(PeerSpec::name).toList();
        for (String peer : peers) {
            if (!names.contains(peer)) {
                throw new IllegalArgumentException("There is no peer \"" + peer + "\", only " + names + ".");
            }
        }
        return all.stream()
                .filter(spec -> peers.isEmpty() || peers.contains(spec.name()))
                .toList();
    }
}
