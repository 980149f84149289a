package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The shipped PTX was made from the sources as they are, and from the headers beside them where they include any. */
class KernelStampTest {
    private static final Pattern INSTRUCTION = Pattern.compile("^\\s+(?:@!?%p\\d+ )?([a-z][\\w.]*)\\s+(%f\\d+), (.*);");

    /** Those that do not say how they round. */
    private static final Set<String> SUMS = Set.of("add.f32", "sub.f32");

    private static final Pattern ATOMIC = Pattern.compile("\\s(atom|red)\\.");

    @Test
    void everyPtxCarriesTheHashOfItsSource() throws Exception {
        assertFalse(Ptx.files().isEmpty());
        for (Path ptx : Ptx.filesAndProbes()) {
            String target = ptx.getFileName().toString().replaceAll(".*\\.sm(\\d+)\\.ptx", "$1");
            String source = ptx.getFileName().toString().replaceAll("\\.sm\\d+\\.ptx", ".cu");
            List<String> lines = Files.readAllLines(ptx);
            assertEquals(
                    "//" + hashes(ptx.resolveSibling(source)) + " nvcc 13.0 compute_" + target,
                    lines.get(0),
                    ptx + " is stale: run ci/kernels.sh");
            assertTrue(lines.contains(".target sm_" + target), ptx.toString());
            assertTrue(lines.contains(".version " + version(ptx.resolveSibling(source), target)), ptx.toString());
        }
    }

    /** What every driver of CUDA 12 loads, but for the clusters, whose kernels are left out where the driver is older. */
    private static String version(Path source, String target) throws IOException {
        if (Integer.parseInt(target) < 90) return "7.0";
        String first = Files.readAllLines(source).get(0);
        boolean sends = Files.readString(source).contains("#include \"cluster.cuh\"");
        assertEquals(sends, first.contains("PTX 8.1"), source + ": " + first);
        return first.contains("PTX 8.1") ? "8.1" : "8.0";
    }

    /**
     * The driver's compiler may fuse a product with the sum that takes it, unless one of them says how it rounds: then the bits
     * would depend on the driver.
     */
    @Test
    void noProductIsRoundedOrNotAsTheDriverLikes() throws IOException {
        List<String> left = new ArrayList<>();
        for (Path ptx : Ptx.files()) {
            Set<String> products = new HashSet<>();
            for (String line : Files.readAllLines(ptx)) {
                if (line.contains(".entry ")) products.clear();
                Matcher instruction = INSTRUCTION.matcher(line);
                if (!instruction.find()) continue;
                String operation = instruction.group(1);
                Stream<String> operands = Arrays.stream(instruction.group(3).split(", "));
                if (SUMS.contains(operation) && operands.anyMatch(products::contains)) {
                    left.add(ptx.getFileName() + ": " + line.strip());
                }
                if (operation.equals("mul.f32")) products.add(instruction.group(2));
                else products.remove(instruction.group(2));
            }
        }
        assertEquals(List.of(), left, "write fmaf, or __fmul_rn");
    }

    @Test
    void everySourceIsBuilt() throws IOException {
        List<String> built = Ptx.filesAndProbes().stream()
                .map(ptx -> ptx.toString().replaceAll("\\.sm\\d+\\.ptx", ".cu"))
                .toList();
        for (Path folder : List.of(Ptx.KERNELS, Ptx.PROBES)) {
            try (var files = Files.list(folder)) {
                for (Path source :
                        files.filter(file -> file.toString().endsWith(".cu")).toList()) {
                    assertTrue(built.contains(source.toString()), "run ci/kernels.sh: there is no PTX of " + source);
                }
            }
        }
    }

    @Test
    void nothingIsApproximateThatNeedNotBe() throws IOException {
        for (Path ptx : Ptx.files()) {
            String text = Files.readString(ptx);
            // The first has the error of half precision; the others show -use_fast_math.
            for (String fast : List.of("tanh.approx", "div.approx", "div.full", "sqrt.approx", "rn.ftz")) {
                assertFalse(text.contains(fast), ptx + " has " + fast);
            }
            assertFalse(ATOMIC.matcher(text).find(), ptx + ": atomics have no fixed order");
        }
    }

    /** Of the source, and of every header beside it where it includes any. */
    private static String hashes(Path source) throws IOException, NoSuchAlgorithmException {
        String hashes = hash(source);
        if (!Files.readString(source).contains("#include \"")) return hashes;
        try (var files = Files.list(source.getParent())) {
            List<Path> headers = files.filter(file -> file.toString().endsWith(".cuh"))
                    .sorted()
                    .toList();
            for (Path header : headers) hashes += hash(header);
        }
        return hashes;
    }

    private static String hash(Path file) throws IOException, NoSuchAlgorithmException {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        return " " + file.getFileName() + " sha256 " + HexFormat.of().formatHex(digest);
    }
}
