# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replication rules compare as sets, survive the way to ECR and back, and are checked before ECR would refuse them."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.module_utils import ecr_replication
from ansible_collections.palier.aws.plugins.module_utils.ecr_replication import Destination, ReplicationError, Rule
from hypothesis import given
from hypothesis import strategies as st

OWN = Destination("eu-west-3", "123456789012")
DESTINATIONS = st.builds(
    Destination, st.sampled_from(["eu-central-1", "us-east-1"]), st.sampled_from(["1" * 12, "2" * 12])
)
NAMES = st.sampled_from(["shop/", "api/", "web/"])
RULES = st.builds(
    Rule,
    st.sets(DESTINATIONS, min_size=1).map(sorted).map(tuple),
    st.sets(NAMES).map(sorted).map(tuple),
    st.booleans(),
)


@given(st.lists(RULES, max_size=4), st.randoms())
def test_rules_come_back_from_ecr_and_their_order_does_not_matter(rules, random):
    there = {"replicationConfiguration": {"rules": [rule.request() for rule in rules]}}
    read = ecr_replication.from_aws(there)
    assert read == rules
    random.shuffle(read)
    assert not ecr_replication.plan_rules(read, rules).changes


@given(st.lists(RULES, max_size=3), st.lists(RULES, max_size=3))
def test_rules_are_written_exactly_when_they_differ(current, wanted):
    assert ecr_replication.plan_rules(current, wanted).changes == (sorted(current) != sorted(wanted))


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"destinations": []}], r"rules\[0\].destinations has 0 entries"),
        ([{"destinations": [{"region": "eu-west-3"}]}], "names the registry itself"),
        ([{"destinations": [{"region": "x"}], "repository_prefixes": ["a"]}], "'a' has 1 characters"),
        ([{"destinations": [{"region": "x"}], "repository_prefixes": ["ab"] * 101}], "at most 100"),
        ([{"destinations": [{"region": "x"}]}] * 26, "rules has 26 entries"),
    ],
)
def test_what_ecr_would_refuse_is_refused_by_name(rules, words):
    with pytest.raises(ReplicationError, match=words):
        ecr_replication.from_options(rules, OWN)


def test_the_own_account_is_the_default():
    [rule] = ecr_replication.from_options([{"destinations": [{"region": "eu-central-1"}]}], OWN)
    assert rule == Rule((Destination("eu-central-1", OWN.registry_id),))
