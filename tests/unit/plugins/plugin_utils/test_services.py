# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sizes, rules, task definitions and permissions of services."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import services as subject
from hypothesis import given
from hypothesis import strategies as st

PLACE = subject.Place("aws", "eu-west-3", "123456789012")
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:shop/key-AbCdEf"
PATHS = st.text(alphabet="abc/*?", min_size=1, max_size=20).map(lambda text: f"/{text}")
RULES = st.lists(st.fixed_dictionaries({"paths": st.lists(PATHS, max_size=2), "hosts": st.just([])}), max_size=12)


class TestSizes:
    def test_the_number_of_pairs(self) -> None:
        assert {cpu: len(memory) for cpu, memory in subject.FARGATE_MEMORY.items()} == {
            256: 3,
            512: 4,
            1024: 7,
            2048: 13,
            4096: 23,
            8192: 12,
            16384: 12,
        }

    @given(st.integers(1, 20000), st.integers(1, 130000))
    def test_the_nearest_exists_and_is_large_enough(self, cpu: int, memory: int) -> None:
        size, amount = subject.nearest_size(cpu, memory)
        assert amount in subject.FARGATE_MEMORY[size]
        assert (size >= cpu and amount >= memory) or (size, amount) == (16384, 122880)


class TestRules:
    @given(RULES)
    def test_no_two_have_one_priority_and_all_are_allowed(self, rules: list[dict[str, t.Any]]) -> None:
        found = [rule["priority"] for rule in subject.with_rule_priorities(rules)]
        assert len(set(found)) == len(found)
        assert all(1 <= priority <= subject.LAST_PRIORITY for priority in found)

    @given(RULES, st.randoms(use_true_random=False))
    def test_the_order_of_services_does_not_matter(self, rules: list[dict[str, t.Any]], random: t.Any) -> None:
        def numbers(given: list[dict[str, t.Any]]) -> list[tuple[str, int]]:
            return sorted((str(rule["paths"]), rule["priority"]) for rule in subject.with_rule_priorities(given))

        shuffled = list(rules)
        random.shuffle(shuffled)
        assert sorted(number for _paths, number in numbers(shuffled)) == sorted(n for _paths, n in numbers(rules))

    def test_the_most_specific_comes_first(self) -> None:
        rules = [
            {"hosts": ["a.example.com"], "paths": ["/api/*"]},
            {"hosts": ["a.example.com"], "paths": []},
            {"hosts": [], "paths": ["/api/v1"]},
            {"hosts": [], "paths": ["/api/v1*"]},
            {"hosts": [], "paths": ["/api/*"]},
            {"hosts": [], "paths": ["/*"]},
        ]
        for order in (rules, rules[::-1]):
            found = sorted(subject.with_rule_priorities(order), key=lambda rule: rule["priority"])
            assert [{"hosts": rule["hosts"], "paths": rule["paths"]} for rule in found] == rules

    def test_a_rule_keeps_its_number_when_others_come(self) -> None:
        one, other = {"paths": ["/a/*"]}, {"paths": ["/b/c/*"]}
        (alone,) = subject.with_rule_priorities([one])
        assert subject.with_rule_priorities([other, one])[1] == alone

    def test_a_given_priority_stays_and_keeps_its_paths_together(self) -> None:
        assert subject.rules_of({"paths": ["/a", "/b"], "priority": 7}) == [
            {"paths": ["/a", "/b"], "hosts": [], "priority": 7}
        ]
        assert [rule["paths"] for rule in subject.rules_of({"paths": ["/a", "/b"]})] == [["/a"], ["/b"]]
        computed = subject.specificity({"paths": ["/a"]})
        found = subject.with_rule_priorities([{"paths": ["/x"], "priority": computed}, {"paths": ["/a"]}])
        assert [rule["priority"] for rule in found] == [computed, computed + 1]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("shop/key", SECRET),
        ("shop/key#user", f"{SECRET}:user::"),
        (f"{SECRET}#user", f"{SECRET}:user::"),
        ("ssm:/shop/url", "arn:aws:ssm:eu-west-3:123456789012:parameter/shop/url"),
        ("ssm:url", "arn:aws:ssm:eu-west-3:123456789012:parameter/url"),
    ],
)
def test_the_source_of_a_secret(source: str, value: str) -> None:
    assert subject.value_from(source, PLACE, {"shop/key": SECRET}) == value


@pytest.mark.parametrize(
    ("image", "uri"),
    [
        ("docker.io/library/nginx:1", "docker.io/library/nginx:1"),
        ({"repository": "web", "tag": "v1"}, "host/shop-web:v1"),
        ({"repository": "web", "tag": "v1", "digest": "sha256:ab"}, "host/shop-web@sha256:ab"),
    ],
)
def test_the_address_of_an_image(image: t.Any, uri: str) -> None:
    assert subject.image_uri(image, {"web": "host/shop-web"}) == uri


def test_a_container_is_closed_by_default() -> None:
    service = {"name": "web", "port": 80, "writable_paths": ["/tmp"], "secrets": {"KEY": "shop/key"}, "database": True}
    database = {"host": "db", "port": 5432, "name": "shop", "secret_arn": "arn:db"}
    found = subject.container(service, "image", PLACE, "/ecs/web", {"shop/key": SECRET}, database)
    assert found["readonlyRootFilesystem"]
    assert found["mountPoints"] == [{"sourceVolume": "writable-tmp", "containerPath": "/tmp"}]
    assert {one["name"]: one["valueFrom"] for one in found["secrets"]} == {
        "DB_PASSWORD": "arn:db:password::",
        "DB_USER": "arn:db:username::",
        "KEY": SECRET,
    }
    assert {one["name"]: one["value"] for one in found["environment"]} == {
        "DB_HOST": "db",
        "DB_PORT": "5432",
        "DB_NAME": "shop",
    }
    assert "privileged" not in found


def test_the_execution_role_reads_what_is_named_and_nothing_else() -> None:
    services = [{"secrets": {"A": "shop/key#user", "B": "ssm:/shop/url"}, "database": True}]
    found = subject.execution_policy(services, PLACE, {"shop/key": SECRET}, database="shop-db")
    assert [statement["Resource"] for statement in found["Statement"]] == [
        [SECRET],
        ["arn:aws:ssm:eu-west-3:123456789012:parameter/shop/url"],
        ["arn:aws:secretsmanager:eu-west-3:123456789012:secret:rds!db-*"],
    ]
    assert "Condition" in found["Statement"][2]
    assert subject.execution_policy([{}], PLACE, {})["Statement"] == []


@pytest.mark.parametrize(
    ("options", "asleep", "count", "scaled"),
    [
        ({}, False, 1, False),
        ({"desired_count": 3}, False, 3, False),
        ({"scaling": {"min": 2, "max": 4}}, False, 2, True),
        ({"scaling": {"min": 2, "max": 4}}, True, 0, False),
        ({"scaling": {"min": 2, "max": 4}, "desired_count": 0}, False, 0, False),
    ],
)
def test_how_many_tasks(options: dict[str, t.Any], asleep: bool, count: int, scaled: bool) -> None:
    (found,) = subject.service_facts([{"name": "web", "image": "x", **options}], "shop-prod", {}, asleep)
    assert (found["count"], found["scaled"], found["full_name"]) == (count, scaled, "shop-prod-web")
