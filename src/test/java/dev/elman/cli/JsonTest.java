package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class JsonTest {
    @Test
    void whatJsonHasNoNumberForIsNull() {
        StringWriter all = new StringWriter();
        Json.print(new PrintWriter(all), new double[] {.5, Double.NaN, Double.NEGATIVE_INFINITY});
        assertEquals("[0.5,null,null]", all.toString().replaceAll("\\s", ""));
    }

    /** A confusion of many labels is longer than a String can be. */
    @Test
    void isNeverAllInOnePiece() {
        int[] longest = {0};
        StringWriter all = new StringWriter() {
            @Override
            public void write(String string, int from, int count) {
                longest[0] = Math.max(longest[0], count);
                super.write(string, from, count);
            }

            @Override
            public void write(char[] characters, int from, int count) {
                longest[0] = Math.max(longest[0], count);
                super.write(characters, from, count);
            }
        };
        List<String> values = Arrays.asList("<a>", null, "b");
        Json.print(new PrintWriter(all), values);
        assertEquals(String.join(System.lineSeparator(), "[\n  \"<a>\",\n  null,\n  \"b\"\n]", ""), all.toString());
        assertTrue(longest[0] < 8, "longest piece: " + longest[0]);
    }
}
