package dev.elman.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the global addresses of one kernel come from, and the ranges of the 32-bit integers among that. Where no range is
 * found, as in a loop, what an integer is made of may do: constants, the numbers of thread and block, and parameters that a
 * launch is known to keep small.
 */
final class AddressRanges {
    private static final Pattern REGISTER = Pattern.compile("%(?:rd|r|rs|p|f|fd)\\d+");

    private static final Pattern PARAMETER = Pattern.compile("\\[\\w+_param_(\\d+)\\]");

    /** A parameter of at most this may be counted up to, times what a pass has, in 32 bits. */
    private static final int SMALL = 1 << 10;

    private final Map<Integer, Integer> most;
    private final Map<String, List<Ptx.Instruction>> definitions = new HashMap<>();
    private final List<String> addresses = new ArrayList<>();
    private final List<String> faults = new ArrayList<>();
    private final Set<String> visited = new HashSet<>();

    /** With the most that parameters may be, by their numbers; without any that are small no loop of 32 bits is accepted. */
    AddressRanges(Ptx.Entry entry, Map<Integer, Integer> most) {
        this.most = most;
        for (Ptx.Instruction instruction : entry.body()) {
            if (instruction.operation().startsWith("st.")) continue;
            for (String register : registers(instruction.operands().get(0))) {
                definitions.computeIfAbsent(register, key -> new ArrayList<>()).add(instruction);
            }
        }
        for (Ptx.Instruction instruction : entry.body()) {
            String operation = instruction.operation();
            boolean memory = operation.contains(".global") && !operation.startsWith("cvta");
            // A generic access may be a global one.
            boolean generic = operation.matches("(ld|st)\\.(v[24]\\.)?[ufbs]\\d+");
            if (!memory && !generic) continue;
            for (String operand : instruction.operands()) {
                if (!operand.startsWith("[")) continue;
                addresses.add(operand);
                for (String register : registers(operand)) {
                    if (register.startsWith("%rd")) follow(register);
                    else faults.add("an address of 32 bits in " + instruction.text());
                }
            }
        }
    }

    List<String> addresses() {
        return addresses;
    }

    List<String> faults() {
        return faults;
    }

    /** Goes back from a register of 64 bits. Arithmetic of 64 bits is taken to be wide enough. */
    private void follow(String register) {
        if (!visited.add(register)) return;
        for (Ptx.Instruction instruction : definitions.getOrDefault(register, List.of())) {
            if (instruction.operation().startsWith("ld.")) continue; // data, or a parameter
            if (instruction.operation().equals("mov.b64")) {
                for (String half : registers(instruction.operands().get(1))) followHalf(half, instruction);
                continue;
            }
            for (String operand :
                    instruction.operands().subList(1, instruction.operands().size())) {
                for (String source : registers(operand)) {
                    if (source.startsWith("%rd")) follow(source);
                    else if (source.startsWith("%r")) judge(source, instruction);
                }
            }
        }
    }

    /** Goes back from what 64 bits are put together of: 64 bits, or half of what was taken apart to be shuffled. */
    private void followHalf(String half, Ptx.Instruction user) {
        if (half.startsWith("%rd")) {
            follow(half);
            return;
        }
        for (Ptx.Instruction shuffle : definitions.getOrDefault(half, List.of())) {
            String source = shuffle.operands().get(1);
            List<Ptx.Instruction> made = definitions.getOrDefault(source, List.of());
            boolean apart = made.stream().allMatch(one -> one.operation().equals("mov.b64"));
            if (!shuffle.operation().startsWith("shfl.sync.") || made.isEmpty() || !apart) judge(half, user);
            else for (Ptx.Instruction one : made) follow(one.operands().get(1));
        }
    }

    private void judge(String register, Ptx.Instruction user) {
        if (range(register, new HashSet<>()) == null && (most.isEmpty() || !isSmall(register, new HashSet<>()))) {
            faults.add("32 bits that may overflow reach an address in " + user.text());
        }
    }

    /** Whether it is made of nothing that may be large, at any width. */
    private boolean isSmall(String register, Set<String> seen) {
        if (!seen.add(register)) return true;
        for (Ptx.Instruction instruction : definitions.getOrDefault(register, List.of())) {
            List<String> sources =
                    instruction.operands().subList(1, instruction.operands().size());
            if (instruction.operation().startsWith("bfind.")) continue; // the number of a bit
            if (instruction.operation().startsWith("ld.")) {
                Integer bound = mostOf(sources.get(0));
                if (bound == null || bound > SMALL) return false;
                continue;
            }
            boolean masks = instruction.operation().startsWith("and.");
            boolean all = true;
            boolean any = false;
            for (String operand : sources) {
                for (String source : registers(operand)) {
                    if (source.startsWith("%p")) continue; // it chooses, and is no part of the value
                    // What one side of a mask has seen says nothing where the other side is what bounds it.
                    boolean one = isSmall(source, masks ? new HashSet<>(seen) : seen);
                    all &= one;
                    any |= one;
                }
            }
            if (!all && !(masks && any)) return false;
        }
        return true;
    }

    /** The most that a parameter may be; null where nothing is known of it, or it is none. */
    private Integer mostOf(String source) {
        Matcher parameter = PARAMETER.matcher(source);
        return parameter.matches() ? most.get(Integer.valueOf(parameter.group(1))) : null;
    }

    /** Least and largest value; null where 32 bits may not hold it or nothing is known of it. */
    private long[] range(String operand, Set<String> above) {
        if (!operand.startsWith("%")) return constant(operand);
        if (operand.startsWith("%tid")) return new long[] {0, 1023};
        if (operand.startsWith("%ntid")) return new long[] {1, 1024};
        if (operand.startsWith("%ctaid") || operand.startsWith("%nctaid")) return new long[] {0, Integer.MAX_VALUE};
        if (operand.startsWith("%cluster_ctarank")) return new long[] {0, 15};
        if (!above.add(operand)) return null; // a loop: nothing bounds it
        long[] all = null;
        for (Ptx.Instruction instruction : origins(operand)) {
            long[] one = result(instruction, above);
            if (one == null || one[0] < Integer.MIN_VALUE || one[1] > 0xffffffffL) return null;
            all = union(all, one);
        }
        above.remove(operand);
        return all;
    }

    private static long[] union(long[] a, long[] b) {
        return a == null ? b : new long[] {Math.min(a[0], b[0]), Math.max(a[1], b[1])};
    }

    /** What makes the values that a register may have, seen through copies of other registers, in circles too. */
    private List<Ptx.Instruction> origins(String register) {
        List<Ptx.Instruction> origins = new ArrayList<>();
        List<String> copies = new ArrayList<>(List.of(register));
        for (int i = 0; i < copies.size(); i++) {
            for (Ptx.Instruction instruction : definitions.getOrDefault(copies.get(i), List.of())) {
                String source = instruction.operands().get(1);
                boolean copy = instruction.operation().matches("mov\\.[bsu]32") && source.matches("%r\\d+");
                if (!copy) origins.add(instruction);
                else if (!copies.contains(source)) copies.add(source);
            }
        }
        return origins;
    }

    private static long[] constant(String operand) {
        long value = Long.parseLong(operand);
        return new long[] {value, value};
    }

    private long[] result(Ptx.Instruction instruction, Set<String> above) {
        String operation = instruction.operation();
        if (operation.startsWith("ld.")) {
            Integer bound = mostOf(instruction.operands().get(1));
            if (bound != null) return new long[] {0, bound};
            return operation.endsWith("64") ? null : new long[] {Integer.MIN_VALUE, Integer.MAX_VALUE};
        }
        if (operation.equals("popc.b32")) return new long[] {0, 32};
        if (operation.startsWith("bfind.")) return new long[] {-1, 31}; // -1 of 0
        List<String> operands = instruction.operands();
        long[] a = range(operands.get(1), above);
        if (operation.startsWith("shfl.sync.")) return a; // another thread's value
        if (operation.startsWith("mov.") || operation.matches("cvt\\.[us](32|64)\\.[us](32|64)")) return a;
        long[] b = operands.size() > 2 ? range(operands.get(2), above) : null;
        if (operation.startsWith("and.")) {
            // A constant mask bounds whatever it is laid on.
            if (b == null || b[0] != b[1] || b[0] < 0) return null;
            return new long[] {0, a != null && a[0] >= 0 ? Math.min(a[1], b[1]) : b[1]};
        }
        if (operation.startsWith("neg.s") && a != null) return new long[] {-a[1], -a[0]};
        if (a == null || b == null) return null;
        if (operation.startsWith("selp.")) return union(a, b);
        if (operation.startsWith("add.")) return new long[] {a[0] + b[0], a[1] + b[1]};
        if (operation.startsWith("or.") && a[0] >= 0 && b[0] >= 0) return new long[] {0, a[1] + b[1]};
        if (operation.startsWith("bfi.") && a[0] >= 0 && b[0] >= 0) {
            // a moved to the left, over b.
            return new long[] {0, (a[1] << constant(operands.get(3))[0]) + b[1]};
        }
        if (operation.startsWith("div.u") && a[0] >= 0) return new long[] {0, a[1]};
        if (operation.startsWith("sub.")) return new long[] {a[0] - b[1], a[1] - b[0]};
        if (operation.startsWith("shr.") && a[0] >= 0) return new long[] {a[0] >> b[1], a[1] >> b[0]};
        if (operation.startsWith("shl.") && b[0] == b[1]) return new long[] {a[0] << b[0], a[1] << b[0]};
        if (operation.startsWith("mul.lo.")) {
            long[] ends = {a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]};
            Arrays.sort(ends);
            return new long[] {ends[0], ends[3]};
        }
        if (operation.startsWith("mad.lo.") && a[0] >= 0 && b[0] >= 0) {
            long[] c = range(operands.get(3), above);
            return c == null ? null : new long[] {a[0] * b[0] + c[0], a[1] * b[1] + c[1]};
        }
        return null;
    }

    private static List<String> registers(String operand) {
        return REGISTER.matcher(operand).results().map(result -> result.group()).toList();
    }
}
