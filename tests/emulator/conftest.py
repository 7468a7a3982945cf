# SPDX-License-Identifier: Apache-2.0
"""The emulator in this process, for its own tests."""
import itertools
import pathlib

import pytest
from cryptography.hazmat.primitives import serialization

from . import cloud as emulator, population
from .door_client import Door
from .settings import Settings
from .signing_client import Client

_numbers = itertools.count()


def load_key(path):
    return serialization.load_pem_private_key(
        pathlib.Path(path).read_bytes(), None)


class Rig:
    """A running Cloud and clients for it."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.urls, self.state = cloud.urls, cloud.state
        self.tenancy, self.namespace = cloud.state.tenancy, \
            cloud.state.namespace

    def user(self, name="jdoe@example.com", **more):
        u = self.cloud.people[name]
        return Client(load_key(u["key_file"]), f"{u['tenancy']}/{u['user']}/"
                      f"{u['fingerprint']}", **more)

    def new_name(self, prefix="app"):
        """Of a repository or compartment that no other test has."""
        return f"{prefix}{next(_numbers)}"

    def reset(self):
        self.cloud.settings.change(Settings().as_dict())
        self.cloud.faults.clear()
        self.cloud.log.clear()
        self.cloud.directory.set_policies(population.POLICIES)
        self.state.create_on_push = False
        for mint in (self.cloud.directory.security,
                     self.cloud.registry_tokens):
            mint.first_valid = 0


def _rig(folder, **more):
    with emulator.Cloud(folder, **more) as cloud:
        population.add_people(cloud)
        yield Rig(cloud)


@pytest.fixture(scope="session")
def _control_plane(tmp_path_factory):
    yield from _rig(tmp_path_factory.mktemp("cloud"), registry=False)


@pytest.fixture(scope="session")
def _whole(tmp_path_factory):
    yield from _rig(tmp_path_factory.mktemp("cloud"))


@pytest.fixture
def plane(_control_plane):
    """Without a registry."""
    _control_plane.reset()
    return _control_plane


@pytest.fixture
def whole(_whole):
    """With docker-registry behind the door."""
    _whole.reset()
    return _whole


@pytest.fixture
def door(whole):
    return Door(whole)


@pytest.fixture
def repo(whole):
    """The name of a new repository in the root compartment."""
    name = whole.new_name()
    whole.state.add_repository(name, whole.tenancy, "x")
    return name
