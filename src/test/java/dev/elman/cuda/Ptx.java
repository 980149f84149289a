package dev.elman.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** PTX read as text: entries with the types of their parameters and their instructions. */
final class Ptx {
    static final Path KERNELS = Path.of("kernels");
    /** Kernels that are not shipped: they measure a GPU. */
    static final Path PROBES = Path.of("src/test/probes");

    private static final Pattern ENTRY =
            Pattern.compile("\\.visible \\.entry (\\w+)\\(\\s*(.*?)\\)\\s*(?:\\.\\w+ [^{]*)?\\{", Pattern.DOTALL);
    private static final Pattern PARAMETER = Pattern.compile("\\.param \\.(\\w+)");
    private static final Pattern INSTRUCTION =
            Pattern.compile("(?:@!?%p\\d+\\s+)?([a-z][\\w.:]*)\\s+(.*);", Pattern.DOTALL);

    private Ptx() {}

    /** One kernel: the types of its parameters and what it does. */
    record Entry(String name, List<String> parameters, List<Instruction> body) {}

    /** One instruction; the operands as written, the destination first. */
    record Instruction(String operation, List<String> operands, String text) {}

    /** All shipped PTX files. */
    static List<Path> files() throws IOException {
        return filesIn(KERNELS);
    }

    /** The shipped PTX files and those of the probes. */
    static List<Path> filesAndProbes() throws IOException {
        return Stream.concat(files().stream(), filesIn(PROBES).stream()).toList();
    }

    private static List<Path> filesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".ptx"))
                    .sorted()
                    .toList();
        }
    }

    /** The entries of a PTX text by name. */
    static Map<String, Entry> entries(String ptx) {
        Map<String, Entry> entries = new LinkedHashMap<>();
        Matcher matcher = ENTRY.matcher(ptx);
        while (matcher.find()) {
            int end = ptx.indexOf("\n}", matcher.end());
            List<String> parameters = PARAMETER
                    .matcher(matcher.group(2))
                    .results()
                    .map(result -> result.group(1))
                    .toList();
            entries.put(
                    matcher.group(1),
                    new Entry(matcher.group(1), parameters, instructions(ptx.substring(matcher.end(), end))));
        }
        return entries;
    }

    private static List<Instruction> instructions(String body) {
        List<Instruction> instructions = new ArrayList<>();
        for (String line : body.lines().map(String::strip).toList()) {
            if (line.startsWith(".") || line.startsWith("//")) continue;
            Matcher matcher = INSTRUCTION.matcher(line);
            if (matcher.matches()) {
                instructions.add(new Instruction(matcher.group(1), operands(matcher.group(2)), line));
            }
        }
        return instructions;
    }

    /** Splits at the commas that stand outside braces and brackets. */
    private static List<String> operands(String text) {
        List<String> operands = new ArrayList<>();
        int depth = 0;
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '{' || c == '[') depth++;
            if (c == '}' || c == ']') depth--;
            if (c == ',' && depth == 0) {
                operands.add(text.substring(from, i).strip());
                from = i + 1;
            }
        }
        operands.add(text.substring(from).strip());
        return operands;
    }
}
