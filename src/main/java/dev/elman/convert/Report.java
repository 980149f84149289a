package dev.elman.convert;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What of a file became what of a network, or the other way round.
 *
 * @param format of the file, as people call it
 * @param rows one for each array of the file that has a part in the network
 * @param notes what the two do not have in common, in sentences
 */
public record Report(String format, List<Row> rows, List<String> notes) {
    /** How a note begins on what was taken because the file does not say it. */
    public static final String UNSAID = "The file does not say its ";

    /** Copies both lists, and throws {@link NullPointerException} for a null in them. */
    public Report {
        rows = List.copyOf(rows);
        notes = List.copyOf(notes);
    }

    /** Of weights that are in the file as they are, under their own names. */
    static List<Row> rows(Network network) {
        List<Row> rows = new ArrayList<>();
        network.weights().forEach((name, array) -> rows.add(Row.of(name, name, "", array.shape())));
        return rows;
    }

    /** As in {@code [128,64]}. */
    static String text(long... shape) {
        return Arrays.toString(shape).replace(" ", "");
    }

    /**
     * An array of the file and the weight it belongs to.
     *
     * @param weight its name in {@link Network#weights()}
     * @param array its name in the file
     * @param shape as in {@code [128,64]}, in the file
     * @param how what is done to it besides copying; empty for nothing
     */
    public record Row(String weight, String array, String shape, String how) {
        static Row of(String weight, String array, String how, long... shape) {
            return new Row(weight, array, text(shape), how);
        }
    }
}
