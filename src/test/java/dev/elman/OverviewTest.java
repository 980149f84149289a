package dev.elman;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Backend;
import dev.elman.contract.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program on the first page of the Javadoc prints what the page says it prints. */
class OverviewTest {
    private static final Path PAGE = Path.of("src/main/javadoc/overview.html");

    @TempDir
    private Path folder;

    @Test
    void theProgramPrintsWhatThePageSays() throws Exception {
        String here;
        try (Backend backend = Backends.open()) {
            here = backend.name();
        }
        assertPrints(here);
    }

    @Test
    @Tag("cuda")
    void andEndsOnTheGpu() throws Exception {
        Required.open("cuda", () -> Backends.open("cuda")).close();
        assertPrints("cuda");
    }

    /** @param backend where the page, written for a machine with a GPU, has cuda */
    private void assertPrints(String backend) throws Exception {
        List<String> expected = new ArrayList<>(between("<pre class=\"printed\">", "</pre>"));
        assertEquals("cuda", expected.set(expected.size() - 1, backend));
        String printed = new ExampleCode(between("<pre>{@code", "}</pre>")).run(folder);
        assertEquals(expected, printed.lines().toList());
    }

    /** The lines between these lines, each time they occur. */
    private static List<String> between(String first, String last) throws IOException {
        List<String> found = new ArrayList<>();
        boolean inside = false;
        for (String line : Files.readAllLines(PAGE)) {
            if (inside && line.equals(last)) inside = false;
            if (inside) found.add(line);
            if (line.equals(first)) inside = true;
        }
        return found;
    }
}
