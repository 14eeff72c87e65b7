# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The scenario containers: how it judges, and what its page says."""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from tools import containers, docker_engine, remains
from tools.containers_page import Proof, page


def test_tampering_leaves_the_signature():
    url = "https://a/b?Expires=100&Signature=x&Key-Pair-Id=k"
    assert containers.tampered(url) == "https://a/b?Expires=3700&Signature=x&Key-Pair-Id=k"


def test_address_of_a_task():
    details = [{"name": "subnetId", "value": "subnet-1"}, {"name": "privateIPv4Address", "value": "10.0.0.5"}]
    task = {"taskArn": "t", "attachments": [{"details": details}]}
    assert containers.task_address(task) == "10.0.0.5"
    with pytest.raises(containers.NotProvenError, match="t has no address"):
        containers.task_address({"taskArn": "t"})


class FakeScenario:
    """Answers what it was told to, then nothing new."""

    def __init__(self, *answers: containers.Answer | Exception) -> None:
        self.answers = list(answers)

    def ask(self, _url: str) -> containers.Answer:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


GOOD = containers.Answer(200, b'{"version": "v1"}', {})


def loaded(*answers):
    load = containers.Load(FakeScenario(*answers), "https://a/")
    over = iter([False] * len(answers) + [True])
    load._over.wait = lambda _seconds: next(over)
    load._ask_on()
    return load


def test_load_counts_and_is_content():
    load, proof = loaded(GOOD, GOOD), Proof("p")
    load.judge(proof)
    assert load.versions == Counter(v1=2)
    assert load.said() == "v1 answered 2 requests"
    assert proof.facts == ["2 requests, 0 failed"]


@pytest.mark.parametrize(
    "bad", [containers.Answer(502, b"", {}), ConnectionResetError(), containers.Answer(200, b"<", {})]
)
def test_one_failed_request_is_one_too_many(bad):
    with pytest.raises(containers.NotProvenError, match="1 of 3 requests failed"):
        loaded(GOOD, bad, GOOD).judge(Proof("p"))


def test_must():
    containers.must(True, "no")
    with pytest.raises(containers.NotProvenError, match="no"):
        containers.must([], "no")


def test_page_says_all_of_it(tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"PNG")
    proofs = [Proof("Good & fine", ["a < b"], [picture], seconds=3), Proof("Bad", ["c"], failed="it broke")]
    text = page(proofs, ["DNS"], 12)
    assert "1 of 2 in 12 s" in text
    assert "Good &amp; fine" in text
    assert "a &lt; b" in text
    assert "data:image/png;base64,UE5H" in text
    assert "Failed: it broke" in text
    assert "<li>DNS</li>" in text


def test_what_is_not_proven_depends_on_the_chain():
    main, whole = containers.unproven("main"), containers.unproven("whole")
    assert set(whole) < set(main)


def test_without_docker_one_line_says_what_was_not_proven(monkeypatch, capsys):
    def none(*_arguments):
        raise docker_engine.NoEngineError("there is none")

    monkeypatch.setattr(docker_engine, "engine", none)
    assert containers.main([]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("skipped: containers: there is none. Not proven: that the examples' containers answer")


def test_what_a_playbook_started_ends_with_it(tmp_path):
    marker = tmp_path / "pid"
    code = (
        "import subprocess, sys, time; one = subprocess.Popen(['sleep', '600']);"
        f"open({str(marker)!r}, 'w').write(str(one.pid)); print('up', flush=True); time.sleep(600)"
    )
    seen = []

    def interrupted() -> None:
        with containers.playbook_process(["python", "-c", code], dict(os.environ)) as process:
            seen.extend((process, process.stdout.readline()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen[1] == "up\n"
    assert seen[0].returncode is not None
    # A signal takes its time on a busy machine.
    deadline = time.monotonic() + 60
    while remains.process(int(marker.read_text())):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.01)


def test_what_apt_can_install():
    policy = (
        "chromium:\n  Installed: (none)\n  Candidate: 1.2\n  Version table:\n     1.2 500\n"
        "nothing:\n  Installed: (none)\n  Candidate: (none)\n"
        "openssl:\n  Installed: 3.0\n  Candidate: 3.0\n"
    )
    assert containers.candidates(policy) == {"chromium", "openssl"}


@pytest.mark.parametrize(("error", "said"), [(KeyboardInterrupt(), "KeyboardInterrupt"), (ValueError("no"), "no")])
def test_what_is_interrupted_is_not_proven(error, said):
    scenario = containers.Scenario.__new__(containers.Scenario)
    scenario.proofs = []
    with pytest.raises(type(error)), scenario.proof("p"):
        raise error
    assert scenario.proofs[0].failed == said
