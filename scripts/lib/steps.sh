# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced by check, test and fuzz: run named steps side by side, keep each
# one's output, count what they report and end with "N passed, N failed".

steps_dir=$(mktemp -d)
steps_passed=0
steps_failed=0
declare -A steps_pid=()
steps_order=()

steps_cleanup()
{
    local pid

    for pid in "${steps_pid[@]}"; do
        kill -TERM -- "-$pid" 2> /dev/null || true
    done
    rm -rf "$steps_dir"
}
trap steps_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# step NAME COMMAND...: start it, in a process group of its own.
step()
{
    local name=$1

    shift
    steps_order+=("$name")
    setsid "$@" < /dev/null > "$steps_dir/${name//\//_}" 2>&1 &
    steps_pid[$name]=$!
}

# What a step printed: the test count of ctest, pytest or of one of our own
# scripts.  Anything else counts as one.
steps_counts()
{
    /usr/bin/python3 - "$1" "$2" << 'PYTHON'
import re
import sys

text = open(sys.argv[1], errors="replace").read()
ok = sys.argv[2] == "0"
passed = failed = 0
ours = re.findall(r"^(\d+) passed, (\d+) failed$", text, re.M)
ctest = re.findall(r"(\d+) tests failed out of (\d+)", text)
pytest = re.findall(r"^=* ?((?:\d+ [a-z]+,? ?)+)in [\d.]+s", text, re.M)
if ours:
    passed, failed = map(int, ours[-1])
elif ctest:
    failed = int(ctest[-1][0])
    passed = int(ctest[-1][1]) - failed
elif pytest:
    words = dict((w, int(n)) for n, w in
                 re.findall(r"(\d+) ([a-z]+)", pytest[-1]))
    passed = words.get("passed", 0)
    failed = sum(words.get(w, 0) for w in ("failed", "error", "errors"))
elif ok and not re.search(r"^=* ?no tests ran in", text, re.M):
    passed = 1
if not ok and failed == 0:
    failed = 1
print(passed, failed)
PYTHON
}

# What a failed step has to say: of ctest each failed test's own output and
# the list of them, of pytest the failures; of anything else the last lines.
steps_show()
{
    awk -v most="${STEPS_TAIL:-150}" '
        function flush(    i) {
            for (i = n > most ? n - most + 1 : 1; i <= n; i++)
                print block[i]
            n = 0
        }
        /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / { flush(); show = /\*\*\*/ }
        /^ *Start +[0-9]+: / { next }
        /^[0-9]+% tests passed/ { flush(); show = known = 1 }
        /^=+ (FAILURES|ERRORS) =+$/ { show = known = 1; most = 100000 }
        show { block[++n] = $0 }
        END { if (known) flush(); exit !known }
    ' "$1" || tail -n "${STEPS_TAIL:-150}" "$1"
}

# Wait for one step; its output is shown when it failed.
steps_finish()
{
    local name=$1 file="$steps_dir/${1//\//_}" status=0 passed failed

    wait "${steps_pid[$name]}" || status=$?
    unset "steps_pid[$name]"
    read -r passed failed < <(steps_counts "$file" $status)
    steps_passed=$((steps_passed + passed))
    steps_failed=$((steps_failed + failed))
    if [ "$failed" = 0 ]; then
        printf 'ok      %-28s %4d passed\n' "$name" "$passed"
        return 0
    fi
    printf 'FAILED  %-28s %4d passed, %d failed\n' "$name" "$passed" "$failed"
    steps_show "$file" | sed 's/^/    /'
    return 1
}

# Wait for all that were started.  False when one failed.
steps_wait()
{
    local name status=0

    for name in "${steps_order[@]}"; do
        steps_finish "$name" || status=1
    done
    steps_order=()
    return $status
}

# The last line, and the exit status.
steps_end()
{
    printf '%d passed, %d failed\n' "$steps_passed" "$steps_failed"
    [ "$steps_failed" -eq 0 ]
}
