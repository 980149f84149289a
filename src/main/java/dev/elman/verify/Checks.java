package dev.elman.verify;

import dev.elman.backend.Backend;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The list of all checks. */
public final class Checks {
    /** What a backend offers beside its operations; these have checks too, but need none in every list. */
    private static final Set<String> NOT_OPERATIONS = Set.of(
            "name",
            "description",
            "unitRoundoff",
            "sameBitsByStep",
            "allocate",
            "allocateInts",
            "liveTensors",
            "close",
            "recurrence");

    private static final int QUICK = 10;

    private Checks() {}

    /** Every operation over the full cross of sizes, and every promise. */
    public static List<Check> all() {
        List<Check> checks = new ArrayList<>(TensorChecks.all());
        for (Sample sample : specimens()) checks.addAll(Promises.of(sample));
        checks.add(Promises.refuseClosedBackend(specimens()));
        checks.addAll(LayerChecks.all());
        checks.addAll(RnnChecks.all());
        samples().forEach(sample -> checks.add(sample.check()));
        return List.copyOf(checks);
    }

    /** A tenth of all checks of each operation, evenly chosen, at least one. */
    public static List<Check> quick() {
        Map<String, List<Check>> byOperation = all().stream()
                .collect(Collectors.groupingBy(Check::operation, LinkedHashMap::new, Collectors.toList()));
        return byOperation.values().stream()
                .flatMap(checks -> tenth(checks).stream())
                .toList();
    }

    /** One of each ten, never at the same place among them, so that no rhythm of the list is missed. */
    private static List<Check> tenth(List<Check> checks) {
        List<Check> chosen = new ArrayList<>();
        for (int block = 0; block * QUICK < checks.size(); block++) {
            int place = block * QUICK + 7 * block % QUICK;
            chosen.add(checks.get(Math.min(place, checks.size() - 1)));
        }
        return chosen;
    }

    /** The operations of the seam that none of these checks is about. */
    public static SortedSet<String> withoutCheck(Collection<Check> checks) {
        return withoutCheck(Backend.class, checks);
    }

    static SortedSet<String> withoutCheck(Class<?> seam, Collection<Check> checks) {
        SortedSet<String> missing = Arrays.stream(seam.getMethods())
                .filter(method -> !Modifier.isStatic(method.getModifiers()))
                .map(Method::getName)
                .filter(name -> !NOT_OPERATIONS.contains(name))
                .collect(Collectors.toCollection(TreeSet::new));
        checks.forEach(check -> missing.remove(check.operation()));
        return missing;
    }

    private static List<Sample> samples() {
        List<Sample> samples = new ArrayList<>(TensorSamples.all());
        samples.addAll(RnnSamples.all());
        samples.addAll(LayerSamples.all());
        samples.addAll(LossSamples.all());
        samples.addAll(TrainingSamples.all());
        return samples;
    }

    /** One ordinary call of each operation, two where an operation has two sides. */
    private static List<Sample> specimens() {
        List<Sample> samples = new ArrayList<>(TensorSamples.specimens());
        samples.addAll(RnnSamples.specimens());
        samples.addAll(LayerSamples.specimens());
        samples.addAll(LossSamples.specimens());
        samples.addAll(TrainingSamples.specimens());
        return samples;
    }
}
