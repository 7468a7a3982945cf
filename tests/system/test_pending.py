# SPDX-License-Identifier: Apache-2.0
"""What could not be pushed goes on: in the mount that runs, and in the next
one, wherever that is."""
import pytest

import images
import pushed
import pushproxy
import waiting
import writers

M = images.image([images.layer({"f": b"of the pending image"})],
                 created=images.CREATED)


@pytest.fixture
def proxy(registry):
    p = pushproxy.PushProxy(registry.address)
    yield p
    p.stop()


def push(mnt):
    writers.Skopeo(mnt / "app", M, "1.0").write()


def fail_to_push(mnt, proxy, act="503"):
    proxy.rule(act, "manifest-put", times=10_000)
    with pytest.raises(OSError):
        push(mnt)


def wait_until_pushed(mnt, registry):
    waiting.until(lambda: pushed.has_come(registry, "app", M.digest),
                  "the manifest", 60)
    waiting.until(lambda: not pushed.pending(mnt), "nothing pending", 60)


@pytest.mark.semantics("S90", "S91")
@pytest.mark.parametrize("act", ["503", "500", "429"])
def test_it_goes_on_by_itself_when_the_registry_is_well(
        mount, registry, proxy, act):
    mnt = mount(proxy, timeout="2s")
    fail_to_push(mnt, proxy, act)
    waiting.until(lambda: any("; tried again in " in line
                              for line in pushed.pending(mnt)), "its turn", 60)
    proxy.forget()
    wait_until_pushed(mnt, registry)
    push(mnt)
    pushed.check(registry, "app", "1.0", M)


@pytest.mark.semantics("S90")
def test_a_tag_that_was_written_is_there_when_the_registry_is_well(
        mount, registry, proxy):
    images.push(registry, "app", M, "1.0")
    mnt = mount(proxy, timeout="2s")
    proxy.rule("503", "manifest-put", times=10_000)
    with pytest.raises(OSError):
        writers.write_file(mnt / "app/2.0", M.data)
    assert any("app: tag 2.0" in line for line in pushed.pending(mnt))
    proxy.forget()
    waiting.until(lambda: "2.0" in pushed.tags(registry, "app"), "the tag", 60)
    assert (mnt / "app/2.0").read_bytes() == M.data


@pytest.mark.semantics("S92")
@pytest.mark.parametrize("crash", [False, True])
def test_the_next_mount_goes_on_wherever_it_is(
        mount, registry, proxy, tmp_path, crash):
    mnt = mount(proxy, timeout="2s", cache=tmp_path / "shared")
    fail_to_push(mnt, proxy)
    mnt.crash() if crash else mnt.unmount()
    proxy.forget()
    wait_until_pushed(mount(proxy, cache=tmp_path / "shared"), registry)


@pytest.mark.semantics("S92")
def test_of_two_mounts_each_has_its_own_and_the_next_goes_on_with_both(
        mount, registry, proxy, tmp_path):
    both = [mount(proxy, timeout="2s", cache=tmp_path / "shared")
            for _ in range(2)]
    for mnt in both:
        fail_to_push(mnt, proxy)
    for mnt in both:
        mnt.unmount()
    proxy.forget()
    wait_until_pushed(mount(proxy, cache=tmp_path / "shared"), registry)


@pytest.mark.semantics("S92")
def test_the_work_of_another_registry_waits_for_its_own(
        mount, registry, make_registry, proxy, tmp_path):
    mnt = mount(proxy, timeout="2s", cache=tmp_path / "shared")
    fail_to_push(mnt, proxy)
    left = pushed.pending(mnt)
    mnt.unmount()
    other = mount(make_registry(), cache=tmp_path / "shared")
    push(other)
    assert not pushed.pending(other)
    proxy.forget()
    mnt.start()
    assert left
    wait_until_pushed(mnt, registry)
