# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a registry may be, how long is waited, which token is used. Requests are tested in tests/integration/ecr."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.palier.aws.plugins.module_utils import registry_client
from ansible_collections.palier.aws.plugins.module_utils.registry_client import RegistryError, Token, TokenSource
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "url",
    ["https://1.dkr.ecr.eu-west-3.amazonaws.com", "http://127.0.0.1:5000", "http://localhost/v2/", "http://[::1]:5000"],
)
def test_encrypted_and_loopback_addresses_are_taken(url):
    assert registry_client.check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://registry.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "ftp://127.0.0.1",
        "https://",
        "127.0.0.1:5000",
    ],
)
def test_others_are_refused(url):
    with pytest.raises(RegistryError, match="is not encrypted"):
        registry_client.check_url(url)


@given(st.integers(1, 40), st.none() | st.integers(0, 10_000).map(str) | st.just("Wed, 21 Oct 2026 07:28:00 GMT"))
def test_pauses_grow_to_a_limit_and_listen_to_the_server(attempt, asked):
    seconds = registry_client.pause(attempt, asked)
    assert 0 < seconds <= 60
    if asked and asked.isdigit():
        assert seconds >= min(int(asked), 60)
    else:
        assert seconds <= 20


def test_a_token_is_fetched_once_for_all_threads():
    fetched = []

    def fetch() -> Token:
        fetched.append(len(fetched))
        return Token(f"token-{len(fetched)}", 10_000.0)

    source = TokenSource(fetch, lambda: 0.0)
    threads = [threading.Thread(target=source.get) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1


def test_a_refused_token_is_replaced_once_whoever_says_so_last():
    numbers = iter(range(9))
    source = TokenSource(lambda: Token(f"token-{next(numbers)}", 10_000.0), lambda: 0.0)
    old = source.get()
    source.refused(old)
    new = source.get()
    source.refused(old)
    assert (old, new, source.get()) == ("token-0", "token-1", "token-1")
