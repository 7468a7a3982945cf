# SPDX-License-Identifier: Apache-2.0
"""docs/completion/ocirfs.bash, as bash itself would ask it."""
import pathlib
import subprocess

import pytest

COMPLETION = (pathlib.Path(__file__).resolve().parents[2]
              / "docs/completion/ocirfs.bash")
# readline hands over words that are split at each of COMP_WORDBREAKS.
SCRIPT = r"""
compopt() { :; }
source "$1"
COMP_WORDBREAKS=$' \t\n"'"'"'><=;|&(:'
COMP_LINE=$2 COMP_POINT=${#2}
read -ra COMP_WORDS <<< "$2"
[[ $2 != *' ' ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ocirfs
printf '%s\n' "${COMPREPLY[@]}"
"""


def offers(line, home="/nonexistent"):
    done = subprocess.run(["bash", "-c", SCRIPT, "bash", COMPLETION, line],
                          capture_output=True, text=True, check=True,
                          env={"PATH": "/usr/bin:/bin", "HOME": str(home)})
    assert not done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("line, offered", [
    ("ocirfs sa-saop", {"sa-saopaulo-1"}),
    ("ocirfs x y -o tim", {"timeout="}),
    ("ocirfs x y -o ro,allow_d", {"ro,allow_delete"}),
    ("ocirfs x y -o ro,verify=stri", {"strict"}),
    ("ocirfs -o auth=instance_p", {"instance_principal"}),
    ("ocirfs -o log=", {"error", "warn", "info", "debug"}),
    ("ocirfs -o repos=a:b", set()),
    ("ocirfs --ver", {"--version"}),
    ("ocirfs status --w", {"--watch"}),
    ("ocirfs umount --w", set()),
])
def test_what_is_offered(line, offered):
    assert offers(line) == offered


def test_profiles_are_those_of_the_config(tmp_path):
    (tmp_path / ".oci").mkdir()
    (tmp_path / ".oci/config").write_text("[DEFAULT]\nuser=x\n[BUILD]\n")
    assert offers("ocirfs gru y -o profile=", tmp_path) == {"DEFAULT", "BUILD"}


def test_names_with_a_colon_are_completed(tmp_path):
    (tmp_path / "sha256:0a1b").mkdir()
    assert offers(f"ocirfs gru {tmp_path}/sha256:0") == {"0a1b"}
