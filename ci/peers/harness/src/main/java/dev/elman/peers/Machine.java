package dev.elman.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** What Linux tells about this machine and its processes in {@code /proc}. Times are in its ticks of 10 ms. */
final class Machine {
    static final int CORES = Runtime.getRuntime().availableProcessors();
    static final double MILLIS_PER_TICK = 10;

    private static final Path PROC = Path.of("/proc");

    private Machine() {}

    /**
     * Ticks since the machine started, of all cores together, in which one was not idle, the hypervisor's share
     * included.
     */
    static long busyTicks() throws IOException {
        String[] fields = Files.readAllLines(PROC.resolve("stat")).get(0).trim().split("\\s+");
        // user nice system idle iowait irq softirq steal
        long[] ticks = Arrays.stream(fields, 1, 9).mapToLong(Long::parseLong).toArray();
        return Arrays.stream(ticks).sum() - ticks[3] - ticks[4];
    }

    /** Ticks that a process has used. */
    static long ticksOf(long pid) throws IOException {
        String stat = Files.readString(PROC.resolve(pid + "/stat"));
        // The name before the last parenthesis may contain anything.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    }

    /** The largest memory that this process has had in use so far, in bytes; the kernel counts whole pages. */
    static long peakBytes() throws IOException {
        return 1024 * number(PROC.resolve("self/status"), "VmHWM:");
    }

    /** One line for people. */
    static String describe() throws IOException {
        String model = Files.readAllLines(PROC.resolve("cpuinfo")).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
        long gigabytes = number(PROC.resolve("meminfo"), "MemTotal:") >> 20;
        return CORES + " cores, " + model + identity() + ", " + gigabytes + " GiB, Linux "
                + System.getProperty("os.version");
    }

    /** Virtual machines shorten the model's name; its numbers remain. */
    private static String identity() throws IOException {
        Path info = PROC.resolve("cpuinfo");
        return " (family " + number(info, "cpu family") + ", model " + number(info, "model\t") + ")";
    }

    /** The number in the first line that begins so; -1 where there is none. */
    private static long number(Path file, String begin) throws IOException {
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith(begin))
                .map(line -> line.substring(begin.length()).replaceAll("\\D", ""))
                .mapToLong(Long::parseLong)
                .findFirst()
                .orElse(-1);
    }
}
