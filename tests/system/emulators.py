# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests against the emulator of Oracle's cloud:

    pytest_plugins = "emulators"

    def test_something(mount, oracle):
        oracle.add_repository("a/b", "prod")
"""
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from emulator.process import Emulator  # noqa: E402


class _Emulators:
    def __init__(self, folder):
        self.folder, self.started = folder, []

    def make(self, *words, **settings):
        folder = self.folder / f"oracle{len(self.started)}"
        self.started.append(Emulator(folder, *words, **settings))
        return self.started[-1].start()

    def end(self):
        faults = ""
        for e in self.started:
            e.stop()
            faults += e.errors()
        assert not faults, faults


@pytest.fixture
def make_oracle(tmp_path):
    """make_oracle("--tls", empty_pages=1): an emulator; any number."""
    emulators = _Emulators(tmp_path)
    yield emulators.make
    emulators.end()


@pytest.fixture(scope="module")
def module_oracle(tmp_path_factory):
    """The same, for all tests of a file."""
    emulators = _Emulators(tmp_path_factory.mktemp("oracles"))
    yield emulators.make
    emulators.end()


@pytest.fixture
def oracle(make_oracle):
    """With the sample of compartments, repositories and images."""
    return make_oracle("--sample")
