package dev.elman.convert;

import dev.elman.io.AtomicFile;
import dev.elman.io.ModelFileException;
import dev.elman.io.WholeFile;
import dev.elman.text.Tokenizer;
import dev.elman.text.TokenizerJsonException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A tokenizer as Keras keeps it: a file with what {@code Tokenizer.to_json} gives, in UTF-8. */
public final class TokenizerFile {
    private static final String REMEDY = "Write it with to_json of Keras's Tokenizer, or TokenizerFile.write";

    private TokenizerFile() {}

    /**
     * Reads a tokenizer.
     *
     * @throws ModelFileException if the file is missing, or is not what Keras or {@link #write} writes
     */
    public static Tokenizer read(Path file) throws ModelFileException {
        ByteBuffer bytes = ByteBuffer.wrap(WholeFile.read(file));
        try {
            return Tokenizer.fromJson(
                    StandardCharsets.UTF_8.newDecoder().decode(bytes).toString());
        } catch (CharacterCodingException e) {
            throw new ModelFileException(file, "byte " + bytes.position(), "UTF-8", "something else", REMEDY, e);
        } catch (TokenizerJsonException e) {
            throw new ModelFileException(file, e.place(), e.expected(), ModelFileException.brief(e.found()), REMEDY, e);
        }
    }

    /**
     * Writes a tokenizer, whole or not at all, for {@code tokenizer_from_json} of Keras or {@link #read}.
     *
     * @throws ModelFileException if that fails; an old file of that name is then as it was
     */
    public static void write(Tokenizer tokenizer, Path file) throws ModelFileException {
        byte[] json = tokenizer.toJson().getBytes(StandardCharsets.UTF_8);
        AtomicFile.replace(file, out -> out.write(json));
    }
}
