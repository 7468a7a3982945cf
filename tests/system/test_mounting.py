# SPDX-License-Identifier: Apache-2.0
"""Mounting and unmounting, and everything that can be wrong with it."""
import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

import fileserver
import images
import mounts
import waiting
from mounts import mounted_at, processes_of


@pytest.fixture(scope="module")
def registry(module_registry):
    r = module_registry()
    images.push(r, "app", images.small_image(), "1.0")
    return r


def content(path):
    return (path / "app/1.0").read_bytes() == images.small_image().data


@pytest.fixture
def place(tmp_path):
    """A mount point; whatever is left there fails the test."""
    path = tmp_path / "mnt"
    path.mkdir()
    yield path
    left = processes_of(path)
    if mounted_at(path):
        left.append("a mount")
        subprocess.run(["umount", "-l", path], check=False)
    for pid in left:
        if isinstance(pid, int):
            os.kill(pid, signal.SIGKILL)
    assert not left


def wait_gone(path):
    waiting.until(lambda: not mounted_at(path) and not processes_of(path),
                  "the end of the mount", 10)


# ---- what is wrong is told ----

@pytest.fixture
def refuse(run_ocirfs, tmp_path):
    """refuse(words...) -> the sentence; nothing may be mounted."""
    def run(*words, seconds=20, **env):
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        with waiting.Stopwatch() as w:
            done = run_ocirfs(*words, **env)
        assert done.returncode not in (0, 66), done.stderr
        assert done.returncode > 0
        assert done.stdout == ""
        lines = done.stderr.splitlines()
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("ocirfs: ")
        assert len(lines[0]) < 300
        assert w.seconds < seconds * waiting.SLOW
        after = pathlib.Path("/proc/self/mountinfo").read_text()
        assert str(tmp_path) not in after or before == after
        return lines[0]

    return run


def test_help_shows_all_options(run_ocirfs):
    done = run_ocirfs("--help")
    assert done.returncode == 0 and done.stderr == ""
    for word in ("ttl=", "timeout=", "cache=", "cache_size=", "cache-fsfree=",
                 "ca_file=", "auth_file=", "repos=", "mirror=", "plain_http",
                 "verify=", "bg", "uid=", "gid=", "umask=", "-f", "-d",
                 "--version"):
        assert word in done.stdout, word
    assert all(len(x) <= 80 for x in done.stdout.splitlines())


def test_version(run_ocirfs):
    done = run_ocirfs("--version")
    assert done.returncode == 0
    assert done.stdout.split()[0] == "ocirfs"
    assert done.stdout.split()[1][0].isdigit()


@pytest.mark.semantics("S41")
@pytest.mark.parametrize("words, said", [
    ([], "SOURCE"),
    (["http://127.0.0.1:1"], "MOUNTPOINT"),
    (["http://127.0.0.1:1", "{mnt}", "more"], "more"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "nonsense"], "nonsense"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "nonsense=1"], "nonsense"),
    (["http://127.0.0.1:1", "{mnt}", "--nonsense"], "--nonsense"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "ttl=soon"], "ttl"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "timeout=0"], "timeout"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "timeout=-1"], "timeout"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "cache_size=big"], "cache_size"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "cache-fsfree=101"],
     "cache-fsfree"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "verify=never"], "verify"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "uid=root-of-all"], "uid"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "umask=9"], "umask"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "repos=Bad//Name"], "Bad//Name"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "ca_file={tmp}/none.pem"],
     "none.pem"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "auth_file={tmp}/none.json"],
     "none.json"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "mirror=what"], "what"),
    (["ftp://127.0.0.1", "{mnt}"], "ftp://127.0.0.1"),
    (["nowhere", "{mnt}"], "nowhere"),
    (["http://", "{mnt}"], "http://"),
    (["http://127.0.0.1:99999", "{mnt}"], "99999"),
    (["http://127.0.0.1:1", "{tmp}/missing"], "missing"),
    (["http://127.0.0.1:1", "{tmp}/file"], "file"),
    (["http://127.0.0.1:1", "{tmp}/full"], "full"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "cache={tmp}/file/x"],
     "option 'cache': {tmp}/file"),
    (["http://127.0.0.1:1", "{mnt}", "-o", "cache=/proc/none"],
     "option 'cache': /proc/none"),
    (["http://127.0.0.1:1", "{mnt}"], "127.0.0.1:1"),
    (["https://127.0.0.1:1", "{mnt}"], "127.0.0.1:1"),
    (["https://no-such-host.invalid", "{mnt}"], "no-such-host.invalid"),
    (["http://registry.example", "{mnt}"], "plain_http"),
    (["http://192.0.2.1:5000", "{mnt}"], "plain_http"),
])
def test_what_is_wrong_is_one_sentence(refuse, place, tmp_path, words, said):
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/of").write_text("things")
    words = [w.format(mnt=place, tmp=tmp_path) for w in words]
    if "cache=" not in str(words):
        words += ["-o", f"cache={tmp_path}/cache"]
    assert said.format(tmp=tmp_path) in refuse(*words)


@pytest.mark.semantics("S45", "S41")
def test_plain_http_beyond_loopback_is_refused_before_it_is_tried(
        refuse, place, tmp_path):
    with waiting.Stopwatch() as w:
        refuse("http://192.0.2.1", place, "-o", f"cache={tmp_path}/c")
    assert w.seconds < 2 * waiting.SLOW


SOMEBODY = 12345


def theirs(folder):
    folder.mkdir()
    os.chown(folder, SOMEBODY, SOMEBODY)


def below_theirs(folder):
    theirs(folder.parent)
    folder.mkdir(mode=0o700)


def open_to_all(folder):
    folder.parent.mkdir()
    folder.parent.chmod(0o777)


def their_link(folder):
    (folder.parent / "elsewhere").mkdir(parents=True)
    folder.symlink_to("elsewhere")
    os.lchown(folder, SOMEBODY, SOMEBODY)


def staging_link(folder):
    folder.mkdir(parents=True)
    their_link(folder / "staging")


@pytest.mark.semantics("S73")
@pytest.mark.parametrize("how, said", [
    (theirs, "belongs to user 12345"), (below_theirs, "belongs to user 12345"),
    (open_to_all, "others may write to 'deep'"),
    (their_link, "'cache' belongs to user 12345"),
    (staging_link, "'staging' belongs to user 12345")])
def test_root_keeps_its_cache_where_nobody_else_leads_it(
        refuse, place, tmp_path, registry, how, said):
    folder = tmp_path / "deep/cache" if how is not theirs else tmp_path / "c"
    how(folder)
    assert said in refuse(registry.url, place, "-o", f"cache={folder}")
    assert not list(tmp_path.rglob("elsewhere/*"))


@pytest.mark.semantics("S73")
def test_a_cache_in_a_sticky_directory(run_ocirfs, place, tmp_path, registry):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    done = run_ocirfs(registry.url, place, "-o", f"cache={tmp_path}/tmp/cache")
    assert done.returncode == 0 and done.stderr == ""
    subprocess.run(["umount", place], check=True)
    wait_gone(place)


@pytest.mark.semantics("S41")
def test_a_registry_that_is_something_else(refuse, place, tmp_path):
    server = fileserver.FileServer(tmp_path)
    try:
        said = refuse(server.url, place, "-o", f"cache={tmp_path}/c")
        assert server.address in said
    finally:
        server.stop()


@pytest.mark.semantics("S41")
def test_a_wrong_password(refuse, place, tmp_path, make_registry, registry,
                          htpasswd):
    r = make_registry(storage=registry.storage,
                      auth=htpasswd("user", "right"))
    path = tmp_path / "auth.json"
    path.write_text(json.dumps({"auths": {r.address: {
        "auth": base64.b64encode(b"user:wrong").decode()}}}))
    said = refuse(r.url, place, "-o",
                  f"cache={tmp_path}/c,auth_file={path}")
    assert r.address in said
    assert any(w in said.lower() for w in ("password", "credential", "401",
                                           "unauthorized"))
    assert "wrong" not in said.replace("wrong password", "")


@pytest.mark.semantics("S41")
def test_no_password_where_one_is_needed(refuse, place, tmp_path,
                                         make_registry, registry, htpasswd):
    r = make_registry(storage=registry.storage,
                      auth=htpasswd("user", "right"))
    assert r.address in refuse(r.url, place, "-o", f"cache={tmp_path}/c")


@pytest.mark.semantics("S41")
def test_a_frozen_registry_is_told_at_the_deadline(
        refuse, place, tmp_path, make_registry):
    r = make_registry()
    r.freeze()
    with waiting.Stopwatch() as w:
        said = refuse(r.url, place, "-o", f"cache={tmp_path}/c,timeout=2s")
    assert w.seconds < 6 * waiting.SLOW
    assert r.address in said


@pytest.mark.semantics("S41")
def test_a_dead_mount_point_says_how_to_end_it(refuse, mount, registry):
    mnt = mount(registry)
    mnt.expect_death = True
    waiting.end_process(mnt.process, signal.SIGKILL)
    said = refuse(registry.url, mnt.path, "-o", f"cache={mnt.cache}")
    assert "umount" in said
    subprocess.run(["umount", mnt.path], check=True)


@pytest.mark.semantics("S41")
def test_without_dev_fuse(refuse, place, registry, tmp_path):
    """In a mount namespace of its own where /dev/fuse is gone."""
    script = tmp_path / "run"
    script.write_text(
        "#!/bin/sh\nmount --bind /dev/null /dev/fuse && exec "
        f"{mounts.PROGRAM} {registry.url} {place} -o cache={tmp_path}/c\n")
    done = subprocess.run(
        ["unshare", "-m", "sh", script], text=True, capture_output=True,
        env=mounts.clean_env(tmp_path), timeout=60, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and "fuse" in done.stderr
    assert not processes_of(place)


# ---- mounting ----

@pytest.mark.semantics("S44")
def test_in_the_background_it_is_ready_on_return(run_ocirfs, registry, place,
                                                 tmp_path):
    done = run_ocirfs(registry.url, place, "-o", f"cache={tmp_path}/c")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert content(place)
    (pid,) = processes_of(place)
    assert os.getsid(pid) == pid
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert {os.readlink(f"/proc/{pid}/fd/{n}") for n in (0, 1, 2)} == {
        "/dev/null"}
    subprocess.run(["umount", place], check=True)
    wait_gone(place)


@pytest.mark.semantics("S44")
def test_options_may_come_first_and_names_may_be_relative(
        registry, place, tmp_path):
    done = subprocess.run(
        [mounts.PROGRAM, "-o", "cache=c,ttl=1s", "-o",
         "timeout=5s", registry.url, "mnt"], cwd=tmp_path, text=True,
        capture_output=True, env=mounts.clean_env(tmp_path), check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert content(place)
    assert (tmp_path / "c").is_dir()
    subprocess.run(["fusermount3", "-u", place], check=True)
    wait_gone(place)


@pytest.fixture
def as_installed(tmp_path, place):
    """Run a shell script where `ocirfs` is installed: in /usr/local/sbin of a
    mount namespace of its own, since mount(8) gives its helpers no PATH."""
    def run(script):
        folder = tmp_path / "sbin"
        folder.mkdir()
        (folder / "ocirfs").symlink_to(mounts.PROGRAM)
        return subprocess.run(
            ["unshare", "-m", "--propagation", "private", "bash", "-ec",
             f"mount --bind {folder} /usr/local/sbin\n{script}"], text=True,
            env=mounts.clean_env(tmp_path, tmp_path / "sanitizer"),
            capture_output=True, check=False, timeout=60 * waiting.SLOW)

    yield run
    assert not list(tmp_path.glob("sanitizer.*"))


@pytest.mark.semantics("S43")
def test_mount_8(registry, place, tmp_path, as_installed):
    done = as_installed(f"""
        mount -t fuse.ocirfs {registry.url} {place} -o \
            cache={tmp_path}/c,ttl=5s,ro,nodev,nosuid,_netdev,noatime
        cat {place}/app/1.0 > {tmp_path}/got
        grep ' {place} ' /proc/self/mounts
        umount {place}""")
    assert (done.returncode, done.stderr) == (0, "")
    source, _, kind, options, *_ = done.stdout.split()
    assert (source, kind) == (registry.url, "fuse.ocirfs")
    assert {"ro", "nodev", "nosuid", "noatime"} <= set(options.split(","))
    assert (tmp_path / "got").read_bytes() == images.small_image().data
    wait_gone(place)


@pytest.mark.semantics("S43", "S41")
def test_mount_8_tells_what_is_wrong(place, tmp_path, as_installed):
    done = as_installed(f"mount -t fuse.ocirfs http://127.0.0.1:1 {place} "
                        f"-o cache={tmp_path}/c")
    assert done.returncode != 0
    assert "127.0.0.1:1" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.semantics("S43")
def test_fstab(registry, place, tmp_path, as_installed):
    table = tmp_path / "fstab"
    table.write_text(
        f"{registry.url} {place} fuse.ocirfs noauto,nofail,_netdev,"
        f"x-systemd.automount,comment=x,cache={tmp_path}/c 0 0\n")
    done = as_installed(f"mount -T {table} {place}\n"
                        f"cat {place}/app/1.0 > {tmp_path}/got\n"
                        f"umount {place}")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "got").read_bytes() == images.small_image().data
    wait_gone(place)


@pytest.mark.semantics("S42")
def test_bg_mounts_before_the_network_is_there(mount, make_registry):
    r = make_registry()
    images.push(r, "app", images.small_image(), "1.0")
    r.kill()
    mnt = mount(r, bg=True, timeout="3s")
    with pytest.raises(OSError):
        os.listdir(mnt / "app")
    assert "does not answer" in mnt.status()
    r.start()
    waiting.until(lambda: "answers" in mnt.status(), "the registry", 15)
    assert content(mnt.path)


@pytest.mark.semantics("S12")
def test_others_see_it_with_allow_other_only(mount, registry):
    def as_nobody(path):
        return subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             "cat", path / "app/1.0"], capture_output=True, check=False)

    closed, opened = mount(registry), mount(registry, allow_other=True)
    for parent in {*closed.path.parents, *opened.path.parents}:
        if str(parent).startswith("/tmp/"):
            os.chmod(parent, 0o755)
    assert as_nobody(closed.path).returncode != 0
    assert as_nobody(opened.path).stdout == images.small_image().data


ORDINARY_USER = """
    mount -t tmpfs -o dev tmpfs {dev}
    mknod -m 666 {dev}/fuse c 10 229
    mount --bind {dev}/fuse /dev/fuse
    exec setpriv --reuid=65534 --regid=65534 --clear-groups bash -ec '
        {program} {url} {home}/mnt
        cat {home}/mnt/app/1.0 > {home}/got
        stat -c "%u %g" {home}/mnt/app/1.0
        fusermount3 -u {home}/mnt'"""


@pytest.mark.semantics("S12", "S44")
@pytest.mark.skipif(not os.path.exists("/etc/mtab"),
                    reason="fusermount3 -u wants /etc/mtab, not here")
def test_an_ordinary_user_mounts_and_unmounts(registry):
    """As nobody, through the setuid fusermount3, with a /dev/fuse that is
    open to all as udev makes it."""
    with tempfile.TemporaryDirectory(prefix="ofs-") as folder:
        home, dev = pathlib.Path(folder, "home"), pathlib.Path(folder, "dev")
        (home / "mnt").mkdir(parents=True)
        dev.mkdir()
        program = shutil.copy(mounts.PROGRAM, home)  # where nobody may go
        for path in (folder, home, home / "mnt"):
            os.chown(path, 65534, 65534)
        done = subprocess.run(
            ["unshare", "-m", "--propagation", "private", "bash", "-ec",
             ORDINARY_USER.format(dev=dev, home=home, url=registry.url,
                                  program=program)],
            text=True, capture_output=True, check=False, timeout=60,
            env=mounts.clean_env(home, home / "sanitizer"))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "65534 65534\n"
        wait_gone(home / "mnt")
        assert (home / "got").read_bytes() == images.small_image().data
        assert (home / ".cache/ocirfs").is_dir()
        assert not list(home.glob("sanitizer*"))


# ---- unmounting ----

@pytest.mark.semantics("S44")
@pytest.mark.parametrize("how", [
    ["umount"], ["fusermount3", "-u"], ["umount", "-l"],
    ["fusermount3", "-u", "-z"]])
def test_unmounting_leaves_nothing(run_ocirfs, registry, place, tmp_path,
                                   how):
    run_ocirfs(registry.url, place, "-o", f"cache={tmp_path}/c")
    assert content(place)
    subprocess.run([*how, place], check=True)
    wait_gone(place)
    assert not list(place.iterdir())


@pytest.mark.semantics("S44")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT,
                                    signal.SIGHUP])
@pytest.mark.parametrize("foreground", [True, False])
def test_a_signal_unmounts(run_ocirfs, mount, registry, place, tmp_path,
                           number, foreground):
    if foreground:
        mnt = mount(registry)
        assert content(mnt.path)
        mnt.process.send_signal(number)
        mnt.wait_gone()
        assert "unmounted" in mnt.log()
        return
    run_ocirfs(registry.url, place, "-o", f"cache={tmp_path}/c")
    assert content(place)
    (pid,) = processes_of(place)
    os.kill(pid, number)
    wait_gone(place)


@pytest.mark.semantics("S44")
@pytest.mark.parametrize("number", [
    signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGQUIT,
    signal.SIGPIPE, signal.SIGXFSZ, signal.SIGPOLL, signal.SIGRTMIN + 3])
def test_a_signal_that_asks_for_nothing_ends_nothing(
        run_ocirfs, registry, place, tmp_path, number):
    run_ocirfs(registry.url, place, "-o", f"cache={tmp_path}/c")
    (pid,) = processes_of(place)
    os.kill(pid, number)
    assert content(place)
    subprocess.run(["umount", place], check=True)
    wait_gone(place)


@pytest.mark.semantics("S44")
def test_umount_is_a_word_of_ours_too(run_ocirfs, registry, place, tmp_path):
    run_ocirfs(registry.url, place, "-o", f"cache={tmp_path}/c,lazytime,"
               "norelatime,sync,dev,diratime")
    assert content(place)
    assert run_ocirfs("umount", place).returncode == 0
    wait_gone(place)
    assert run_ocirfs("umount").returncode == 2


@pytest.mark.semantics("S44")
def test_quit_of_a_terminal_unmounts(mount, registry):
    mnt = mount(registry)
    assert content(mnt.path)
    mnt.process.send_signal(signal.SIGQUIT)
    mnt.wait_gone()
    assert "unmounted" in mnt.log()


@pytest.mark.semantics("S44")
def test_mounting_and_unmounting_many_times(run_ocirfs, registry, place,
                                            tmp_path):
    for _ in range(10):
        done = run_ocirfs(registry.url, place, "-o", f"cache={tmp_path}/c")
        assert done.returncode == 0
        assert content(place)
        subprocess.run(["umount", place], check=True)
        wait_gone(place)


@pytest.mark.semantics("S44")
def test_no_descriptor_leaks(mount, registry):
    """After the same work again there are as many as before."""
    mnt = mount(registry, ttl=0)

    def work():
        for _ in range(20):
            assert content(mnt.path)
            os.listdir(mnt / "app/blobs/sha256")
            mnt.status()
        return len(os.listdir(f"/proc/{mnt.pid}/fd"))

    work()
    before = work()
    waiting.until(lambda: work() <= before + 2, "as few descriptors", 10)


@pytest.mark.semantics("S37")
def test_the_log_of_a_mount_is_short(mount, registry):
    """Two lines and what went wrong: not a line for each request."""
    mnt = mount(registry)
    for _ in range(50):
        assert content(mnt.path)
        assert not (mnt / "app/absent").exists()
    mnt.unmount()
    assert len(mnt.log().splitlines()) <= 3, mnt.log()


def test_the_program_needs_no_shell_or_home(registry, place, tmp_path):
    """As a system service starts it: an empty environment."""
    done = subprocess.run(
        [mounts.PROGRAM, registry.url, place, "-o", f"cache={tmp_path}/c"],
        env={}, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert content(place)
    assert shutil.which("fusermount3")
    subprocess.run(["umount", place], check=True)
    wait_gone(place)
