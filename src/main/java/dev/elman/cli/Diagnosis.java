package dev.elman.cli;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import dev.elman.backend.ChainLink;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Looks at everything that elman can use. */
record Diagnosis(Terminal terminal) {
    private static final long SMALL_HEAP = 512L << 20;
    /** How the cpu backend begins to say why it multiplies by itself. */
    private static final String PLAIN_JAVA = "plain Java GEMM: ";

    List<Finding> findings() {
        List<Finding> findings = new ArrayList<>();
        findings.add(java());
        findings.add(memory());
        findings.addAll(cudaLinks());
        for (String name : Backends.NAMES) findings.addAll(backend(name));
        findings.add(names());
        findings.add(pictures());
        findings.add(Finding.there("command line", "picocli " + picocli.CommandLine.VERSION));
        findings.add(screen());
        return findings;
    }

    private static Finding java() {
        return Finding.there(
                "java",
                String.format(
                        Locale.ROOT,
                        "%s (%s) on %s %s",
                        Runtime.version(),
                        System.getProperty("java.vendor"),
                        System.getProperty("os.name"),
                        System.getProperty("os.arch")));
    }

    private static Finding memory() {
        Runtime runtime = Runtime.getRuntime();
        String detail = String.format(
                Locale.ROOT, "%d cores, heap up to %,d MiB", runtime.availableProcessors(), runtime.maxMemory() >> 20);
        return runtime.maxMemory() >= SMALL_HEAP
                ? Finding.there("cores, memory", detail)
                : Finding.lacking("cores, memory", detail, "Give Java more: java -Xmx2g -jar elman.jar");
    }

    /** Each link from here to the GPU, up to the first that does not hold. */
    private static List<Finding> cudaLinks() {
        return Backends.cudaLinks().stream()
                .map(link -> link.ok() ? Finding.there(title(link), link.detail()) : broken(title(link), link.detail()))
                .toList();
    }

    private static String title(ChainLink link) {
        return "cuda: " + link.name();
    }

    /** The sentence ends with what to do, after a semicolon; one in brackets is of a message that it quotes. */
    static Finding broken(String title, String sentence) {
        int depth = 0;
        for (int i = 0; i < sentence.length(); i++) {
            char c = sentence.charAt(i);
            if (c == '(') depth++;
            if (c == ')') depth--;
            if (depth == 0 && sentence.startsWith("; ", i)) {
                return Finding.lacking(title, sentence.substring(0, i), sentence.substring(i + 2));
            }
        }
        return Finding.lacking(title, sentence, "");
    }

    /** The backend, and for the cpu what multiplies its matrices. */
    private static List<Finding> backend(String name) {
        String title = "backend " + name;
        try (Backend backend = Backends.open(name)) {
            Finding there = Finding.there(title, backend.description());
            return name.equals(Backends.CPU) ? List.of(there, products(backend.description())) : List.of(there);
        } catch (RuntimeException | LinkageError e) {
            // A wrong property is no mere lack of a GPU: other commands refuse it, and do not go on without.
            if (name.equals(Backends.CUDA) && e instanceof BackendUnavailableException) {
                return List.of(Finding.lacking(title, "not here, see the link above", ""));
            }
            return List.of(Finding.missing(title, Failures.describe(e)));
        }
    }

    /** What the cpu backend's description says of its matrix products: who makes them, or why no library and a remedy. */
    static Finding products(String description) {
        String title = "matrix products";
        int plain = description.indexOf(PLAIN_JAVA);
        int reason = plain + PLAIN_JAVA.length();
        if (plain < 0 || description.startsWith("asked for by ", reason)) {
            return Finding.there(title, description.substring(description.lastIndexOf(", ") + 2));
        }
        return broken(title, "plain Java, some times slower than a library: " + description.substring(reason));
    }

    /** A runtime without locale data answers in English. */
    private static Finding names() {
        String germany = new Locale.Builder().setRegion("DE").build().getDisplayCountry(Locale.FRENCH);
        if (germany.equalsIgnoreCase("allemagne")) {
            return Finding.there("names", "CLDR names of many languages: the demo's data set");
        }
        boolean module = ModuleLayer.boot().findModule("jdk.localedata").isPresent();
        return Finding.lacking(
                "names",
                "no names in other languages than English, which the demo needs: "
                        + (module
                                ? "-Djava.locale.providers is " + System.getProperty("java.locale.providers")
                                : "the module jdk.localedata is missing"),
                module
                        ? "Remove the option -Djava.locale.providers."
                        : "Use a complete JDK, or add the module: jlink --add-modules jdk.localedata");
    }

    private static Finding pictures() {
        try {
            // Not Pictures::probe, which looks for XChart, an optional dependency, before anything is attempted.
            Optional<String> obstacle = Drawing.attempt(() -> Pictures.probe());
            if (obstacle.isEmpty()) return Finding.there("pictures", "java.desktop, fonts and XChart");
            return Finding.lacking(
                    "pictures", obstacle.get(), Drawing.REMEDY + " Or do without: elman demo --no-pictures");
        } catch (IOException e) {
            return Finding.lacking("pictures", Failures.describe(e), "");
        }
    }

    private Finding screen() {
        return Finding.there(
                "terminal", terminal.interactive() ? "progress is shown as it goes" : "none: one line for each epoch");
    }
}
