#!/usr/bin/env bash
# Runs elman on this machine's GPU, one command for each purpose, and writes down what came out in the form of ci/measured/.
#
#   ci/gpu.sh doctor            each link from Java to the GPU
#   ci/gpu.sh tests [ARGS]      the CUDA tests; ARGS go to JUnit's console launcher, such as -c dev.elman.cuda.ProbesTest
#   ci/gpu.sh verify            every operation against the reference, strict float32 and TF32
#   ci/gpu.sh demo              the demo on the GPU
#   ci/gpu.sh probes            what a launch, a barrier and a byte cost
#   ci/gpu.sh recurrences [..]  the recurrence alone, of one direction and of both, by each plan that walks a whole sequence, beside
#                               what the planner expects; --plans LIST, --h LIST, --n LIST: only these
#   ci/gpu.sh bench [OPTIONS]   elman against PyTorch's nn.RNN (cuDNN), round by round in turn, their ratio, and elman beside its
#                               floors:
#       --n LIST --h LIST --t T     the shapes: 1,32,128,512 by 64,128,256,384,512,768,1024,2048, 512 steps
#       --unequal-n LIST --unequal-h LIST   those that are measured with rows of 1 to T steps too: 32,128 by 64,256,512,1024
#       --bidirectional-n LIST --bidirectional-h LIST   those of both directions: 1,32,128 by 64,128,256,512,1024
#       --precision LIST            PyTorch's: fp32,tf32,fp16
#       --rounds R --seconds S --budget S   rounds (3), seconds of samples for each result (0.15), and for all together (540)
#   ci/gpu.sh sanitize [TOOL..] compute-sanitizer over the contract suite: memcheck and racecheck
#   ci/gpu.sh all               all of them, one after the other
#
# With --dry in front, little work and PyTorch on the CPU: tries this script where there is no GPU, on a software driver or none.
#
# Each purpose leaves DATE-GPU-PURPOSE.md in $OUT (target/gpu), its log and its TSV files beside it. 0 if nothing failed.
#
# Java is the one of a Maven checkout, or what a packed project brings along for a machine without Java. Environment:
#   ELMAN_SETUP       a file that is sourced before each java and puts java on the PATH, sets CLASSPATH and what the loader needs;
#                     .gpu/setup.sh by default, where there is one; none: the Maven checkout all the same
#   ELMAN_CLASSPATH   class path with elman, its tests and JUnit's console launcher; by default the CLASSPATH that the setup
#                     file leaves, or what ./mvnw builds
#   ELMAN_JAVA        the java command; by default the one of JAVA_HOME or on the PATH
#   ELMAN_JAVA_OPTS   further options for it, such as -Delman.cuda.libdir=/folder/of/cublas, or -Delman.cuda.plan=tensor to have
#                     another plan tested or watched than the planner takes for small shapes
#   ELMAN_PYTHON      a python with PyTorch; python3 by default
#   ELMAN_SANITIZE_SECONDS   the most that one tool may take; 280 by default
#   ELMAN_SANITIZE_CLASS     the tests that it watches; the contract suite by default, which needs the GPU for itself
#   ELMAN_SANITIZE_PARTS     processes that share the contract suite between them; 1 by default, half of the cores is faster
#   ELMAN_COMMIT      the commit, where git does not know
#   OUT               where the results go
set -euo pipefail
unset CDPATH # else cd may print where it went
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly NOT_RUN=77 # as in Automake: neither passed nor failed
readonly LAUNCHER=org.junit.platform.console.ConsoleLauncher
OUT=${OUT:-target/gpu}
SETUP=${ELMAN_SETUP:-}
if [[ -z $SETUP && -f .gpu/setup.sh ]]; then SETUP=.gpu/setup.sh; fi
if [[ $SETUP == none ]]; then SETUP=; fi
PYTHON=${ELMAN_PYTHON:-python3}
dry=
launcher=()  # a command that is put before java
processes=() # that run in the background

usage() {
    sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
}

not_run() {
    echo "not run: $*"
    exit "$NOT_RUN"
}

# --- Java ---

# maven_classpath: builds the project and prints the class path of its tests.
maven_classpath() {
    local file=$OUT/classpath
    ./mvnw -B -ntp -q test-compile org.codehaus.mojo:exec-maven-plugin:3.6.3:exec -Dexec.classpathScope=test \
        -Dexec.executable=echo -Dexec.args=%classpath -Dexec.outputFile="$file" >&2
    cat "$file"
}

# with_console CLASSPATH: the same with JUnit's console launcher, whose jar holds all of JUnit.
with_console() {
    local version jar
    version=$(tr : '\n' <<<"$1" | sed -n 's/.*junit-platform-engine-\(.*\)\.jar$/\1/p')
    jar=$OUT/junit-platform-console-standalone-$version.jar
    if [[ ! -f $jar ]]; then
        ./mvnw -B -ntp -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory="$OUT" \
            -Dartifact="org.junit.platform:junit-platform-console-standalone:$version" >&2
    fi
    echo "$jar:$(tr : '\n' <<<"$1" | grep -vE '/(junit-|opentest4j-|apiguardian-)[^/]*$' | paste -sd:)"
}

# java_run ARGUMENTS: java behind the launcher, in an environment of its own: what the setup file changes must not reach PyTorch.
java_run() (
    # shellcheck disable=SC1090 # the user's; what it says is no output of ours
    if [[ -n $SETUP ]]; then . "$SETUP" >&2; fi
    java=${ELMAN_JAVA:-${JAVA_HOME:+$JAVA_HOME/bin/}java}
    # shellcheck disable=SC2086 # options are lists of words
    CLASSPATH=${ELMAN_CLASSPATH:-${CLASSPATH:?"$SETUP sets no CLASSPATH"}} exec "${launcher[@]}" "$java" ${GPU_JAVA_OPTIONS:-} ${ELMAN_JAVA_OPTS:-} "$@"
)

elman() {
    java_run dev.elman.cli.Main "$@"
}

# junit ARGUMENTS: JUnit's console launcher; a CUDA backend that does not open is a failure.
junit() {
    java_run -ea -Delman.require=cuda "$LAUNCHER" execute --disable-banner --disable-ansi-colors --fail-if-no-tests \
        --details=testfeed "$@"
}

# --- the purposes ---

doctor() {
    if command -v nvidia-smi >/dev/null; then nvidia-smi || true; else echo "there is no nvidia-smi"; fi
    elman doctor | tee "$OUT/doctor.txt"
    # The doctor is content with a CPU.
    grep -q '^ok  backend cuda' "$OUT/doctor.txt" || { echo "There is no CUDA backend here" && return 1; }
}

tests() {
    local selection=(--scan-classpath) argument
    for argument; do
        case $argument in --scan-* | --select-* | -[cpmfdoru] | -[cpmfdoru]=*) selection=() ;; esac
    done
    # What takes tens of gigabytes of device memory is for hardware.
    if [[ -n $dry ]]; then selection+=(--exclude-tag hardware); fi
    junit --include-tag cuda "${selection[@]}" "$@"
}

verify() {
    elman verify --backend cuda ${dry:+--quick}
}

demo() {
    if [[ -n $dry ]]; then not_run "the demo, which takes hours on a software driver"; fi
    elman demo --backend cuda --no-pictures --out "$OUT/demo"
}

probes() {
    java_run dev.elman.cuda.ProbeMain ${dry:+--small}
}

recurrences() {
    java_run dev.elman.cuda.RecurrenceTimes ${dry:+--small} "$@"
}

# left: seconds until the budget of the bench is spent, 0 if it is.
left() {
    local seconds=$((budget - (SECONDS - begun)))
    echo $((seconds > 0 ? seconds : 0))
}

# elman_round NAME N H FURTHER: elman at these shapes, into a TSV of its own.
elman_round() {
    local name=$1 n=$2 h=$3 file=$OUT/bench-elman-$1.tsv status=0 launcher
    shift 3
    if (($(left) < 5)); then return; fi
    echo "round $name: $(left) s left" >&2
    launcher=(timeout --foreground "$(left)")
    elman bench --backend cuda --tsv --batch-size "$n" --hidden "$h" --steps "$t" \
        --seconds "$seconds" ${dry:+--quick} "$@" >"$file" || status=$?
    files+=("$file")
    ended "elman $name" "$status"
}

# torch_round NAME N H FURTHER: PyTorch at these shapes.
torch_round() {
    local name=$1 n=$2 h=$3 file=$OUT/bench-torch-$1.tsv status=0
    shift 3
    if (($(left) < 5)); then return; fi
    timeout --foreground -k 10 $(($(left) + 20)) "$PYTHON" ci/peer_cudnn.py --n "$n" --h "$h" --t "$t" --rounds 1 --seconds "$seconds" \
        --precision "$precision" --budget "$(left)" ${dry:+--device cpu} "$@" --out "$file" >"${file%.tsv}.log" 2>&1 || status=$?
    if [[ -s $file ]]; then files+=("$file"); fi
    if ((status != 0)); then tail -n 3 "${file%.tsv}.log" >&2; fi
    ended "PyTorch $name" "$status"
}

# ended WHO STATUS: says how it ended if not well; out of time is no failure, what was measured by then counts.
ended() {
    case $2 in
        0) ;;
        124) echo "$1: out of time" ;;
        *)
            echo "$1: ended with exit code $2"
            bad=1
            ;;
    esac
}

# in_turn PREFIX N H FURTHER: elman at these shapes, then PyTorch, round by round.
in_turn() {
    local prefix=$1 round
    shift
    for ((round = 1; round <= rounds; round++)); do
        elman_round "$prefix$round" "$@"
        torch_round "$prefix$round" "$@"
    done
}

bench() {
    local n=1,32,128,512 h=64,128,256,384,512,768,1024,2048 t=512 unequal_n=32,128 unequal_h=64,256,512,1024
    local bidirectional_n=1,32,128 bidirectional_h=64,128,256,512,1024
    local precision=fp32,tf32,fp16 rounds=3 seconds=0.15 budget=540 begun=$SECONDS files=() bad=0
    if [[ -n $dry ]]; then
        n=1,8 h=16,24 t=32 unequal_n=8 unequal_h=16 bidirectional_n=8 bidirectional_h=16 rounds=2 seconds=0.05
    fi
    while (($#)); do
        case $1 in
            --n | --h | --t | --unequal-n | --unequal-h | --bidirectional-n | --bidirectional-h | --precision | --rounds | \
                --seconds | --budget)
                [[ $# -gt 1 ]] || { echo "$1 takes a value" && return 2; }
                printf -v "$(tr - _ <<<"${1#--}")" %s "$2"
                ;;
            *)
                echo "ci/gpu.sh bench knows no $1"
                return 2
                ;;
        esac
        shift 2
    done
    rm -f "$OUT"/bench-*.tsv # whose rounds may have been more: all that are there go with the record
    "$PYTHON" -c 'import torch' 2>/dev/null ||
        not_run "$PYTHON has no PyTorch (name another with ELMAN_PYTHON); 'elman bench' measures elman alone"
    in_turn "" "$n" "$h"
    in_turn unequal- "$unequal_n" "$unequal_h" --unequal
    in_turn bidirectional- "$bidirectional_n" "$bidirectional_h" --bidirectional
    torch_round graph "$n" "$h" --graph
    if ((${#files[@]})); then
        sed -n 's/^# /- /p' "${files[@]}" | awk '!seen[$0]++'
        "$PYTHON" ci/gpu_table.py "${files[@]}"
    fi
    return "$bad"
}

# sanitize_part TOOL PART: the tool over this part of the tests, in a log of its own. The tests that provoke CUDA errors on
# purpose would be reported as errors. The tool's default is to wait 10 s for the first CUDA call, which a JVM can overrun; host
# stacks run through compiled Java, which it cannot unwind.
sanitize_part() {
    local launcher=(timeout -k 10 "${ELMAN_SANITIZE_SECONDS:-280}" "$sanitizer" --tool "$1" --target-processes all
        --launch-timeout 600 --show-backtrace device --error-exitcode 99 --log-file "$OUT/$1-%p.log")
    ELMAN_JAVA_OPTS="${ELMAN_JAVA_OPTS:-} -Delman.contract.part=$2" \
        junit --include-tag cuda --exclude-tag provokes-cuda-error -c "${ELMAN_SANITIZE_CLASS:-dev.elman.contract.CudaBackendTest}" \
        >"$OUT/$1-part-${2%/*}.txt" 2>&1
}

sanitize() {
    local tool tools=("$@") sanitizer status worst=0 parts=${ELMAN_SANITIZE_PARTS:-1} part
    if ((${#tools[@]} == 0)); then tools=(memcheck racecheck); fi
    sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null) ||
        not_run "compute-sanitizer is not on the PATH and not in /usr/local/cuda/bin"
    for tool in "${tools[@]}"; do
        rm -f "$OUT/$tool"-*.log "$OUT/$tool"-part-*.txt
        processes=()
        for ((part = 1; part <= parts; part++)); do
            sanitize_part "$tool" "$part/$parts" &
            processes+=($!)
        done
        for ((part = 1; part <= parts; part++)); do
            status=0
            wait "${processes[part - 1]}" || status=$?
            echo "$tool, part $part of $parts, ended with $status:" \
                "$(grep -hE 'tests (found|skipped|aborted|successful|failed) ' "$OUT/$tool-part-$part.txt" | tr -s '\n []' ' ')"
            if ((status != 0)); then
                worst=$status
                tail -n 20 "$OUT/$tool-part-$part.txt"
            fi
        done
        grep -hE 'ERROR SUMMARY|RACECHECK SUMMARY|Error|not supported' "$OUT/$tool"-*.log | sed 's/^=* //' | sort | uniq -c | head -n 20 || true
    done
    return "$worst"
}

# --- the record ---

# gpu_line: the GPUs that there are; nothing in a dry run, which uses none.
gpu_line() {
    local gpus
    [[ -z $dry ]] || return 0
    gpus=$(nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader 2>/dev/null) || return 0
    paste -sd';' <<<"$gpus"
}

commit_line() {
    local changed
    if [[ -n ${ELMAN_COMMIT:-} ]]; then
        echo "$ELMAN_COMMIT"
    elif git rev-parse HEAD >/dev/null 2>&1; then
        changed=$(git status --porcelain --untracked-files=no)
        echo "$(git rev-parse HEAD)${changed:+, with changes}"
    else
        echo "unknown (ELMAN_COMMIT is not set)"
    fi
}

# stop: ends all that runs, for Ctrl-C reaches neither what is in the background nor what timeout runs in a group of its own.
stop() {
    local process
    trap - INT
    for process in "${processes[@]}"; do pkill -P "$process" || true; done
    kill 0
}

# record PURPOSE ARGUMENTS: does it, shows and keeps what it prints, and writes the record.
record() {
    local purpose=$1 start=$SECONDS status gpu gpu_name slug result log file
    log=$OUT/$purpose.log
    gpu=$(gpu_line)
    gpu_name=${gpu%%,*}
    slug=$(tr '[:upper:] ' '[:lower:]-' <<<"${gpu_name#NVIDIA }" | tr -cd 'a-z0-9.-')
    file=$OUT/$(date -u +%Y-%m-%d)-${slug:-no-gpu}-$purpose.md
    set +e
    (
        set -e
        trap stop INT
        "$@"
    ) 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    set -e
    sed -i "s#$PWD/##g" "$log" # where the checkout lies is nobody's business
    case $status in
        0) result=passed ;;
        "$NOT_RUN") result=$(grep '^not run: ' "$log" | tail -n 1) ;;
        *) result="FAILED with exit code $status" ;;
    esac
    {
        echo "# $purpose on ${gpu_name:-no GPU}"
        echo
        echo "| | |"
        echo "| --- | --- |"
        echo "| date | $(date -u '+%Y-%m-%d %H:%M') UTC |"
        echo "| GPU, driver, memory, highest clock | ${gpu:-none seen by nvidia-smi: THIS IS NO RUN ON HARDWARE} |"
        echo "| commit | $(commit_line) |"
        echo "| command | \`ci/gpu.sh ${dry:+--dry }$*\` |"
        if [[ -n ${ELMAN_JAVA_OPTS:-} ]]; then echo "| options of java | \`$ELMAN_JAVA_OPTS\` |"; fi
        echo "| result | $result |"
        echo "| seconds | $((SECONDS - start)) |"
        echo
        body "$purpose" "$log"
    } >"$file"
    echo "ci/gpu.sh: $purpose: $result; $file"
    if [[ $status != 0 && $status != "$NOT_RUN" ]]; then failed=1; fi
}

# body PURPOSE LOG: what belongs into the record; a table as it is, all else as text, the end of it where it is long, without
# the tests that passed, which the summary counts.
body() {
    case $1 in
        bench | probes | recurrences) grep -vE '^(gpu: |round )' "$2" || true ;;
        *)
            echo '```text'
            grep -vE ' :: (STARTED|SUCCESSFUL)$' "$2" | tail -n 120 || true
            echo '```'
            ;;
    esac
}

# --- main ---

if [[ ${1:-} == --dry ]]; then
    dry=yes
    shift
fi
case ${1:-} in
    doctor | tests | verify | demo | probes | recurrences | bench | sanitize) purposes=("$1") ;;
    all) purposes=(doctor tests verify demo sanitize probes recurrences bench) ;;
    -h | --help | help)
        usage
        exit
        ;;
    *)
        usage >&2
        exit 2
        ;;
esac
shift
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
if [[ -z $SETUP && -z ${ELMAN_CLASSPATH:-} ]]; then
    ELMAN_CLASSPATH=$(maven_classpath)
    if [[ " ${purposes[*]} " =~ \ (tests|sanitize)\  ]]; then ELMAN_CLASSPATH=$(with_console "$ELMAN_CLASSPATH"); fi
fi
trap stop INT
failed=0
for purpose in "${purposes[@]}"; do
    record "$purpose" "$@"
done
exit "$failed"
