package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Java's launch table says what the kernels are: entry names and parameter types of the PTX and of its source. */
class KernelAbiTest {
    private static final Pattern SIGNATURE =
            Pattern.compile("__launch_bounds__\\([\\w, <>:]+\\)[\\s\\\\]*(\\w+)\\(([^)]*)\\)", Pattern.DOTALL);
    private static final Pattern INSTANCE = Pattern.compile("^(\\w+)\\((\\w+)(?:, \\w+)+\\)$", Pattern.MULTILINE);
    private static final Pattern INCLUDE = Pattern.compile("#include \"(.+)\"");
    /** A macro without parameters, such as several of a kernel's, with what it stands for. */
    private static final Pattern WORD = Pattern.compile("^#define (\\w+) (.*[^\\\\])$", Pattern.MULTILINE);
    /** A macro of one parameter, with what it stands for, and where it stands. */
    private static final Pattern LIST =
            Pattern.compile("^#define (\\w+)\\((\\w+)\\) *\\\\\n((?:.*\\\\\n)*.*)", Pattern.MULTILINE);

    @Test
    void everyPtxHasTheEntriesOfTheTableAndNoOthers() throws IOException {
        for (Path file : Ptx.files()) {
            String name = file.getFileName().toString().replaceAll("\\.sm\\d+\\.ptx", "");
            Map<String, Ptx.Entry> entries = Ptx.entries(Files.readString(file));
            List<KernelEntry> table = KernelModule.ALL.stream()
                    .filter(kernel -> kernel.file().equals(name))
                    .toList();
            assertEquals(
                    table.stream().map(KernelEntry::entry).collect(Collectors.toCollection(TreeSet::new)),
                    new TreeSet<>(entries.keySet()),
                    file.toString());
            for (KernelEntry kernel : table) {
                assertEquals(
                        kernel.parameters()
                                .chars()
                                .mapToObj(KernelAbiTest::ptxType)
                                .toList(),
                        entries.get(kernel.entry()).parameters(),
                        file + " " + kernel.entry());
            }
        }
    }

    private static String ptxType(int letter) {
        return switch (letter) {
            case 'p', 'l' -> "u64";
            case 'i' -> "u32";
            case 'f' -> "f32";
            case 'd' -> "f64";
            default -> throw new IllegalArgumentException("no type " + (char) letter);
        };
    }

    /** The PTX cannot tell a pointer from a count; the source can. */
    @Test
    void everySourceHasTheParametersOfTheTable() throws IOException {
        for (KernelEntry kernel : KernelModule.ALL) {
            String source = withHeaders(kernel.file() + ".cu");
            assertEquals(kernel.parameters(), signatures(source).get(kernel.entry()), kernel.entry());
        }
    }

    /** The text of a file in the kernels' folder, with that of its headers where they are included. */
    private static String withHeaders(String file) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String line : Files.readAllLines(Ptx.KERNELS.resolve(file))) {
            Matcher include = INCLUDE.matcher(line);
            text.append(include.matches() ? withHeaders(include.group(1)) : line)
                    .append('\n');
        }
        return text.toString();
    }

    private static Map<String, String> signatures(String source) {
        Map<String, String> found = new HashMap<>();
        Map<String, String> macros = new HashMap<>();
        Matcher matcher = SIGNATURE.matcher(source);
        while (matcher.find()) {
            String parameters = matcher.group(2);
            for (MatchResult word : WORD.matcher(source).results().toList()) {
                parameters = parameters.replaceAll("\\b" + word.group(1) + "\\b", word.group(2));
            }
            String types = Arrays.stream(parameters.split(",", -1))
                    .map(KernelAbiTest::sourceType)
                    .collect(Collectors.joining());
            if (!matcher.group(1).equals("name")) {
                found.put(matcher.group(1), types);
                continue;
            }
            int define = source.lastIndexOf("#define ", matcher.start()) + "#define ".length();
            macros.put(source.substring(define, source.indexOf('(', define)), types);
        }
        INSTANCE.matcher(withLists(source))
                .results()
                .filter(instance -> macros.containsKey(instance.group(1)))
                .forEach(instance -> found.put(instance.group(2), macros.get(instance.group(1))));
        return found;
    }

    /** The source with macros of one parameter written out where they stand in a line of their own. */
    private static String withLists(String source) {
        String text = source;
        for (MatchResult list : LIST.matcher(source).results().toList()) {
            String body = list.group(3).replaceAll(" *\\\\\n", "\n").replaceAll("(?m)^ +", "");
            text = Pattern.compile("^" + list.group(1) + "\\((\\w+)\\)$", Pattern.MULTILINE)
                    .matcher(text)
                    .replaceAll(use -> body.replace("##" + list.group(2) + "##", use.group(1))
                            .replaceAll("\\b" + list.group(2) + "\\b", use.group(1)));
        }
        return text;
    }

    private static String sourceType(String declaration) {
        if (declaration.contains("*")) return "p";
        if (declaration.contains("Index ")) return "l";
        if (declaration.contains("double ")) return "d";
        if (declaration.contains("float ")) return "f";
        assertTrue(declaration.contains("int ") || declaration.contains("unsigned "), declaration);
        return "i";
    }
}
