package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.OutOfDeviceMemoryException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.Command;

class CommandLineTest {
    @Test
    void versionNamesElmanAndJava() {
        Outcome version = Outcome.of("--version");
        assertEquals(0, version.code());
        assertTrue(version.out().startsWith("elman "), version.out());
        assertTrue(version.out().contains("Java " + Runtime.version()), version.out());
    }

    /** As a variable of the shell that is not set leaves it. */
    @Test
    void anEmptyNameIsNoFolder() {
        Outcome outcome = Outcome.of("train", "no-such-file.tsv", "--out", "");
        assertEquals(Failures.BAD_INPUT, outcome.code());
        assertTrue(outcome.err().contains("'--out': a file's name is empty"), outcome.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "trian                         | Did you mean train",
                "train                         | Missing required parameter: 'FILE'",
                "train no-such-file.tsv        | no-such-file.tsv: there is no such file",
                "train no-such-file.tsv --epochs three   | '--epochs': 'three' is not an int",
                "train no-such-file.tsv --epochs 0       | train: --epochs must be at least 1, but is 0",
                "train no-such-file.tsv --batch-size 0   | train: --batch-size must be at least 1, but is 0",
                "train no-such-file.tsv --hidden 0       | --hidden must be at least 1, but is 0",
                "train no-such-file.tsv --embedding -1   | --embedding must be at least 1, but is -1",
                "train no-such-file.tsv --window 0       | --window must be at least 1, but is 0",
                "train no-such-file.tsv --learning-rate 0    | learning rate must be positive and finite, but is 0.0",
                "train no-such-file.tsv --validation-split 1 | train: --validation-split must be at least 0 and below 1.0",
                "train no-such-file.tsv --patience 3 --validation-split 0 | train: --patience needs held-back data to watch: set --validation-split",
                "train no-such-file.tsv --task guess     | expected one of",
                "train no-such-file.tsv --out no/such/folder/m | no/such/folder/m: there is no folder",
                "train no-such-file.tsv --out /dev/null  | /dev/null: is no file that could be replaced",
                "predict                       | Missing required parameter: 'MODEL'",
                "predict no-such-model         | no-such-model: there is no such file",
                "predict src                   | src: is a folder, not a model file",
                "predict no-such-model -k 0    | --k must be at least 1, but is 0",
                "predict no-such-model @README.md          | no-such-model: there is no such file",
                "predict \uFFFD\0x               | is no file's name here: Nul character not allowed",
                "predict no-such-model -cold   | Unknown option: '-cold'. If it is no option, put -- in front of it.",
                "generate no-such-model -wild  | Unknown option: '-wild'. Help: elman generate",
                "help trian                    | there is no command \"trian\"; there are demo, train, predict, generate, evaluate, convert, verify, bench, doctor, completion, help",
                "help train now                | Unmatched argument at index 2: 'now'",
                "generate                      | Missing required parameter: 'MODEL'",
                "generate no-such-model        | no-such-model: there is no such file",
                "demo --out README.md          | README.md: is no folder, and cannot be made one: it is a file; name another with --out",
                "demo --epochs 0               | --epochs must be at least 1, but is 0",
                "demo --backend abacus         | There is no backend \"abacus\". Choose auto, cuda-tf32 or one of",
                "demo --frobnicate             | Unknown option: '--frobnicate'. Help: elman demo",
                "verify --backend abacus       | There is no backend \"abacus\"",
                "doctor now                    | Unmatched argument at index 1: 'now'",
            })
    void wrongUsageIsOneLineAndTwo(String line, String message) {
        Outcome outcome = Outcome.of(line.split("\\s+"));
        assertEquals(2, outcome.code(), outcome.err());
        assertEquals("", outcome.out());
        assertEquals(1, outcome.err().lines().count(), outcome.err());
        assertTrue(outcome.err().startsWith("elman"), outcome.err());
        assertTrue(outcome.err().contains(message), outcome.err());
    }

    /** In UTF-8 the sign for what is lost may be the user's own. */
    @Test
    void whatTheLocaleLostIsToldWithTheRemedy() {
        String remedy = "set LC_ALL=C.UTF-8";
        for (String[] args :
                new String[][] {{"predict", "\uFFFD\0x"}, {"generate", "no-such-model", "--prompt", "\uFFFD"}}) {
            Outcome lost = Outcome.inEncoding("ANSI_X3.4-1968", args);
            assertEquals(2, lost.code());
            assertTrue(lost.err().contains(remedy), lost.err());
            Outcome read = Outcome.inEncoding("UTF-8", args);
            assertEquals(2, read.code());
            assertFalse(read.err().contains(remedy), read.err());
        }
    }

    @Test
    void withoutACommandTheUsageSaysWhichThereAre() {
        Outcome outcome = Outcome.of();
        assertEquals(2, outcome.code());
        assertEquals("", outcome.out());
        assertEquals(Outcome.of("--help").out(), outcome.err());
    }

    /** Not even root may write there, and no permission says so. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFolderThatTakesNoFilesIsFoundBeforeTheWork() {
        Outcome train = Outcome.of("train", "README.md", "--out", "/proc/model");
        assertEquals(2, train.code());
        assertEquals(
                "elman train: /proc/model: the folder /proc cannot be written to",
                train.err().strip());
        Outcome demo = Outcome.of("demo", "--out", "README.md/demo");
        assertEquals(2, demo.code());
        assertEquals(
                "elman demo: README.md/demo: is no folder, and cannot be made one: "
                        + Path.of("README.md/demo").toAbsolutePath() + ": Not a directory; name another with --out",
                demo.err().strip());
    }

    /** What would be found at the end of a training is found at its beginning. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aNameThatCannotBeWrittenIsFoundBeforeTheWork(@TempDir Path folder) throws IOException {
        Path lost = Files.createSymbolicLink(folder.resolve("lost"), folder.resolve("nothing"));
        Path away = Files.createSymbolicLink(folder.resolve("away"), Path.of("/proc/version"));
        Path longest = folder.resolve("m".repeat(249));
        Path tooLong = folder.resolve("m".repeat(256));
        for (String[] wrong : new String[][] {
            {lost.toString(), lost + ": is a link that leads to no file; remove it, or name another"},
            {away.toString(), away + ": the folder /proc cannot be written to"},
            {tooLong.toString(), tooLong + ": File name too long; name another"},
            {longest.toString(), longest + ".curve.png: File name too long; name another"},
        }) {
            Outcome train = Outcome.of("train", "README.md", "--epochs", "1", "--hidden", "1", "--out", wrong[0]);
            assertEquals(2, train.code(), train.err());
            assertEquals("elman train: " + wrong[1], train.err().strip());
            assertEquals("", train.out());
        }
        // JUnit would warn of a link that leads out of its folder.
        Files.delete(away);
    }

    @Test
    void outputThatIsLostIsNoSuccess() {
        Writer full = new Writer() {
            @Override
            public void write(char[] characters, int from, int count) throws IOException {
                throw new IOException("No space left on device");
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        StringWriter err = new StringWriter();
        Terminal terminal =
                new Terminal(InputStream.nullInputStream(), new PrintWriter(full), new PrintWriter(err, true), false);
        assertEquals(2, Main.run(terminal, "--version"));
        assertTrue(err.toString().contains("the output is not complete"), err.toString());
    }

    @Test
    void stackTracesAreForThoseWhoAsk() {
        assertFalse(Outcome.of("train", "no-such-file.tsv").err().contains("\tat "));
        assertTrue(Outcome.of("train", "no-such-file.tsv", "--stacktrace").err().contains("\tat "));
    }

    @ParameterizedTest
    @CsvSource({"true, 0", "False, 0", "'', 0", "yes, 2"})
    void theDebugPropertyIsTrueOrFalse(String value, int code) {
        StringWriter err = new StringWriter();
        Terminal terminal = new Terminal(
                InputStream.nullInputStream(), new PrintWriter(new StringWriter()), new PrintWriter(err, true), false);
        System.setProperty(Main.DEBUG, value);
        try {
            assertEquals(code, Main.run(terminal, "--version"));
        } finally {
            System.clearProperty(Main.DEBUG);
        }
        String said = "elman: elman.debug must be true or false, but is \"" + value + "\"";
        assertEquals(code != 0, err.toString().contains(said), err.toString());
    }

    /** A command that fails. */
    @Command(name = "broken")
    private record Broken(Exception e) implements Callable<Integer> {
        @Override
        public Integer call() throws Exception {
            throw e;
        }
    }

    @Test
    void aFaultOfOursIsThreeAndWhatTheUserCanMendIsTwo() {
        Outcome fault = Outcome.ofCommand(terminal -> new Broken(new IllegalStateException("planted")));
        assertEquals(3, fault.code());
        assertEquals(
                "broken: This is a fault of elman's: java.lang.IllegalStateException: planted. Please report it with the"
                        + " output of --stacktrace.",
                fault.err().strip());
        Outcome file =
                Outcome.ofCommand(terminal -> new Broken(new UncheckedIOException(new NoSuchFileException("a"))));
        assertEquals(2, file.code());
        assertEquals("broken: a: there is no such file", file.err().strip());
        Outcome memory =
                Outcome.ofCommand(terminal -> new Broken(new OutOfDeviceMemoryException("take smaller batches", null)));
        assertEquals(2, memory.code());
        assertEquals("broken: take smaller batches", memory.err().strip());
    }
}
