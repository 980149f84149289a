package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Every command helps, and what its help shows can be typed. */
class HelpTest {
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

    @TempDir
    private Path folder;

    private static CommandLine commandLine() {
        Terminal nobody = new Terminal(
                InputStream.nullInputStream(),
                new PrintWriter(Writer.nullWriter()),
                new PrintWriter(Writer.nullWriter()),
                false);
        return Main.commandLine(nobody);
    }

    static Stream<String> commands() {
        return commandLine().getSubcommands().keySet().stream();
    }

    /** The words of each example in a help text that calls elman, without what the shell does with input and output. */
    private static List<List<String>> examples(String help) {
        List<List<String>> examples = new ArrayList<>();
        String after = help.substring(help.indexOf("Example:"));
        for (String line : after.lines().filter(l -> l.startsWith("  elman ")).toList()) {
            List<String> words = new ArrayList<>();
            Matcher matcher = WORD.matcher(line.replaceFirst(" [<>|].*", ""));
            while (matcher.find()) words.add(matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
            examples.add(words.subList(1, words.size()));
        }
        return examples;
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHelpsWithAnExampleThatParses(String command) {
        Outcome help = Outcome.of(command, "--help");
        assertEquals(0, help.code());
        assertEquals("", help.err());
        assertTrue(help.out().contains("Usage: elman " + command), help.out());
        String codes = help.out().substring(help.out().indexOf("Exit codes:"));
        for (String code : new String[] {"0", "2", "3"}) { // the latter two are every command's
            assertTrue(codes.lines().anyMatch(line -> line.startsWith("  " + code + "  ")), code + " in " + codes);
        }
        assertTrue(help.out().lines().allMatch(line -> line.length() <= 100), help.out());
        List<List<String>> examples = examples(help.out());
        assertEquals(command, examples.get(0).get(0), "the first example is of the command itself");
        for (List<String> example : examples) commandLine().parseArgs(Outcome.line(example));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void helpIsACommandToo(String command) {
        Outcome help = Outcome.of("help", command);
        assertEquals(0, help.code(), help.err());
        assertEquals(Outcome.of(command, "--help").out(), help.out());
    }

    @Test
    void helpAloneListsTheCommands() {
        assertEquals(Outcome.of("--help"), Outcome.of("help"));
    }

    @Test
    void helpNamesEveryBackend() {
        String help = Outcome.of("train", "--help").out();
        assertTrue(
                help.replaceAll("\\s+", " ").contains("Where to compute: auto, cuda, cpu, reference, cuda-tf32 "),
                help);
    }

    @Test
    void helpListsAllCommandsWithAnExample() {
        String help = Outcome.of("--help").out();
        commands().forEach(command -> assertTrue(help.contains("\n  " + command + " "), help));
        assertFalse(examples(help).isEmpty());
        for (List<String> example : examples(help)) commandLine().parseArgs(Outcome.line(example));
    }

    /** The examples of training go on with those of asking, so they run one after another, in small. */
    @Test
    void theExamplesOfTrainPredictAndGenerateRun() throws IOException {
        Files.writeString(folder.resolve("names.tsv"), "en\tnew zealand\npl\twielka brytania\n".repeat(10));
        Files.copy(folder.resolve("names.tsv"), folder.resolve("others.tsv"));
        Files.writeString(folder.resolve("novel.txt"), "The sun rose.\nThe end.\n".repeat(50));
        Files.writeString(folder.resolve("villages.txt"), "Rye\nWye\nNew Rye\n".repeat(20));
        List<String> small = List.of("--epochs", "1", "--backend", "cpu");
        for (String command : List.of("train", "predict", "generate")) {
            for (List<String> example : examples(Outcome.of(command, "--help").out())) {
                List<String> words = new ArrayList<>(example);
                words.replaceAll(word -> word.matches("\\w+\\.\\w+") && !word.matches("[0-9.]+")
                        ? folder.resolve(word).toString()
                        : word);
                if (command.equals("train")) words.addAll(small);
                if (command.equals("train") && !words.contains("--init")) words.addAll(List.of("--hidden", "4"));
                Outcome outcome = Outcome.withInput("new zealand\n", Outcome.line(words));
                assertEquals(0, outcome.code(), words + ": " + outcome.err());
                assertEquals("", outcome.err(), words.toString());
            }
        }
        assertTrue(Files.exists(folder.resolve("brytania.png")));
    }
}
