package dev.elman.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.elman.io.ModelFileException;
import dev.elman.io.Mutations;
import dev.elman.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenizerFileTest {
    /** Keras's own answers, see {@code ci/keras_text.py}. */
    private static final Path KERAS = Path.of("src/test/resources/text/keras_text.json");

    @TempDir
    private Path folder;

    private Path file() {
        return folder.resolve("tokenizer.json");
    }

    @Test
    void whatKerasWroteIsReadAndWrittenAgain() throws IOException {
        int files = 0;
        JsonObject fixture = JsonParser.parseString(Files.readString(KERAS)).getAsJsonObject();
        for (JsonElement element : fixture.getAsJsonArray("cases")) {
            JsonObject keras = element.getAsJsonObject();
            if (!keras.get("op").getAsString().equals("to_json")) continue;
            files++;
            String json = keras.get("expected").getAsString();
            Files.writeString(file(), json);
            TokenizerFile.write(TokenizerFile.read(file()), file());
            assertEquals(json, Files.readString(file()));
        }
        assertTrue(files >= 9, files + " files of Keras");
    }

    @Test
    void whatWeWriteWeRead() throws IOException {
        Tokenizer tokenizer = fitted();
        TokenizerFile.write(tokenizer, file());
        Tokenizer read = TokenizerFile.read(file());
        assertEquals(Map.of("?", 1, "caf\u00e9", 2, "a", 3, "\uD83D\uDE00", 4), read.wordIndex());
        assertEquals(tokenizer.toJson(), read.toJson());
    }

    private static Tokenizer fitted() {
        Tokenizer tokenizer = Tokenizer.builder().oovToken("?").build();
        tokenizer.fitOnTexts(List.of("caf\u00e9 a caf\u00e9", "\uD83D\uDE00"));
        return tokenizer;
    }

    /** What is done to a good file, and what must be said of it. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"document_count\": 2 | \"document_count\": -2 | document_count: expected whole numbers of 0 or more, found \"-2\"",
                "\"lower\": true | \"lower\": 1 | lower: expected true or false, found \"1\"",
                "\"word_docs\" | \"word_dogs\" | config: expected Keras's settings of a Tokenizer, found \"the unknown 'word_dogs'\"",
                "\\\"1\\\": \\\"? | \\\"x\\\": \\\"? | index_word: expected ids as keys, found \"'x'\"",
                "\"config\" | \"konfig\" | the text: expected an object 'config', found \"none\"",
                "}} | } | the text: expected a JSON object, found \"malformed text at line 1 column",
            })
    void aWrongEntryIsNamedWithItsFile(String from, String to, String message) throws IOException {
        String json = fitted().toJson();
        assertTrue(json.contains(from), json);
        Files.writeString(file(), json.replace(from, to));
        assertRefused(message);
    }

    @Test
    void aFileThatIsNoneIsNamed() throws IOException {
        assertRefused("path: expected a file, found nothing");
        Files.write(file(), new byte[] {'{', '"', (byte) 0xff});
        assertRefused("byte 2: expected UTF-8, found something else");
        Files.writeString(file(), "{\"config\": {filters: \"a\"}}");
        assertRefused("the text: expected a JSON object, found \"malformed text");
        Files.writeString(file(), "{\"config\": {\"lower\": \"\\u001b[31m\"}}");
        assertRefused("lower: expected true or false, found \"\"\\u001b[31m\"\"");
    }

    private void assertRefused(String message) {
        ModelFileException e = assertThrows(ModelFileException.class, () -> TokenizerFile.read(file()));
        assertTrue(e.getMessage().startsWith(file() + ": " + message), e.getMessage());
        assertEquals(file().toString(), e.file());
    }

    /** A text may be cut within a pair; Python writes and reads such halves. */
    @Test
    void halfASurrogatePairIsKept() throws IOException {
        Tokenizer tokenizer = fitted();
        tokenizer.fitOnTexts(List.of("day \ud83d", "\ude00 day"));
        TokenizerFile.write(tokenizer, file());
        assertEquals(tokenizer.wordIndex(), TokenizerFile.read(file()).wordIndex());
        assertEquals(tokenizer.toJson(), TokenizerFile.read(file()).toJson());
    }

    @Test
    void damagedFiles() throws IOException {
        Tokenizer tokenizer = fitted();
        tokenizer.fitOnTexts(List.of("to be or not to be", "that is the question"));
        TokenizerFile.write(tokenizer, file());
        int size = Files.readString(file(), StandardCharsets.UTF_8).length();
        int refused = Mutations.check(file(), size, TokenizerFile::read);
        assertTrue(refused > 1000, refused + " of 2000 refused");
    }
}
