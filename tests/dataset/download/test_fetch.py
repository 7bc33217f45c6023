"""One file from a real server on the loopback that does what servers do wrong."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from faulty_server import FaultyServer, faults_of, no_faults

from dataset.download import fetch as fetch_module
from dataset.download.fetch import Client, FetchError, size_there

BODY = bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(fetch_module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(fetch_module, "TIMEOUTS", (2, 0.5))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def serve(tmp_path):
    """Serve BODY as /file with these faults: of the first request, the second ... the last."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file").write_bytes(BODY)
    servers = []

    def start(*faults):
        server = FaultyServer(tmp_path / "served", faults=lambda path: faults or ("",))
        servers.append(server.__enter__())
        return server

    yield start
    for server in servers:
        server.__exit__()


def fetch(server, tmp_path, path="/file", **options):
    partial = tmp_path / "partial"
    address = Client().fetch(f"{server.address}{path}", partial, **options)
    assert partial.read_bytes() == BODY
    return address


def refusal(server, tmp_path, path="/file", **options):
    with pytest.raises(FetchError) as failed:
        Client().fetch(f"{server.address}{path}", tmp_path / "partial", **options)
    return str(failed.value), failed.value.temporary


def test_a_file_is_fetched_once(serve, tmp_path):
    server = serve()
    seen = []
    options = {"progress": lambda *state: seen.append(state)}
    assert fetch(server, tmp_path, **options) == f"{server.address}/file"
    assert seen[0] == (0, len(BODY))
    assert seen[-1] == (len(BODY), len(BODY))
    fetch(server, tmp_path)  # all of it is there
    assert server.asked == {"/file": 1}


def test_a_cut_file_is_continued(serve, tmp_path):
    server = serve("cut", "cut", "")
    fetch(server, tmp_path)
    assert server.ranges == ["/file", "/file"]


def test_another_process_continues_where_the_first_was_killed(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_module, "TRIES", 1)
    server = serve("cut", "")
    assert refusal(server, tmp_path) == ("the connection was cut", True)
    assert size_there(f"{server.address}/file", tmp_path / "partial") == len(BODY) // 2
    fetch(server, tmp_path)
    assert server.ranges == ["/file"]


def test_a_partial_file_of_another_address_is_not_continued(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_module, "TRIES", 1)
    server = serve("cut")
    refusal(server, tmp_path)
    server.faults = no_faults
    fetch(server, tmp_path, path="/file?other")
    assert server.ranges == []


@pytest.mark.parametrize("fault", ["no ranges", "changed"])
def test_a_file_that_can_not_be_continued_is_fetched_from_its_beginning(serve, tmp_path, fault):
    server = serve("cut", fault)
    fetch(server, tmp_path)
    assert server.ranges == []
    assert server.asked["/file"] == 2


def test_a_file_that_is_as_long_as_the_server_says_at_last_is_whole(serve, tmp_path):
    server = serve("too long", "")
    fetch(server, tmp_path)
    assert server.asked["/file"] == 2


def test_a_file_that_is_never_as_long_as_announced_is_given_up(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_module, "_validator", lambda answer: "")
    server = serve("too long")
    assert refusal(server, tmp_path) == ("the connection was cut", True)
    assert server.asked["/file"] == 1 + fetch_module.TRIES - 1


def test_a_file_that_became_shorter_is_fetched_again(serve, tmp_path):
    server = serve()
    partial = tmp_path / "partial"
    fetch(server, tmp_path)
    facts = json.loads((tmp_path / "partial.json").read_text())
    (tmp_path / "partial.json").write_text(json.dumps(facts | {"length": 10**6}))
    partial.write_bytes(BODY * 2)
    fetch(server, tmp_path)


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"address": 1}'])
def test_a_broken_file_of_facts_begins_afresh(serve, tmp_path, broken):
    (tmp_path / "partial").write_bytes(b"something else")
    (tmp_path / "partial.json").write_text(broken)
    fetch(serve(), tmp_path)


def test_slow_answers_and_redirects_are_followed(serve, tmp_path):
    server = serve("slow")
    fetch(server, tmp_path)
    redirected = FaultyServer(server.folder, faults=lambda path: ("redirect" * ("?" not in path),))
    with redirected:
        assert fetch(redirected, tmp_path) == f"{redirected.address}/file?redirected"


def test_redirects_without_end_are_given_up(serve, tmp_path):
    assert refusal(serve("redirect"), tmp_path) == ("more than 10 redirects", False)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("missing", "404 Not Found"), ("gone", "410 Gone"), ("forbidden", "403 Forbidden")],
)
def test_what_is_refused_is_given_up_at_once(serve, tmp_path, fault, reason):
    server = serve(fault)
    assert refusal(server, tmp_path) == (reason, False)
    assert server.asked["/file"] == 1


@pytest.mark.parametrize("fault", ["busy", "broken", "unavailable", "wait until"])
def test_a_busy_or_broken_server_is_asked_again_some_times(serve, tmp_path, fault):
    server = serve(fault, fault, "")
    fetch(server, tmp_path)
    server = serve(fault)
    _, temporary = refusal(server, tmp_path, path="/file?again")
    assert temporary
    assert sum(server.asked.values()) == fetch_module.TRIES


def test_all_threads_wait_as_long_as_a_busy_server_says(serve, tmp_path):
    server = serve("wait", "")
    client, began = Client(2), time.monotonic()
    address = f"{server.address}/file"
    first = threading.Thread(target=client.fetch, args=(address, tmp_path / "a"), daemon=True)
    first.start()
    while not client._not_before:
        time.sleep(0.01)
    client.fetch(address, tmp_path / "b")
    first.join(timeout=5)
    assert time.monotonic() - began >= 1
    assert server.asked["/file"] == 3


def test_a_server_that_says_to_wait_for_a_day_is_asked_once(serve, tmp_path, monkeypatch):
    def sleep(seconds):
        raise AssertionError(f"it waits {seconds} s")

    server, client = serve("wait long"), Client()
    monkeypatch.setattr(fetch_module.time, "sleep", sleep)
    for _ in range(2):
        with pytest.raises(FetchError, match="says to wait longer than 600 s") as failed:
            client.fetch(f"{server.address}/file", tmp_path / "partial")
        assert failed.value.temporary
    assert server.asked == {"/file": 1}


def test_pauses_grow_up_to_a_limit(monkeypatch):
    pauses = []
    monkeypatch.setattr(fetch_module, "FIRST_PAUSE", 1)
    monkeypatch.setattr(fetch_module.time, "sleep", pauses.append)
    monkeypatch.setattr(fetch_module.random, "uniform", lambda low, high: (low, high) and 1)
    for tries in (1, 2, 3, 20):
        Client()._pause("http://host/", tries, fetch_module._RetryError("cut"))
    assert pauses == [1, 2, 4, 60]


def test_a_server_that_says_to_come_back_at_once_is_given_time_nevertheless(monkeypatch):
    monkeypatch.setattr(fetch_module, "FIRST_PAUSE", 1)
    client = Client()
    client._pause("http://host/", 3, fetch_module._RetryError("503", busy=True, wait=0))
    assert client._not_before["host"] - time.monotonic() > 2


def test_a_server_that_is_not_there(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        for ask in (lambda: Client().size(address), lambda: fetch_from(address, tmp_path)):
            with pytest.raises(FetchError, match=r"^no connection \(Connection refused\)$"):
                ask()


def fetch_from(address, tmp_path):
    return Client().fetch(address, tmp_path / "partial")


def test_a_name_that_is_not_known(tmp_path, monkeypatch):
    def unknown(*arguments, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(FetchError, match=r"^the server's name is not known$"):
        fetch_from("http://nowhere.invalid/", tmp_path)


def test_a_server_that_does_not_answer(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(FetchError, match=r"^no answer in time$"):
            Client().size(address)


@pytest.mark.parametrize("address", ["http://127.0.0.1:port/", "http://.example.org/"])
def test_an_address_that_is_none(tmp_path, address):
    with pytest.raises(FetchError, match=r"^not a web address"):
        fetch_from(address, tmp_path)


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is missing")
def test_a_certificate_that_does_not_fit(serve, tmp_path):
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other"]
    subprocess.run(
        [*make, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = FaultyServer(tmp_path)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with server:
        address = server.address.replace("http", "https")
        with pytest.raises(FetchError) as failed:
            fetch_from(address, tmp_path)
    assert str(failed.value) == "its certificate is not accepted (self-signed certificate)"


def test_https_to_a_server_without(serve, tmp_path):
    address = serve().address.replace("http", "https")
    with pytest.raises(FetchError, match=r"^no https connection \(\w"):
        fetch_from(address, tmp_path)


def test_a_file_may_be_too_large(serve, tmp_path):
    server = serve()
    assert refusal(server, tmp_path, largest=1000) == ("larger than 1,000 bytes", False)
    assert not (tmp_path / "partial").exists()


def test_sizes(serve):
    server = serve()
    assert Client().size(f"{server.address}/file") == len(BODY)
    with pytest.raises(FetchError, match="404"):
        Client().size(f"{server.address}/other")


def test_most_faults_of_the_drill_pass():
    paths = [f"/{number}.jpg" for number in range(1000)]
    lasting = [path for path in paths if faults_of(path)[-1] != ""]
    assert 20 <= len(lasting) <= 60
    assert {faults_of(path)[0] for path in paths} > {"cut", "too long", "redirect", "missing", ""}
