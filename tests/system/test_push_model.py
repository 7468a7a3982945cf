# SPDX-License-Identifier: Apache-2.0
"""Random operations on the mount and on a model of it: what each gives, and
what is in the registry at the end, must be the same.

OCIRFS_MODEL_SEED and OCIRFS_MODEL_STEPS try another sequence, or a longer one.
"""
import errno
import os
import random

import pytest

import images
import pushed
import pushmodel

SEEDS = [int(s) for s in os.environ.get("OCIRFS_MODEL_SEED", "1,2,3").split(",")]
STEPS = int(os.environ.get("OCIRFS_MODEL_STEPS", "120"))
REPOS = ("one", "two", "team/three")
TAGS = ("1.0", "1.1", "latest")
WEIGHTS = {  # operation: (how often, what its parameters are)
    "mkdir": (3, "R"), "rmdir": (3, "R"),
    "write_blob": (8, "RNW"), "write_wrong_blob": (2, "RN"),
    "write_tag": (14, "RTN"), "write_beside_and_rename": (6, "RTN"),
    "write_garbage": (3, "RT"), "write_index": (5, "RTN"),
    "rename": (6, "RTT"), "link": (5, "RTT"), "unlink": (6, "RT"),
    "copy": (8, "RTRT"), "elsewhere": (3, "RTN"),
    "list": (8, "R"), "stat": (8, "RT"), "read": (8, "RT"),
    "has_blob": (5, "RNW"),
}


@pytest.fixture(scope="module")
def made():
    """They share layers; of most, no blob is in the registry at first."""
    layers = [images.layer({f"layer{i}": images.noise(3000, i)})
              for i in range(4)]
    return [images.image([layers[i % 4], layers[i * i % 4]],
                         annotations={"number": str(i)},
                         created=f"2021-01-0{i + 1}T00:00:00Z")
            for i in range(6)]


class Dice:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def parameter(self, kind):
        return {"R": lambda: self.random.choice(REPOS),
                "T": lambda: self.random.choice(TAGS),
                "N": lambda: self.random.randrange(6),
                "W": lambda: self.random.randrange(3)}[kind]()

    def step(self):
        name = self.random.choices(
            list(WEIGHTS), [w for w, _ in WEIGHTS.values()])[0]
        return name, [self.parameter(k) for k in WEIGHTS[name][1]]


def outcome(side, name, parameters):
    try:
        return getattr(side, name)(*parameters)
    except OSError as e:
        return errno.errorcode[e.errno]


def is_sensible(model, name, parameters):
    """What the model has an answer for."""
    if name == "rmdir":
        return model.may_rmdir(parameters[0])
    return name != "copy" or parameters[:2] != parameters[2:]


def compare_with_registry(model, mnt, registry):
    for name, repo in model.repos.items():
        assert pushed.tag_map(registry, name) == {
            t: m.digest for t, m in repo.tags.items()}, name
        for tag, m in repo.tags.items():
            pushed.check(registry, name, tag, m)
    assert not pushed.pending(mnt)


@pytest.mark.semantics("S57", "S61", "S62", "S65", "S66")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_mount_does_what_the_model_does(mount, registry, made, seed):
    mnt = mount(registry, ttl="0", allow_delete=True)
    model = pushmodel.Model(made)
    real = pushmodel.Real(mnt, registry, made)
    os.makedirs(mnt / "team")
    dice, done = Dice(seed), []
    while len(done) < STEPS:
        name, parameters = dice.step()
        if not is_sensible(model, name, parameters):
            continue
        wanted = outcome(model, name, parameters)
        got = outcome(real, name, parameters)
        done.append((name, *parameters, got))
        assert got == wanted, (
            f"OCIRFS_MODEL_SEED={seed}, step {len(done)}: {done[-1]}, but "
            f"the model: {wanted}\n" + "\n".join(map(str, done[-12:])))
    compare_with_registry(model, mnt, registry)
