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
 * @param unsaid what was taken because the file does not say it, in sentences
 */
public record Report(String format, List<Row> rows, List<String> notes, List<String> unsaid) {
    /** Copies the lists, and throws {@link NullPointerException} for a null in them. */
    public Report {
        rows = List.copyOf(rows);
        notes = List.copyOf(notes);
        unsaid = List.copyOf(unsaid);
    }

    /** Nothing is unsaid. */
    Report(String format, List<Row> rows, List<String> notes) {
        this(format, rows, notes, List.of());
    }

    /** Of weights that are in the file as they are, under their own names. */
    static List<Row> rows(Network network) {
        List<Row> rows = new ArrayList<>();
        network.weights().forEach((name, array) -> rows.add(Row.of(name, name, How.COPIED, array.shape())));
        return rows;
    }

    /** As in {@code [128,64]}. */
    static String text(long... shape) {
        return Arrays.toString(shape).replace(" ", "");
    }

    /** What becomes of an array on its way. */
    public enum How {
        /** Nothing: it is copied as it is. */
        COPIED,
        /** Rows and columns are exchanged. */
        TRANSPOSED,
        /** It is added to another. */
        ADDED,
        /** It is one half of a vector, of which the other is the second bias or zeros. */
        HALF,
        /** It stands for the second of two classes; the first has zeros. */
        SECOND_OF_TWO_CLASSES,
        /** It is filled with zeros. */
        ZEROS
    }

    /**
     * An array of the file and the weight it belongs to.
     *
     * @param weight its name in {@link Network#weights()}
     * @param array its name in the file
     * @param shape as in {@code [128,64]}, in the file
     */
    public record Row(String weight, String array, String shape, How how) {
        static Row of(String weight, String array, How how, long... shape) {
            return new Row(weight, array, text(shape), how);
        }
    }
}
