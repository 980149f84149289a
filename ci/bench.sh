#!/usr/bin/env bash
# Measures elman's CPU backend. Wants a machine on which nothing else runs.
#
#   ci/bench.sh --peers [NAME=VALUE ..]   beside what else a JVM user could take, see ci/peers/README.md; about 12 minutes.
#       parts=LIST    of tables, start, memory, scaling; all by default
#       peers=LIST    names from ci/peers/peers.conf; all by default. Only theirs are built and fetched
#       shapes=LIST   NxTxDxH, such as 1x128x64x64,32x64x64x128; eight by default
#       rounds=R      measurements of each peer for each cell; 11 by default
#       ms=MS         the least time of a measurement in milliseconds; 200 by default
#       patience=S    seconds that all measurements together may wait for other processes; 300 by default
#
#   ci/bench.sh [JMH ARGUMENTS]           its own parts, by JMH: products, tanh, a layer forward and back; about 3 minutes
#
# The report of --peers goes to standard output and to target/peers/results.md, every round to target/peers/results.tsv.
set -euo pipefail
unset CDPATH # else cd may print where it went
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
}

maven() {
    ./mvnw -B -ntp -q "$@" >&2
}

java_command() {
    "${JAVA_HOME:+$JAVA_HOME/bin/}java" "$@"
}

# own_kernels: lets every OpenBLAS, elman's and the peers', choose the kernels of this processor.
own_kernels() {
    local name
    for name in OPENBLAS_CORETYPE OPENBLAS_L2_SIZE; do
        if [[ -n ${!name:-} ]]; then
            echo "$name=${!name} is set here, which forces kernels on OpenBLAS, elman's and the peers'; unset for this run" >&2
            unset "$name"
        fi
    done
}

# commit: the state that is measured.
commit() {
    git rev-parse --short HEAD 2>/dev/null || {
        echo unknown
        return
    }
    [[ -z $(git status --porcelain -- src pom.xml ci/peers) ]] || echo "and changes"
}

# peer_modules PEERS: the Maven modules of those peers, and the harness.
peer_modules() {
    awk -F '|' -v wanted="$1" '
        BEGIN { split(wanted, names, ","); for (i in names) chosen[names[i]] }
        /^[^#]/ { gsub(/ /, ""); if (wanted == "" || $1 in chosen) modules[$2] }
        END { printf "harness"; for (module in modules) printf ",%s", module }' ci/peers/peers.conf
}

peers() {
    local argument chosen=
    for argument; do
        case $argument in
            peers=*) chosen=${argument#peers=} ;;
            help) usage && return ;;
        esac
    done
    own_kernels
    maven install -DskipTests -Dmaven.javadoc.skip -Dmaven.source.skip -Dspotless.check.skip
    maven -f ci/peers/pom.xml -pl "$(peer_modules "$chosen")" process-classes
    java_command -cp ci/peers/harness/target/classes -Droot=ci/peers -Dout=target/peers \
        -Dcommit="$(commit | paste -sd' ')" -Dcommand="ci/bench.sh --peers${*:+ $*}" dev.elman.peers.Main "$@"
}

# benchmarks JMH-ARGUMENTS: those in src/test, of the CPU backend's own parts.
benchmarks() {
    own_kernels
    maven test-compile dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile=target/bench.classpath
    java_command -cp "target/test-classes:target/classes:$(<target/bench.classpath)" org.openjdk.jmh.Main "$@"
}

case ${1:-} in
    --peers)
        shift
        peers "$@"
        ;;
    --help) usage ;;
    *) benchmarks "$@" ;;
esac
