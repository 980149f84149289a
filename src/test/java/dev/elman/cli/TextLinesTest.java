package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class TextLinesTest {
    private static InputStream bytes(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    /** A text that is followed by a failure, which does not have to be waited for. */
    private static InputStream failingAfter(String text, Throwable failure) {
        return new FilterInputStream(bytes(text)) {
            @Override
            public int read(byte[] into, int from, int most) throws IOException {
                int count = super.read(into, from, most);
                if (count > 0) return count;
                if (failure instanceof Error error) throw error;
                throw (IOException) failure;
            }

            @Override
            public int available() {
                return 1;
            }
        };
    }

    private static TextLines lines(InputStream in) {
        return new TextLines(in, "test");
    }

    @Test
    void aLineEndsWithALineFeedACarriageReturnOrBoth() throws IOException {
        assertEquals(
                List.of("a", "b", "", "c", "", "d"),
                lines(bytes("a\r\nb\r\rc\n\nd")).all());
        assertEquals(List.of("a"), lines(bytes("\uFEFFa\r\n")).all());
        assertEquals(List.of(), lines(bytes("")).all());
    }

    /** The two halves of a line's end, and of a line, come apart. */
    @Test
    void whatIsThereIsNotWaitedFor() throws IOException {
        TextLines lines = lines(new SequenceInputStream(bytes("a\nb\r"), bytes("\nc\n\nd")));
        assertEquals(List.of("a", "b"), lines.some(9));
        assertEquals(2, lines.number());
        assertEquals(List.of("c", ""), lines.some(9));
        assertEquals(List.of("d"), lines.some(9));
        assertEquals(List.of(), lines.some(9));
    }

    @Test
    void atMostSoManyAtOnce() throws IOException {
        TextLines lines = lines(bytes("a\nb\nc\n"));
        assertEquals(List.of("a", "b"), lines.some(2));
        assertEquals(List.of("c"), lines.some(2));
    }

    @Test
    void lineLengthsDoNotMatter() throws IOException {
        String tens = "0123456789".repeat(30_000);
        assertEquals(
                List.of("x", tens, "y", tens),
                lines(bytes("x\n" + tens + "\ny\n" + tens)).all());
    }

    @Test
    void linesBeforeABadOneAreThere() throws IOException {
        TextLines lines = lines(bytes("a\nb\nc\0\nd\n"));
        assertEquals(List.of("a", "b"), lines.some(9));
        for (int i = 0; i < 2; i++) {
            UserException bad = assertThrows(UserException.class, () -> lines.some(9));
            assertTrue(bad.getMessage().startsWith("test: line 3 holds a NUL character"), bad.getMessage());
            assertEquals(2, lines.number());
        }
    }

    /** A device that fails, and a heap that is too small: it is the next line that has the trouble, not those before it. */
    @Test
    void linesBeforeAFailureAreThere() {
        Throwable[] failures = {new IOException("planted"), new OutOfMemoryError("planted")};
        String[] messages = {"cannot be read: planted", "does not fit into memory (planted). Break it into lines"};
        for (int i = 0; i < failures.length; i++) {
            TextLines lines = lines(failingAfter("a\nb\nc", failures[i]));
            assertEquals(List.of("a", "b"), lines.some(9));
            for (int again = 0; again < 2; again++) {
                UserException bad = assertThrows(UserException.class, () -> lines.some(9));
                assertTrue(bad.getMessage().startsWith("test: line 3 " + messages[i]), bad.getMessage());
            }
        }
    }
}
