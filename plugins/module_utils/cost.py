# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a stack costs in a month: what it is charged for, at which price, and the sums.

Everything here is pure. C(cost_items) says what a stack is charged for, C(cost_prices) reads AWS's price list.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import asdict, dataclass

#: Hours of a month, as the AWS Pricing Calculator counts them.
HOURS = 730

#: What estimates made by hand often leave out.
OFTEN_LEFT_OUT = ("NAT gateways", "Public IPv4 addresses")

Prices = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Item:
    """Something that is charged for.

    :param component: what it is, such as C(EC2 instances).
    :param key: under which name the price file has its price, such as C(ec2.t3.micro).
    :param resource: its name.
    :param quantity: how much of it a month has, in C(unit).
    :param unit: what the price is for, such as C(hour).
    :param tier: the tier that it belongs to.
    :param region: where it is charged.
    :param by_use: whether the quantity is not known from what is deployed, but told, or zero.
    :param note: what a reader should know of this line.
    """

    component: str
    key: str
    resource: str
    quantity: float
    unit: str
    tier: str = ""
    region: str = ""
    by_use: bool = False
    note: str = ""


@dataclass(frozen=True)
class Price:
    """A price.

    :param usd: US dollars for one unit.
    :param source: C(price list), or where a price file has it from.
    """

    usd: float
    source: str


def grouped(items: t.Iterable[Item]) -> list[Item]:
    """The items, with those that differ in quantity alone put together; in order of component, tier and resource."""
    sums: dict[Item, float] = defaultdict(float)
    for item in items:
        sums[_without_quantity(item)] += item.quantity
    whole = [Item(**{**asdict(item), "quantity": round(quantity, 6)}) for item, quantity in sums.items()]
    return sorted(whole, key=lambda item: (item.by_use, item.component, item.tier, item.resource, item.key))


def _without_quantity(item: Item) -> Item:
    return Item(**{**asdict(item), "quantity": 0.0})


def filed_price(prices: Prices, region: str, key: str) -> Price | None:
    """The price in a price file: the region's own, or the one that holds everywhere.

    :returns: C(None) where the file has none.
    :raises ValueError: the file says something that is no price.
    """
    place = (prices.get("regions") or {}).get(region) or {}
    entry = place.get(key, (prices.get("everywhere") or {}).get(key))
    if entry is None:
        return None
    source, usd = ("", entry) if isinstance(entry, (int, float)) else (entry.get("source", ""), entry.get("usd"))
    if isinstance(usd, bool) or not isinstance(usd, (int, float)) or usd < 0:
        raise ValueError(f"prices: {region} has no number of dollars under '{key}' but {usd!r}; write such as 0.0104")
    return Price(float(usd), _filed_source(prices, source))


def _filed_source(prices: Prices, source: str) -> str:
    date = ((prices.get("sources") or {}).get(source) or {}).get("date") or prices.get("date", "without a date")
    return f"file {date}{f' ({source})' if source else ''}"


def line(item: Item, price: Price | None) -> dict[str, t.Any]:
    """An item with its price and what it costs in a month, rounded to cents. Without a price both are C(None)."""
    return {
        **asdict(item),
        "price": None if price is None else price.usd,
        "source": "no price" if price is None else price.source,
        "monthly": None if price is None else round(item.quantity * price.usd, 2),
    }


def summary(lines: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """The sums of lines, each the sum of the lines' own cents, so that a reader who adds them up gets the same.

    :returns: C(total), C(by_component), C(by_tier), C(often_left_out) (what is of C(OFTEN_LEFT_OUT)), C(without_these)
        (the rest), and C(unpriced) (the lines that have no price and count for nothing).
    """
    left_out = _sum(one for one in lines if one["component"] in OFTEN_LEFT_OUT)
    total = _sum(lines)
    return {
        "total": total,
        "by_component": _sums(lines, "component"),
        "by_tier": _sums(lines, "tier"),
        "often_left_out": left_out,
        "without_these": round(total - left_out, 2),
        "unpriced": [one["resource"] for one in lines if one["price"] is None],
    }


def _sum(lines: t.Iterable[t.Mapping[str, t.Any]]) -> float:
    return round(sum(one["monthly"] or 0.0 for one in lines), 2)


def _sums(lines: t.Sequence[t.Mapping[str, t.Any]], by: str) -> dict[str, float]:
    return {name: _sum(one for one in lines if one[by] == name) for name in sorted({str(one[by]) for one in lines})}
