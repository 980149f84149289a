#!/usr/bin/env bash
# The test command: builds elman, runs every test this machine has the tools for, and says what it did not run and why.
#
# Needs a JDK 17 or newer; takes it from JAVA17_HOME, JAVA_HOME, the PATH or the usual places. A JDK 25 is used too where
# there is one (JAVA25_HOME, or the usual places). Exits with 0 only if nothing failed.
#
# A part is a function of this file. It runs under 'set -e' in the repository's root, and either succeeds, fails, or
# prints with not_run why it cannot run here. Everything it prints is kept in target/ci/<part>.log.
set -euo pipefail
unset CDPATH # else cd may print where it went
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly LOGS=target/ci
readonly NOT_RUN=77 # as in Automake: neither passed nor failed
summary=()
failed=0

# java_home_of JAVA: the home of that java command, and nothing if it does not run.
java_home_of() {
    "$1" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.home = //p' || true
}

# is_jdk HOME RELEASE: whether HOME is a JDK (with its compiler) of that release.
is_jdk() {
    [[ -x $1/bin/javac ]] && "$1/bin/javac" -version 2>&1 | grep -qE "^javac $2([.-]|\$)"
}

# find_jdk RELEASE: the home of a JDK of that release, or nothing.
find_jdk() {
    local wanted="JAVA$1_HOME" home
    for home in "${!wanted:-}" "${JAVA_HOME:-}" "$(java_home_of java)" \
        /usr/lib/jvm/*"$1"* /Library/Java/JavaVirtualMachines/*"$1"*/Contents/Home; do
        if [[ -n $home ]] && is_jdk "$home" "$1"; then
            echo "$home"
            return
        fi
    done
}

maven() {
    ./mvnw -B -ntp "$@"
}

not_run() {
    echo "not run: $1 because $2"
    exit "$NOT_RUN"
}

# run PART: its output, and in its .end how it ended and after how many seconds.
run() {
    local start=$SECONDS
    rm -f "$LOGS/$1.end"
    set +e
    (
        set -e
        "$1"
    ) 2>&1
    echo "$? $((SECONDS - start))" >"$LOGS/$1.end"
}

# part NAME...: runs the functions of these names at the same time, keeps their output and remembers how they ended. The first
# is seen as it runs, the others when they have ended.
part() {
    local name status seconds result
    echo
    echo "=== $* ==="
    for name in "${@:2}"; do run "$name" >"$LOGS/$name.log" & done
    run "$1" | tee "$LOGS/$1.log"
    wait
    for name in "${@:2}"; do
        echo
        echo "=== $name ==="
        cat "$LOGS/$name.log"
    done
    for name in "$@"; do
        read -r status seconds <"$LOGS/$name.end"
        case $status in
            0) result="passed   $(surefire_total "$LOGS/$name.log")" ;;
            "$NOT_RUN") result=$(grep '^not run: ' "$LOGS/$name.log" | tail -n 1) ;;
            *)
                result="FAILED   $(surefire_total "$LOGS/$name.log")"
                failed=1
                ;;
        esac
        summary+=("$(printf '%-8s %4d s  %s' "$name" "$seconds" "$result")")
        echo "=== $name: $seconds s"
    done
}

# surefire_total LOG: Surefire's own count over all classes, the last it printed.
surefire_total() {
    grep -oE 'Tests run: [0-9]+, Failures: [0-9]+, Errors: [0-9]+, Skipped: [0-9]+$' "$1" | tail -n 1 || true
}

# skipped PART: what its tests skipped, by name and with the reason, each as often as it said so.
skipped() {
    sed -n 's/^.*SKIPPED: //p' "$LOGS/$1.log" | sort | uniq -c | while read -r times what; do
        printf '%-8s %4d x  %s\n' "$1" "$times" "$what"
    done
}

# --- the parts ---

# Also in core's verify, but there only after the tests; a wrong format should show in seconds.
format() {
    is_jdk "$JAVA_HOME" 17 || not_run "the format check" "it takes a JDK 17 (set JAVA17_HOME to one)"
    maven spotless:check || {
        echo "The format is wrong: run ./mvnw spotless:apply"
        return 1
    }
}

# Compiler warnings, Error Prone, all tests, Javadoc, jars. On another JDK than 17 the pom leaves out what judges the
# source; see its profile. The format was checked before.
core() {
    echo "JDK: $JAVA_HOME"
    # Of OpenBLAS the kernels of this processor, as users have them; some machines force others on every OpenBLAS.
    unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
    maven verify -Dspotless.check.skip -Delman.require="$(required)"
}

# required: what the tests may not skip for on such a machine, see Required in src/test.
required() {
    if [[ $(uname -sm) == "Linux x86_64" ]]; then echo openblas,jcuda-natives,javac,sh,dev-full,links,signals; fi
}

# The tests again on a JDK 25, on the very classes that core compiled: what is published is built once and runs on both. Not those of
# the source, of PTX and of the contract's own checks, to which the JDK is nothing.
jdk25() {
    local home
    [[ $failed == 0 ]] || not_run "the tests on JDK 25" "a part before it failed"
    home=$(find_jdk 25)
    [[ -n $home ]] || not_run "the tests on JDK 25" "there is none here (set JAVA25_HOME to one)"
    [[ $home != "$JAVA_HOME" ]] || not_run "the tests on JDK 25 again" "core ran on it"
    echo "JDK: $home"
    # And here those without AVX-512, which has other code in the cpu backend.
    [[ $(uname -m) != x86_64 ]] || export OPENBLAS_CORETYPE=Haswell
    maven surefire:test -Dtest='!dev/elman/arch/**,!KernelAssemblyTest,!PtxTextTest,!ContractSensitivityTest' -Djvm="$home/bin/java" -Dsurefire.reportNameSuffix=jdk25 -Delman.require="$(required)"
}

# The CUDA tests on the software driver of src/test/softgpu, after that driver's own. It shows that the host code and the
# kernels compute what they should; it is no run on a GPU.
softgpu() {
    local folder=src/test/softgpu out=$PWD/target/softgpu tool report
    [[ $failed == 0 ]] || not_run "the CUDA tests on the software driver" "a part before it failed"
    for tool in g++ make; do
        command -v "$tool" >/dev/null || not_run "the CUDA tests on the software driver" "there is no $tool here"
    done
    [[ $(uname -sm) == "Linux x86_64" ]] || not_run "the CUDA tests on the software driver" "it is for Linux on x86_64"
    make --no-print-directory -s -j2 -C "$folder" OUT="$out" JAVA_HOME="$JAVA_HOME" check
    maven -Psoftgpu exec:exec@software-driver surefire:test -Dsurefire.reportNameSuffix=softgpu
    report=$(make --no-print-directory -s -C "$folder" OUT="$out" coverage)
    echo "$report" >target/ci/ptx-coverage.txt
    echo
    echo "$report" | tail -n 3
    echo "Lines of PTX that did not run: target/ci/ptx-coverage.txt"
    awk '/^PTX coverage/ { gsub(/[^0-9. ]/, ""); exit !($NF >= 96) }' <<<"$report" || {
        echo "Less than 96 % of the shipped PTX ran"
        return 1
    }
    grep -q '^0 of the shipped kernels never ran' <<<"$report" || {
        grep ' never ran$' <<<"$report"
        return 1
    }
    grep -qE '^software driver: [1-9][0-9]* kernel launches' <<<"$report" || {
        echo "No kernel was launched"
        return 1
    }
    echo "CUDA tests on the software driver (no GPU run): $(surefire_total target/ci/softgpu.log)"
    surefire_total target/ci/softgpu.log | grep -q 'Skipped: 0$' || {
        echo "A CUDA test was skipped"
        return 1
    }
    if grep -sE '^(leak|unfinished): ' "$out/findings.log"; then
        echo "The backend left something behind, or took its kernels while they ran"
        return 1
    fi
}

# ci/gpu.sh as far as it goes without a GPU: little work, on the software driver that softgpu has built.
gpukit() {
    local purpose out=$PWD/target/ci/gpu columns='who\tprecision\tpass\tlengths\tN\tT\tH\tsamples\tms\tms_low\tms_high' table
    [[ $failed == 0 ]] || not_run "ci/gpu.sh" "a part before it failed"
    command -v python3 >/dev/null || not_run "ci/gpu.sh" "there is no python3 here"
    [[ -f target/softgpu/libcuda.so.1 ]] || not_run "ci/gpu.sh" "there is no software driver here"
    rm -rf "$out"
    mkdir -p "$out"
    touch "$out/bench-elman-9.tsv"
    for purpose in doctor probes "recurrences --plans block,cluster,tensor-block" "bench --rounds 1"; do
        # shellcheck disable=SC2086 # a purpose and its options
        LD_LIBRARY_PATH=$PWD/target/softgpu OUT=$out ELMAN_SETUP=none ci/gpu.sh --dry $purpose
    done
    [[ $(grep -l 'NO RUN ON HARDWARE' "$out"/*.md | wc -l) == 4 ]] || {
        echo "A record of a dry run does not say so"
        return 1
    }
    [[ ! -e $out/bench-elman-9.tsv ]] || {
        echo "A record is left with figures of another run"
        return 1
    }
    # 100 steps in 0.1 and 0.25 ms, and of PyTorch's two ways the faster.
    table=$(python3 ci/gpu_table.py \
        <(printf '%b\n' "$columns\tplan" 'cuda\tfp32\tforward\tunequal\t1\t100\t64\t9\t0.1\t0.1\t0.1\tsteps') \
        <(printf '%b\n' "$columns" 'torch\tfp32\tforward\tpacked\t1\t100\t64\t9\t0.25\t0.2\t0.3' \
            'torch\tfp32\tforward\tpack+pad\t1\t100\t64\t9\t0.5\t0.5\t0.5'))
    [[ $table == *'| 64 | 1 | 100 | 1.00 | 2.50 | 2.50 |'* ]] || {
        echo "ci/gpu_table.py compares wrongly:$table"
        return 1
    }
    # Both directions are compared with both, and with no floor; files without the column are of one.
    table=$(python3 ci/gpu_table.py \
        <(printf '%b\n' "$columns\tplan" '# measured peaks: product 50000.0 GFLOP/s, copy 4000.0 GB/s' \
            'cuda\tfp32\tforward\tfull\t1\t100\t64\t9\t0.1\t0.1\t0.1\tblock') \
        <(printf '%b\n' "$columns\tplan\tdirections" '# measured peaks: product 50000.0 GFLOP/s, copy 4000.0 GB/s' \
            'cuda\tfp32\tforward\tfull\t1\t100\t64\t9\t0.2\t0.2\t0.2\tblock\t2') \
        <(printf '%b\n' "$columns\tdirections" 'torch\tfp32\tforward\tfull\t1\t100\t64\t9\t0.3\t0.3\t0.3\t1' \
            'torch\tfp32\tforward\tfull\t1\t100\t64\t9\t0.8\t0.8\t0.8\t2'))
    [[ $table == *'| 64 | 1 | 100 | 1.00 | 3.00 | 3.00 |'*' beside its floor'*'both directions, rows of full length'*'| 64 | 1 | 100 | 2.00 | 8.00 | 4.00 |'* &&
        $(grep -c 'beside its floor' <<<"$table") == 1 ]] || {
        echo "ci/gpu_table.py confuses one direction with both:$table"
        return 1
    }
    # Two cells of the study of floors: 5.16 us by groups, and 6.40 by a graph, each with its product over all steps in front; and
    # a line whose writer was stopped.
    table=$(python3 ci/gpu_table.py \
        <(printf '%b\n' "$columns\tplan" '# measured peaks: product 53687.1 GFLOP/s, copy 4000.0 GB/s' \
            'cuda\tfp32\tforward\tfull\t128\t512\t1024\t9\t12.8\t12\t13\tgrid' \
            '# measured peaks: product 400000.0 GFLOP/s, copy 4000.0 GB/s' \
            'cuda\ttf32\tforward\tfull\t128\t512\t2048\t9\t8.192\t8\t9\tgraph' 'cuda\ttf32\tforward\tfull\t32\t512'))
    [[ $table == *'| 1024 | 128 | 512 | grid | 25.00 | 9.64 | 2.59 | 16 x 8, compute | 5.00 | 4.47 | 20.00 | 5.16 | 3.87 |'*'0 of 1 cells within'* &&
        $table == *'| 2048 | 128 | 512 | graph | 16.00 | 8.59 | 1.86 | graph, cache | 2.68 | 2.19 | 13.32 | 6.40 | 2.08 |'*'1 of 1 cells within'* ]] || {
        echo "ci/gpu_table.py sees another floor:$table"
        return 1
    }
}

# The instrument of ci/bench.sh --peers: its own tests, then a run with elman as the only peer, too short to measure anything.
peers() {
    local harness=ci/peers/harness/target/classes module=ci/peers/elman out=target/ci/peers
    [[ $failed == 0 ]] || not_run "ci/peers" "a part before it failed"
    [[ $(uname -s) == Linux ]] || not_run "ci/peers" "it reads Linux's /proc"
    maven -q -f ci/peers/pom.xml -pl harness test
    rm -rf "$module/target" "$out"
    mkdir -p "$module/target"
    "$JAVA_HOME/bin/javac" -Xlint:all,-processing -Werror -cp "$harness:target/elman.jar" -d "$module/target/classes" \
        "$module"/src/main/java/dev/elman/peers/*.java
    echo "$PWD/target/elman.jar" >"$module/target/classpath.txt"
    "$JAVA_HOME/bin/java" -cp "$harness" -Droot=ci/peers -Dout="$out" -Dcommit=any -Dcommand=ci/check.sh dev.elman.peers.Main \
        peers=elman parts=tables,memory shapes=3x5x4x6,1x1x1x1 rounds=2 ms=1 patience=0 >/dev/null
    # Two modes and the memory of two shapes; and of the modes each round of each shape.
    [[ $(grep -cE '^\| \((3,5,4,6|1,1,1,1)\) \| [0-9.]+ ' "$out/results.md") == 6 && $(grep -c elman "$out/results.tsv") == 8 ]] || {
        cat "$out/results.md"
        echo "The report lacks something"
        return 1
    }
}

# The jar that people start, as they start it.
jar() {
    [[ $failed == 0 ]] || not_run "target/elman.jar" "a part before it failed"
    "$JAVA_HOME/bin/java" -jar target/elman.jar doctor
    "$JAVA_HOME/bin/java" -jar target/elman.jar verify --quick --json >target/ci/verify.json
    echo "verify --quick: $(grep -c '"passed"' target/ci/verify.json) lines with a verdict"
}

# elman on Spark: the build of its own in spark/, on the core that was just built.
spark() {
    [[ $failed == 0 ]] || not_run "elman on Spark" "a part before it failed"
    maven -q install:install-file -Dfile="$(ls target/elman-*-SNAPSHOT.jar)" -DpomFile=pom.xml
    maven -q -f spark/pom.xml org.apache.maven.plugins:maven-dependency-plugin:3.9.0:resolve >target/ci/spark-jars.log 2>&1 ||
        not_run "elman on Spark" "Spark's jars are neither in the local Maven repository nor to be had (target/ci/spark-jars.log)"
    maven -f spark/pom.xml verify
    cat spark/target/exchange.txt spark/target/scaling.txt
}

# --- all of them ---

JAVA_HOME=$(find_jdk 17)
if [[ -z $JAVA_HOME ]]; then
    JAVA_HOME=$(java_home_of java)
    echo "not run: Error Prone and -Werror because there is no JDK 17 here (set JAVA17_HOME to one)"
fi
if [[ -z $JAVA_HOME ]]; then
    echo "ci/check.sh needs a JDK 17 or newer: set JAVA_HOME to one or put its java on the PATH" >&2
    exit 1
fi
export JAVA_HOME
mkdir -p "$LOGS"
trap 'kill 0' INT # what runs in the background does not hear it

part format
part core
part jar
# Each leaves half of the second processor idle. The times that Spark's prints are of a busy machine.
part jdk25 spark
part softgpu
part gpukit
part peers

echo
echo "=== summary ($SECONDS s) ==="
printf '%s\n' "${summary[@]}"
skips=$(for name in core jdk25 softgpu spark; do skipped "$name"; done)
if [[ -n $skips ]]; then
    echo
    echo "Skipped, which is not passed (tests of backend cuda are for the part softgpu):"
    echo "$skips"
fi
echo
surefire_total "$LOGS/core.log"
exit "$failed"
