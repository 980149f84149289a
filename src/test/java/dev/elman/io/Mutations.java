package dev.elman.io;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Damages a good file in many ways: each must be read, or refused with a {@link ModelFileException} that names the file and a place. */
public final class Mutations {
    /** Reads a file in whatever way is under test. */
    public interface Reader {
        void read(Path file) throws IOException;
    }

    /** Reads content in whatever way is under test. */
    public interface Content {
        void read(byte[] bytes) throws IOException;
    }

    private static final byte[] TELLING =
            "{}[]()\",:'0123456789-.eE\\ \n\0\u00ff\u007f".getBytes(StandardCharsets.ISO_8859_1);

    private final Path file;
    private final Content reader;
    /** How many mutants had one change, two, three and four. */
    private final int[] ofChanges = new int[4];

    private int refused;

    private Mutations(Path file, Content reader) {
        this.file = file;
        this.reader = reader;
    }

    /**
     * Cuts the file at every 64th byte, then changes it in 2,000 seeded ways.
     *
     * @param file a good file, which is damaged and restored
     * @param interesting how many of its first bytes most of the damage falls on
     * @return how many of the 2,000 were refused
     */
    public static int check(Path file, int interesting, Reader reader) throws IOException {
        byte[] good = Files.readAllBytes(file);
        int refused = check(file, good, interesting, bytes -> {
            Files.write(file, bytes);
            reader.read(file);
        });
        Files.write(file, good);
        return refused;
    }

    /** The same for content that is no file by itself, but part of one that messages must name. */
    public static int check(Path file, byte[] good, int interesting, Content reader) throws IOException {
        Mutations mutations = new Mutations(file, reader);
        reader.read(good);
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            for (int length = 0; length < good.length; length += 64) {
                int before = mutations.refused;
                mutations.tryRead(Arrays.copyOf(good, length), "cut to " + length + " bytes");
                assertTrue(mutations.refused > before, "read although cut to " + length + " bytes");
            }
            mutations.refused = 0;
            for (long seed = 0; seed < 2000; seed++) {
                mutations.tryRead(mutations.mutant(good, interesting, seed), "seed " + seed);
            }
            for (int count : mutations.ofChanges) assertTrue(count > 400, Arrays.toString(mutations.ofChanges));
        });
        return mutations.refused;
    }

    private void tryRead(byte[] bytes, String what) {
        try {
            reader.read(bytes);
        } catch (ModelFileException e) {
            refused++;
            String message = e.getMessage();
            assertTrue(message.startsWith(file + ": " + e.place() + ": expected "), () -> what + ": " + message);
            assertTrue(!e.place().isBlank() && message.length() < 1200, () -> what + ": " + message);
            assertTrue(message.chars().noneMatch(Character::isISOControl), () -> what + ": " + message);
        } catch (IOException | RuntimeException | Error e) {
            fail(what, e);
        }
    }

    /** The good bytes with one to four changes, most of them among the first {@code interesting}. */
    private byte[] mutant(byte[] good, int interesting, long seed) {
        // A Random of a small seed begins with nearly the same number as its neighbours.
        SplittableRandom random = new SplittableRandom(seed);
        int more = random.nextInt(4);
        ofChanges[more]++;
        byte[] mutant = good.clone();
        for (int i = 0; i <= more; i++) mutant = mutate(mutant, random, interesting);
        return mutant;
    }

    /** Flips a bit, replaces, removes or doubles a byte, or sets four, as a length or an address has. */
    private static byte[] mutate(byte[] bytes, SplittableRandom random, int interesting) {
        int at = random.nextInt(random.nextInt(4) == 0 ? bytes.length : Math.min(bytes.length, interesting));
        byte[] mutant = bytes.clone();
        switch (random.nextInt(6)) {
            case 0 -> mutant[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> mutant[at] = TELLING[random.nextInt(TELLING.length)];
            case 2 -> mutant[at] = (byte) random.nextInt(256);
            case 3 -> {
                System.arraycopy(bytes, at + 1, mutant, at, bytes.length - at - 1);
                mutant = Arrays.copyOf(mutant, bytes.length - 1);
            }
            case 4 -> {
                mutant = Arrays.copyOf(bytes, bytes.length + 1);
                System.arraycopy(bytes, at, mutant, at + 1, bytes.length - at);
            }
            default -> Arrays.fill(mutant, at, Math.min(bytes.length, at + 4), (byte) random.nextInt(256));
        }
        return mutant;
    }
}
