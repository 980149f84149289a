package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.Required;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What bash and zsh offer once they have read our script. */
class CompletionTest {
    /** A zsh at a terminal: one line typed, Tab, and a key that tells what the line has become. */
    private static final String AT_A_TERMINAL = """
            zmodload zsh/zpty
            zpty line env TERM=dumb zsh -f -i
            zpty -w line "source completion; tell() { print -r -- \\"\\$BUFFER\\" >$3/told }; zle -N tell; bindkey '^T' tell"
            zpty -w line "cd $1; print RE''ADY"
            zpty -r -m line ignored '*READY*'
            zpty -w -n line "$2"$'\\t\\x14'
            repeat 600; do [[ -s $3/told ]] && break; zpty -r -t line ignored; sleep 0.05; done
            cat $3/told
            """;

    /** Where the script names those of an option. */
    private static final Pattern VALUES = Pattern.compile("local \\w+_option_args=");

    @TempDir
    private Path folder;

    private Path script() throws IOException {
        Outcome script = Outcome.of("completion");
        assertEquals(0, script.code(), script.err());
        return Files.writeString(folder.resolve("completion"), script.out());
    }

    private List<String> offered(String words) throws IOException, InterruptedException {
        return offered(Path.of(""), words);
    }

    /** What stands where the cursor is, behind these words, if Tab is pressed there in bash. */
    private List<String> offered(Path in, String words) throws IOException, InterruptedException {
        Path file = script();
        // compopt speaks to the line editor, and here is none.
        String press = "compopt() { :; }; source " + file + "; COMP_WORDS=(" + words
                + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1));"
                + " COMP_LINE=\"${COMP_WORDS[*]}\"; COMP_POINT=${#COMP_LINE}; _complete_elman;"
                + " printf '%s\\n' \"${COMPREPLY[@]}\"";
        return ended(new ProcessBuilder("bash", "--norc", "-c", press)
                        .directory(in.toAbsolutePath().toFile())
                        .redirectErrorStream(true)
                        .start())
                .lines()
                .map(String::strip)
                .toList();
    }

    /** What a line of zsh becomes when Tab is pressed at its end. */
    private String completed(String line) throws IOException, InterruptedException {
        script();
        ProcessBuilder zsh = new ProcessBuilder(
                "zsh",
                "-f",
                "-c",
                AT_A_TERMINAL,
                "zsh",
                Path.of("").toAbsolutePath().toString(),
                line,
                folder.toString());
        // It keeps what it has found out about itself in the home folder.
        zsh.environment().putAll(Map.of("HOME", folder.toString(), "ZDOTDIR", folder.toString()));
        zsh.directory(folder.toFile()).redirectErrorStream(true);
        try {
            return ended(zsh.start()).stripTrailing();
        } catch (IOException e) {
            throw Required.missing("zsh", "completion in zsh", "there is no zsh here (on Debian: apt-get install zsh)");
        }
    }

    private static String ended(Process shell) throws IOException, InterruptedException {
        String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, shell.waitFor(), output);
        return output;
    }

    @ParameterizedTest
    @CsvSource({
        "elman tra, train",
        "elman gen, generate",
        "elman train --win, --window",
        "elman train --recur, --recurrent-dropout",
        "elman train --task gen, generate",
        "elman predict --expl, --explain",
        "elman demo --backend cp, cpu",
        "elman convert --activation R, RELU",
        "elman convert --output L, LAST",
        "elman convert --merge S, SUM",
        "elman train READ, README.md"
    })
    void oneThingFits(String words, String completed) throws IOException, InterruptedException {
        assertEquals(List.of(completed), offered(words));
    }

    /** Whatever a file is called, its name is no code. */
    @ParameterizedTest
    @ValueSource(strings = {"elman train ''", "elman evaluate model.safetensors ''", "elman train --init ''"})
    void namesOfFilesAreOfferedAsTheyAre(String words) throws IOException, InterruptedException {
        Path files = Files.createDirectory(folder.resolve("files"));
        List<String> names = List.of(
                "a$(touch RUN).txt", "b`touch RUN`.txt", "c*.txt", "cd.txt", "it's.tsv", "my  novel.txt", "\"q\".txt");
        for (String name : names) Files.createFile(files.resolve(name));
        assertEquals(
                names.stream().sorted().toList(),
                offered(files, words).stream().sorted().toList());
        assertFalse(Files.exists(files.resolve("RUN")));
    }

    @ParameterizedTest
    @CsvSource({
        "elman gen, elman generate",
        "elman train --wind, elman train --window",
        "elman train --task gen, elman train --task generate",
        "elman demo --backend cp, elman demo --backend cpu",
        "elman train READ, elman train README.md"
    })
    void zshCompletesTheLine(String line, String becomes) throws IOException, InterruptedException {
        assertEquals(becomes, completed(line));
    }

    @Test
    void everyCommandIsOffered() throws IOException, InterruptedException {
        List<String> offered = offered("elman ''");
        HelpTest.commands().forEach(command -> assertTrue(offered.contains(command), offered.toString()));
    }

    @Test
    void whereDigitsAreOthersTheScriptIsTheSame() throws IOException {
        String usual = Files.readString(script());
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try {
            assertEquals(usual, Files.readString(script()));
        } finally {
            Locale.setDefault(before);
        }
    }

    /** Options of a command that are labelled alike are offered the values of the last of them. */
    @Test
    void everyOptionHasValuesOfItsOwn() throws IOException {
        for (String function : Files.readString(script()).split("\nfunction ", -1)) {
            List<String> values =
                    VALUES.matcher(function).results().map(MatchResult::group).toList();
            assertEquals(values.stream().distinct().toList(), values, function);
        }
    }
}
