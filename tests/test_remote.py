"""Features from a remote: pulled and trained on without any raw audio, which is never pushed.

The remotes are a folder, and servers of the loopback on free ports that speak S3, SSH and HTTP.
"""

import asyncio
import functools
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from fsspec.implementations.local import LocalFileSystem
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

FEATURE = "features/data/ravdess-mfcc39.zarr"
STAGE = "extract@ravdess-mfcc39"
FOLDS = "split@ravdess-halves"
INDEX = "index@ravdess"
CORPUS = {
    "corpora": "ravdess: {parser: ravdess}",
    "protocols": "halves: {kind: speakers, folds: 2, allow: [sentence]}",
    "sounds": "ravdess-centred: {corpus: ravdess, waveform: centred, samples: 4410}",
    "data": "ravdess-mfcc39: {sound: ravdess-centred, feature: mfcc39}",
    "folds": "ravdess-halves: {corpus: ravdess, protocol: halves}",
}
RUN = """\
  licensed:
    {model: tim_net, corpus: ravdess, data: ravdess-mfcc39, folds: ravdess-halves,
     settings: {epochs: 1, blocks: 1, filters: 4, batch: 288}}
"""
WRITABLE = ["folder", "s3", "ssh"]
EVERY = [*WRITABLE, "http"]


# ---- servers ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give the folder that is a remote by itself, and behind the web server."""
    return tmp_path_factory.mktemp("remote") / "folder"


@pytest.fixture(scope="module")
def s3(user):
    """Give a file system with a bucket, of a server that speaks S3, ``endpoint_url``."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"key": user["AWS_ACCESS_KEY_ID"], "secret": user["AWS_SECRET_ACCESS_KEY"]}
    files = s3fs.S3FileSystem(endpoint_url=f"http://{host}:{port}", **keys)
    files.mkdir("lab")
    yield files
    server.stop()


@pytest.fixture(scope="module")
def ssh(tmp_path_factory):
    """Give the port, the user's key file and the root of an SSH server; ``guest`` may not write."""
    import asyncssh

    class Guest(asyncssh.SFTPServer):
        def open(self, path, pflags, attrs):
            if pflags & asyncssh.FXF_WRITE:
                raise asyncssh.SFTPPermissionDenied("guests only read")
            return super().open(path, pflags, attrs)

        def mkdir(self, path, attrs):
            raise asyncssh.SFTPPermissionDenied("guests only read")

    root = tmp_path_factory.mktemp("ssh")
    (root / "served").mkdir()
    user = asyncssh.generate_private_key("ssh-ed25519")
    user.write_private_key(root / "key")
    user.write_public_key(root / "key.pub")
    (root / "key").chmod(0o600)

    def serve(channel):
        guest = channel.get_extra_info("username") == "guest"
        return (Guest if guest else asyncssh.SFTPServer)(channel, chroot=root / "served")

    async def listen():
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            authorized_client_keys=str(root / "key.pub"),
            sftp_factory=serve,
        )

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    yield SimpleNamespace(port=server.get_port(), key=root / "key", root=root / "served")
    loop.call_soon_threadsafe(server.close)
    asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def http(folder):
    """Give the port of a web server over the folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def port(request):
    """Give a port of a server that is ``"down"``, or that takes calls and is ``"silent"``."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "silent":
            listener.listen(1000)
        yield listener.getsockname()[1]


# ---- clones ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def user(environment):
    """Give what commands need, a user's keys of S3 among it; what fails on S3 fails once."""
    keys = {"AWS_ACCESS_KEY_ID": "user", "AWS_SECRET_ACCESS_KEY": "secret"}
    return environment | keys | {"AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def command(user):
    """Give ``command(folder, *arguments)``, which returns the exit status and what was said."""

    def run(folder, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", *arguments] if arguments[0] == "dvc" else arguments,
            **{"cwd": folder, "env": user, "capture_output": True, "text": True},
            timeout=300,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def dvc(command):
    """Give ``dvc(folder, *arguments)``: what it said; it must not fail."""

    def run(folder, *arguments):
        status, said = command(folder, "dvc", *arguments)
        assert status == 0, said
        return said

    return run


@pytest.fixture(scope="module")
def refused(command):
    """Give ``refused(folder, *arguments)``: what DVC said as it failed; it must, in plain words."""

    def run(folder, *arguments):
        status, said = command(folder, "dvc", *arguments)
        assert status != 0, said
        assert "Traceback" not in said
        assert re.search(r"(?m)^ERROR: \S", said), said
        return said

    return run


@pytest.fixture(scope="module")
def owner(finished, ravdess_corpus, tmp_path_factory, dvc, command):
    """Give the clone of somebody who has a corpus and made its features; not to be changed."""
    clone = tmp_path_factory.mktemp("owner") / "clone"
    shutil.copytree(finished, clone, ignore=shutil.ignore_patterns("__pycache__"))
    (clone / "raw_data" / "ravdess").symlink_to(ravdess_corpus)
    params = clone / "params.yaml"
    for table, line in CORPUS.items():
        params.write_text(add(params.read_text(), table, f"  {line}\n"))
    dvc(clone, "repro", STAGE, FOLDS)
    git(command, clone, "add", "--all")
    git(command, clone, "commit", "--quiet", "--message", "features of a corpus")
    return clone


def add(text, table, lines):
    """Add lines to the end of a table of params.yaml."""
    return re.sub(rf"(?ms)^{table}:.*?\n(?=^\S|\Z)", rf"\g<0>{lines}", text, count=1)


def git(command, folder, *arguments):
    """Run git as somebody."""
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    status, said = command(folder, "git", *who, *arguments)
    assert status == 0, said


@pytest.fixture(scope="module")
def remotes(folder, s3, ssh, http):
    """Give the settings of every remote, as ``dvc remote add`` and ``modify`` write them."""
    return {
        "folder": {"url": folder},
        "s3": {"url": "s3://lab/ser", "endpointurl": s3.endpoint_url},
        "ssh": {"url": f"ssh://user@127.0.0.1:{ssh.port}/ser", "keyfile": ssh.key},
        "http": {"url": f"http://127.0.0.1:{http}"},
    }


def use(clone, **settings):
    """Make a remote the default one of a clone, and verify what comes from it."""
    settings = {"verify": "true"} | settings
    lines = [f"    {key} = {value}\n" for key, value in settings.items()]
    text = "".join(["[core]\n    remote = lab\n", "['remote \"lab\"']\n", *lines])
    (clone / ".dvc" / "config.local").write_text(text)
    return clone


@pytest.fixture
def visitor(owner, tmp_path, command):
    """Give ``visitor(**settings)``: a new clone, without any audio, and its remote."""

    def clone(name="clone", **settings):
        git(command, tmp_path, "clone", "--quiet", owner, name)
        return use(tmp_path / name, **settings)

    return clone


@pytest.fixture(scope="module")
def pushed(owner, remotes, dvc):
    """Give ``pushed(name)``: settings of a remote to which the owner pushed everything."""

    @functools.cache
    def push(name):
        if name == "http":
            push("folder")  # which it serves
        else:
            dvc(use(owner, **remotes[name]), "push", "--run-cache")
        return remotes[name]

    return push


def outs(clone):
    """Paths and hashes of what the features' stages wrote."""
    stages = YAML().load(clone / "dvc.lock")["stages"].values()
    return {out["path"]: out["md5"] for stage in stages for out in stage["outs"]}


def members(clone, path):
    """Hashes of the files of a folder that DVC keeps, by name."""
    digest = outs(clone)[path]
    listing = clone / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]
    return {entry["relpath"]: entry["md5"] for entry in json.loads(listing.read_text())}


def read(folder):
    """Read every file of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in files}


def prepared(clone):
    """Name the data that a clone has."""
    places = [f"features/{kind}/*" for kind in ("corpora/*", "data", "folds", "sounds")]
    made = [path for place in (*places, "models/*", "raw_data/*") for path in clone.glob(place)]
    made = [path for path in made if path.name != "README.md" and path.name[0] != "."]
    return sorted(str(path.relative_to(clone)) for path in made)


# ---- what a remote is for --------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_one_feature_of_one_corpus_is_pulled(owner, pushed, visitor, dvc, name):
    clone = visitor(**pushed(name))
    dvc(clone, "pull", STAGE)
    assert prepared(clone) == [FEATURE]
    assert read(clone / FEATURE) == read(owner / FEATURE)


@pytest.mark.parametrize("name", WRITABLE)
def test_no_audio_is_pushed(owner, ravdess_corpus, pushed, folder, s3, ssh, name):
    pushed(name)
    paths = {
        "folder": lambda: [str(path) for path in folder.rglob("*")],
        "s3": lambda: s3.find("lab/ser"),
        "ssh": lambda: [str(path) for path in (ssh.root / "ser").rglob("*")],
    }[name]()
    there = {"".join(path.split("/")[-2:]) for path in paths}
    assert outs(owner)[FEATURE] in there
    assert set(members(owner, FEATURE).values()) <= there
    raw = [path.read_bytes() for path in ravdess_corpus.rglob("*.wav")]
    assert not there & {hashlib.md5(content).hexdigest() for content in raw}
    for corpus in ("demo", "ravdess"):
        waveforms = f"features/sounds/{corpus}-centred.zarr"
        audio = {md5 for file, md5 in members(owner, waveforms).items() if file.startswith("x/")}
        assert len(audio) > 1
        assert not there & {*audio, outs(owner)[waveforms]}


def test_training_needs_no_audio_and_is_not_done_twice(pushed, visitor, dvc):
    def with_a_run(name, settings):
        params = visitor(name, **settings) / "params.yaml"
        params.write_text(add(params.read_text(), "runs", RUN))
        return params.parent

    first = with_a_run("first", pushed("folder"))
    dvc(first, "pull", "--allow-missing", "evaluate")
    said = dvc(first, "repro", "--pull", "--allow-missing")
    assert re.findall(r"Running stage '(.*)'", said) == [
        *("check", "train@licensed", "evaluate@licensed", "report")
    ]
    assert prepared(first) == [
        *("features/corpora/ravdess/index.csv", "features/corpora/ravdess/quality.json"),
        *(FEATURE, "features/folds/ravdess-halves.csv", "features/folds/ravdess-halves.json"),
        "models/licensed",
    ]
    summary = (first / "reports" / "summary.md").read_text()
    assert "| licensed |" in summary
    assert "| tiny |" in summary

    others = []
    for name in WRITABLE:
        dvc(use(first, **pushed(name)), "push", "--run-cache")
        others.append(with_a_run(name, pushed(name)))
    with ThreadPoolExecutor() as pool:
        again = ("repro", "--pull", "--allow-missing", "train@licensed")
        said = list(pool.map(lambda other: dvc(other, *again), others))
    for other, message in zip(others, said, strict=True):
        assert "Stage 'train@licensed' is cached" in message
        assert "Running stage" not in message
        assert read(other / "models" / "licensed") == read(first / "models" / "licensed")


# ---- remotes that fail -----------------------------------------------------------------------


def unanswered(port, key):
    """Settings of remotes on a port where nobody answers, with little patience."""
    return {
        "s3": {
            **{"url": "s3://lab/ser", "endpointurl": f"http://127.0.0.1:{port}"},
            **{"connect_timeout": 1, "read_timeout": 1},
        },
        "ssh": {"url": f"ssh://user@127.0.0.1:{port}/ser", "keyfile": key, "timeout": 1},
        "http": {
            **{"url": f"http://127.0.0.1:{port}"},
            **{"connect_timeout": 0.1, "read_timeout": 0.1},
        },
    }


@pytest.mark.parametrize("port", ["down", "silent"], indirect=True)
def test_a_remote_that_does_not_answer(pushed, ssh, visitor, dvc, refused, port):
    remotes = unanswered(port, ssh.key)
    clones = [visitor(name, **settings) for name, settings in remotes.items()]
    with ThreadPoolExecutor() as pool:  # most of it is waiting
        said = pool.map(lambda clone: refused(clone, "pull", INDEX), clones)
    for clone, message in zip(clones, said, strict=True):
        assert re.search("failed to connect|Checkout failed", message)
        assert prepared(clone) == []
    dvc(use(clone, **pushed("folder")), "pull", INDEX)
    assert prepared(clone) == [
        *("features/corpora/ravdess/index.csv", "features/corpora/ravdess/quality.json")
    ]


def test_a_folder_that_is_not_mounted(visitor, refused, tmp_path):
    clone = visitor(url=tmp_path / "unmounted")
    params = clone / "params.yaml"
    params.write_text(params.read_text().replace("epochs: 1,", "epochs: 2,"))
    said = refused(clone, "repro", "--pull", "--allow-missing")
    assert "failed to reproduce 'train@tiny': Checkout failed" in said
    assert prepared(clone) == []
    assert not (tmp_path / "unmounted").exists()


@pytest.mark.parametrize("name", ["folder", "ssh", "http"])
def test_a_remote_that_takes_nothing(owner, ssh, http, refused, tmp_path, name):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if name == "folder" and os.access(closed, os.W_OK):
        pytest.skip("root may write everywhere")
    settings = {
        "folder": {"url": closed},
        "ssh": {"url": f"ssh://guest@127.0.0.1:{ssh.port}/guest", "keyfile": ssh.key},
        "http": {"url": f"http://127.0.0.1:{http}/elsewhere"},
    }[name]
    said = refused(use(owner, **settings), "push", INDEX)
    assert re.search("Permission denied|guests only read|Unsupported method", said)


@pytest.mark.parametrize("name", ["folder", "s3"])
def test_a_damaged_object_is_refused_and_fetched_anew(
    owner, pushed, folder, s3, visitor, dvc, refused, name
):
    clone = visitor(**pushed(name))
    digest = members(owner, FEATURE)["x/c/0/0/0"]
    place = f"files/md5/{digest[:2]}/{digest[2:]}"
    files, path = (
        (s3, f"lab/ser/{place}") if name == "s3" else (LocalFileSystem(), f"{folder}/{place}")
    )
    whole = files.cat(path)
    files.rm(path)
    files.pipe(path, whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        refused(clone, "pull", STAGE)
        assert not (clone / FEATURE).exists()
    finally:
        files.rm(path)
        files.pipe(path, whole)
    dvc(clone, "pull", STAGE)
    assert read(clone / FEATURE) == read(owner / FEATURE)
