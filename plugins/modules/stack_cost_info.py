#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.stack_cost_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_cost_info
version_added: 0.1.0
short_description: Estimate what a stack costs in a month, from what is deployed
author:
  - The palier.aws authors (@palier)
description:
  - Finds what an account holds of a stack by its tags, and lists what is charged for it, each with quantity, unit
    price, where the price is from, and what it comes to in a month of 730 hours, as the AWS Pricing Calculator counts.
  - Covers EC2 instances (those of Auto Scaling groups too), EBS volumes and snapshots, public IPv4 addresses, NAT
    gateways, load balancers, interface endpoints, RDS instances and their storage, Fargate services, ECR and S3
    storage, AWS Backup, KMS keys, secrets, hosted zones and health checks, CloudWatch alarms, dashboards, custom
    metrics and stored logs.
  - What is charged by use (load balancer capacity, traffic, requests, logs taken in, CloudFront, Cognito) is listed
    with its unit price, and counts with what O(usage) says, otherwise for nothing.
  - Prices are on demand, without taxes, free tiers, savings plans and reservations. They are asked of the AWS Price
    List API where it answers, and else looked up in O(prices). What has a price in neither is listed without one.
  - Reads only. What may not be read is reported in RV(unread), and the rest is estimated all the same.
options:
  stack_name:
    description: Value of the tag C(Stack).
    type: str
    required: true
  stack_env:
    description: Value of the tag C(Environment).
    type: str
    required: true
  regions:
    description:
      - Further regions to look in, such as one that gets copies of restore points. The module's O(region) and
        V(us-east-1), where AWS lists what is global, are always looked in.
    type: list
    elements: str
    default: []
  prices:
    description:
      - The price file as a dictionary. C(regions) has for each region, and C(everywhere) for all of them, prices by
        key, each a number or C(usd) with C(source); C(sources) says of each source of what C(date) it is, C(date) of
        the rest.
    type: dict
    default: {}
  price_list:
    description: Whether to ask the AWS Price List API first. It wants the permission C(pricing:GetProducts).
    type: bool
    default: true
  price_list_region:
    description: Region whose endpoint of the AWS Price List API is asked. The API answers in these regions only.
    type: str
    choices: [us-east-1, eu-central-1, ap-south-1]
    default: us-east-1
  compare_region:
    description:
      - Adds RV(compared), what the same would cost at this region's prices in O(prices). Empty for nothing.
    type: str
    default: ""
  usage:
    description: What a month uses of what is charged by use.
    type: dict
    default: {}
    suboptions:
      internet_out_gb:
        description: Traffic to the internet, in GB.
        type: float
        default: 0.0
      nat_gb:
        description: Traffic through NAT gateways, in GB.
        type: float
        default: 0.0
      load_balancer_lcu:
        description: Capacity units (LCU) of all load balancers together, on average over the hours.
        type: float
        default: 0.0
      endpoint_gb:
        description: Traffic through interface endpoints, in GB.
        type: float
        default: 0.0
      cpu_credit_hours:
        description: CPU that T instances use beyond what they have earned, in hours of one vCPU.
        type: float
        default: 0.0
      rds_backup_gb:
        description: Backups and snapshots of databases beyond the free size, which is that of the databases, in GB.
        type: float
        default: 0.0
      logs_gb:
        description: Logs that CloudWatch takes in, in GB.
        type: float
        default: 0.0
      s3_puts_thousands:
        description: S3 requests that write or list, in thousands.
        type: float
        default: 0.0
      s3_gets_thousands:
        description: S3 requests that read, in thousands.
        type: float
        default: 0.0
      dns_queries_millions:
        description: DNS queries but for those of aliases, which cost nothing, in millions.
        type: float
        default: 0.0
      kms_requests_10k:
        description: Requests to KMS, in ten thousands.
        type: float
        default: 0.0
      secret_requests_10k:
        description: Requests to Secrets Manager, in ten thousands.
        type: float
        default: 0.0
      cloudfront_gb:
        description: Traffic from CloudFront to visitors, in GB.
        type: float
        default: 0.0
      cloudfront_requests_10k:
        description: HTTPS requests to CloudFront, in ten thousands.
        type: float
        default: 0.0
      cognito_users:
        description: Active users of Cognito beyond the free ones (10,000 of the plans Lite and Essentials).
        type: float
        default: 0.0
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: palier.aws.stack_resources_info
"""

EXAMPLES = r"""
- name: Estimate what the stack costs
  palier.aws.stack_cost_info:
    stack_name: shop
    stack_env: prod
    region: eu-west-3
    prices: "{{ lookup('ansible.builtin.file', 'prices.yml') | from_yaml }}"
    usage:
      internet_out_gb: 50
      load_balancer_lcu: 0.5
  register: cost
"""

RETURN = r"""
lines:
  description: What is charged for. What is known from what is deployed comes first, what is charged by use last.
  returned: always
  type: list
  elements: dict
  contains:
    component:
      description: What it is.
      type: str
      sample: EC2 instances
    tier:
      description: Value of the tag C(Tier).
      type: str
      sample: ec2_app
    resource:
      description: Name.
      type: str
      sample: shop-prod-web
    region:
      description: Where it is charged.
      type: str
      sample: eu-west-3
    key:
      description: The name of its price in O(prices).
      type: str
      sample: ec2.t3.micro
    quantity:
      description: How much of it a month has.
      type: float
      sample: 730.0
    unit:
      description: What the price is for.
      type: str
      sample: hour
    price:
      description: US dollars for one unit. Null where no price is known.
      type: float
      sample: 0.0118
    source:
      description: Where the price is from, V(price list), V(no price), or the date and the source in the price file.
      type: str
      sample: file 2026-10-09 (paris)
    monthly:
      description: Quantity times price, rounded to cents. Null where no price is known.
      type: float
      sample: 8.61
    by_use:
      description: Whether the quantity is what O(usage) says.
      type: bool
      sample: false
    note:
      description: What a reader should know; for what is charged by use, the name in O(usage).
      type: str
      sample: with a standby in a second zone
total:
  description: Sum of the lines, in US dollars.
  returned: always
  type: float
  sample: 88.13
often_left_out:
  description: What of it is NAT gateways and public IPv4 addresses, which estimates made by hand often leave out.
  returned: always
  type: float
  sample: 43.8
without_these:
  description: RV(total) without RV(often_left_out).
  returned: always
  type: float
  sample: 44.33
by_component:
  description: Sums by component.
  returned: always
  type: dict
  sample: {EC2 instances: 8.61}
by_tier:
  description: Sums by tier.
  returned: always
  type: dict
  sample: {ec2_app: 10.47}
unpriced:
  description: Resources whose line has no price, which therefore count for nothing.
  returned: always
  type: list
  elements: str
unread:
  description: What could not be read, each with C(region), C(what) and C(why).
  returned: always
  type: list
  elements: dict
price_list:
  description: Why the AWS Price List API gave no prices. Empty if it did, or was not asked.
  returned: always
  type: str
  sample: "An error occurred (AccessDeniedException) when calling the GetProducts operation"
compared:
  description: What the same would cost in O(compare_region), by O(prices).
  returned: when O(compare_region) is given
  type: dict
  contains:
    region:
      description: The region.
      type: str
      sample: us-east-1
    total:
      description: The total there.
      type: float
      sample: 80.02
    without_these:
      description: The total there without NAT gateways and public IPv4 addresses.
      type: float
      sample: 39.87
    unpriced:
      description: Resources that have no price there.
      type: list
      elements: str
hours:
  description: Hours of the month that was counted with.
  returned: always
  type: int
  sample: 730
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.cost import (
    HOURS,
    Item,
    Price,
    filed_price,
    grouped,
    line,
    summary,
)
from ansible_collections.palier.aws.plugins.module_utils.cost_api import get_products
from ansible_collections.palier.aws.plugins.module_utils.cost_facts import Place, from_mapping, read
from ansible_collections.palier.aws.plugins.module_utils.cost_items import BY_USE, items
from ansible_collections.palier.aws.plugins.module_utils.cost_prices import answer, question
from ansible_collections.palier.aws.plugins.module_utils.stack_resources_api import get_resources

#: The tagging API lists global resources (CloudFront, Route 53) in this region.
GLOBAL_REGION = "us-east-1"

USES = [use.told for use in BY_USE] + ["cloudfront_gb", "cloudfront_requests_10k", "cognito_users"]


class PriceList:
    """The AWS Price List, asked for each price once, and not again once it did not answer.

    :param module: the module.
    """

    def __init__(self, module: AnsibleAWSModule) -> None:
        self.silent = ""
        self._module = module
        self._asked = module.params["price_list"]
        self._client: t.Any = None
        self._known: dict[tuple[str, str], Price | None] = {}

    def price(self, region: str, key: str) -> Price | None:
        """The price, if the list has exactly one."""
        if (region, key) not in self._known:
            self._known[region, key] = self._ask(region, key)
        return self._known[region, key]

    def _ask(self, region: str, key: str) -> Price | None:
        found = question(key, region)
        if not self._asked or self.silent or not found:
            return None
        try:
            self._client = self._client or price_list_client(self._module)
            usd = answer(found, get_products(self._client, found.service, found.filters))
        except AnsibleAWSError as error:
            self.silent = str(error.exception or error)
            return None
        return None if usd is None else Price(usd, "price list")


def price_list_client(module: AnsibleAWSModule) -> t.Any:
    """A client that soon gives up where the API cannot be reached, since there is a price file to go on with."""
    config = {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 3, "mode": "standard"}}
    return module.client("pricing", region=module.params["price_list_region"], config=config)


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Find what there is, and what it costs."""
    places = stack_places(module)
    found = grouped(items([read(place) for place in places], module.params["usage"]))
    price_list = PriceList(module)
    lines = [line(item, price_of(module, price_list, item)) for item in found]
    return {
        "changed": False,
        **compared(module, found),
        "lines": lines,
        **summary(lines),
        "unread": [one for place in places for one in place.unread],
        "price_list": price_list.silent,
        "hours": HOURS,
    }


def compared(module: AnsibleAWSModule, found: list[Item]) -> dict[str, t.Any]:
    """What the same costs elsewhere, if that was asked."""
    region = module.params["compare_region"]
    if not region:
        return {}
    sums = summary([line(item, filed(module, region, item.key)) for item in found])
    names = ("total", "without_these", "unpriced")
    return {"compared": {"region": region, **{name: sums[name] for name in names}}}


def stack_places(module: AnsibleAWSModule) -> list[Place]:
    """The regions in which the stack has anything, its own first."""
    tags = {"Stack": module.params["stack_name"], "Environment": module.params["stack_env"]}
    prefix = f"{module.params['stack_name']}-{module.params['stack_env']}"
    places = []
    for region in dict.fromkeys([module.region, *module.params["regions"], GLOBAL_REGION]):
        client = clients(module, region)
        resources = [from_mapping(mapping) for mapping in get_resources(client("resourcegroupstaggingapi"), tags)]
        if resources or region == module.region:
            places.append(Place(region, client, tags, prefix, resources))
    return places


def clients(module: AnsibleAWSModule, region: str) -> t.Callable[[str], t.Any]:
    """Clients of a region, each made once."""
    made: dict[str, t.Any] = {}

    def client(service: str) -> t.Any:
        if service not in made:
            made[service] = module.client(service, region=region)
        return made[service]

    return client


def price_of(module: AnsibleAWSModule, price_list: PriceList, item: Item) -> Price | None:
    """The price of an item, from the price list or else from the price file."""
    return price_list.price(item.region, item.key) or filed(module, item.region, item.key)


def filed(module: AnsibleAWSModule, region: str, key: str) -> Price | None:
    """The price in the price file."""
    try:
        return filed_price(module.params["prices"], region, key)
    except ValueError as error:
        raise AnsibleAWSError(message=str(error)) from error


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "stack_name": {"type": "str", "required": True},
            "stack_env": {"type": "str", "required": True},
            "regions": {"type": "list", "elements": "str", "default": []},
            "prices": {"type": "dict", "default": {}},
            "price_list": {"type": "bool", "default": True},
            "price_list_region": {
                "type": "str",
                "choices": ["us-east-1", "eu-central-1", "ap-south-1"],
                "default": "us-east-1",
            },
            "compare_region": {"type": "str", "default": ""},
            "usage": {
                "type": "dict",
                "default": {},
                # How many requests for secrets there are is none.
                "options": {name: {"type": "float", "default": 0.0, "no_log": False} for name in USES},
            },
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()
