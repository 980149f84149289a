package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What bash offers once it has read our script. */
class CompletionTest {
    @TempDir
    private Path folder;

    /** What stands where the cursor is, behind these words, if Tab is pressed there. */
    private List<String> offered(String words) throws IOException, InterruptedException {
        Outcome script = Outcome.of("completion");
        assertEquals(0, script.code(), script.err());
        Path file = Files.writeString(folder.resolve("completion"), script.out());
        // compopt speaks to the line editor, and here is none.
        String press = "compopt() { :; }; source " + file + "; COMP_WORDS=(" + words
                + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1));"
                + " COMP_LINE=\"${COMP_WORDS[*]}\"; COMP_POINT=${#COMP_LINE}; _complete_elman;"
                + " printf '%s\\n' \"${COMPREPLY[@]}\"";
        Process bash = new ProcessBuilder("bash", "--norc", "-c", press)
                .redirectErrorStream(true)
                .start();
        String output = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, bash.waitFor(), output);
        return output.lines().map(String::strip).toList();
    }

    @ParameterizedTest
    @CsvSource({
        "elman tra, train",
        "elman gen, generate",
        "elman train --win, --window",
        "elman train --task gen, generate",
        "elman predict --expl, --explain",
        "elman demo --backend cu, cuda",
        "elman train READ, README.md"
    })
    void oneThingFits(String words, String completed) throws IOException, InterruptedException {
        assertEquals(List.of(completed), offered(words));
    }

    @Test
    void everyCommandIsOffered() throws IOException, InterruptedException {
        List<String> offered = offered("elman ''");
        HelpTest.commands().forEach(command -> assertTrue(offered.contains(command), offered.toString()));
    }
}
