# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said of a stack: what stands, what it costs, how it is saved, what is open. As data, as text, as Markdown.

All of it is pure, and nothing in it is secret: names, counts and prices.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.palier.aws.plugins.module_utils.cost import OFTEN_LEFT_OUT

Record = t.Mapping[str, t.Any]

#: Tiers that a stack has without listing them: its lock, and what stands directly below its IAM path.
OWN_TIERS = ("stack",)


def stack_report(
    stack: Record,
    cost: Record,
    resources: t.Sequence[Record],
    opened: t.Sequence[Record] = (),
    backups: Record | None = None,
) -> dict[str, t.Any]:
    """Everything that is said of a stack, as data.

    :param stack: C(name), C(region), C(tiers), C(date), C(rpo), and C(expected), the monthly cost that the customer
        reckons with, or 0.
    :param cost: what the module C(stack_cost_info) returned.
    :param resources: what the module C(stack_resources_info) returned.
    :param opened: the defaults that the description has opened.
    :param backups: C(restore_points), C(newest), C(stale), C(lacking) and C(copies), as the role backups publishes
        them; empty for a stack that has none.
    """
    names = ("total", "often_left_out", "without_these", "by_component", "by_tier", "unpriced", "unread", "hours")
    return {
        "stack": stack["name"],
        "region": stack["region"],
        "date": stack["date"],
        "standing": standing(resources),
        "cost": {
            "lines": [dict(one) for one in cost["lines"]],
            **{name: cost[name] for name in names},
            "price_list": cost["price_list"],
            "expected": float(stack.get("expected") or 0),
            "compared": cost.get("compared"),
        },
        "restore_points": restore_points(backups, str(stack.get("rpo") or "")) if backups else None,
        "opened": [dict(one) for one in opened],
        "undescribed": undescribed(resources, stack["tiers"]),
    }


def standing(resources: t.Sequence[Record]) -> dict[str, dict[str, int]]:
    """How many resources of each type stand, by tier."""
    tiers = sorted({str(one["tier"]) for one in resources})
    return {
        tier: dict(sorted(Counter(str(one["type"]) for one in resources if one["tier"] == tier).items()))
        for tier in tiers
    }


def undescribed(resources: t.Sequence[Record], tiers: t.Collection[str]) -> list[dict[str, str]]:
    """What carries the stack's tags, and belongs to no tier that the description has."""
    described = {*tiers, *OWN_TIERS}
    return [{"arn": one["arn"], "tier": one["tier"]} for one in resources if one["tier"] not in described]


def restore_points(backups: Record, rpo: str) -> dict[str, t.Any]:
    """The newest restore point of each source with its age, and what is too old or missing."""
    late = {one["of"] for one in backups.get("stale") or ()}
    newest = [
        {
            "of": one["of"],
            "name": one["name"],
            "age": one["age"],
            "region": one["region"],
            "encrypted": one["encrypted"],
            "late": one["of"] in late,
        }
        for one in backups.get("newest") or ()
    ]
    copies = backups.get("copies") or ()
    return {
        "rpo": rpo,
        "newest": newest,
        "lacking": sorted(backups.get("lacking") or ()),
        "kept": len(backups.get("restore_points") or ()),
        "copies": len([one for one in copies if one["complete"]]),
    }


# -- text --------------------------------------------------------------------------------------------------------------

Table = list[tuple[str, ...]]

PRICE_TITLES = ("quantity", "unit", "unit price", "monthly", "source")
LINE_TITLES = ("component", "tier", "resource", *PRICE_TITLES)
USE_TITLES = ("charged by use", "report_usage", *PRICE_TITLES)


def report_text(report: Record) -> list[str]:
    """The report as lines of text."""
    lines = [f"{report['stack']} in {report['region']} on {report['date']}", ""]
    for title, table, words in _parts(report):
        lines += [title, *(f"  {row}" for row in _aligned(table)), *(f"  {sentence}" for sentence in words), ""]
    return lines[:-1]


def report_markdown(report: Record) -> str:
    """The report as a Markdown page."""
    lines = [f"# {report['stack']} in {report['region']} on {report['date']}", ""]
    for title, table, words in _parts(report):
        lines += [f"## {title}", ""]
        if table:
            lines += [_row(table[0]), _row(["---"] * len(table[0])), *(_row(row) for row in table[1:]), ""]
        if words:
            lines += [*(f"- {sentence}" for sentence in words), ""]
    return "\n".join(lines)


def _row(cells: t.Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _aligned(table: Table) -> list[str]:
    """A table with columns as wide as they must be; numbers, which end with a digit, to the right."""
    if not table:
        return []
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    right = [all(row[column][-1:].isdigit() or not row[column] for row in table[1:]) for column in range(len(widths))]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in table
    ]


Part = tuple[str, Table, list[str]]


def _parts(report: Record) -> list[Part]:
    cost = report["cost"]
    return [
        ("What stands", _standing_table(report["standing"]), []),
        (f"What a month of {cost['hours']} hours costs", _cost_table(cost), _cost_words(cost)),
        ("What is charged by use", _use_table(cost), []),
        ("How it is saved", _saved_table(report["restore_points"]), _saved_words(report["restore_points"])),
        ("What is open", _opened_table(report["opened"]), [] if report["opened"] else ["All defaults are closed."]),
        ("What is not described", _undescribed_table(report["undescribed"]), _undescribed_words(report["undescribed"])),
    ]


def _standing_table(tiers: Record) -> Table:
    rows = [
        (tier or "(none)", str(sum(kinds.values())), ", ".join(f"{count} {kind}" for kind, count in kinds.items()))
        for tier, kinds in tiers.items()
    ]
    return [("tier", "count", "what"), *rows] if rows else []


def _cost_table(cost: Record) -> Table:
    rows = [
        (
            str(one["component"]),
            str(one["tier"]),
            str(one["resource"]),
            *_money(one),
        )
        for one in cost["lines"]
        if not one["by_use"]
    ]
    return [LINE_TITLES, *rows] if rows else []


def _use_table(cost: Record) -> Table:
    rows = [(str(one["resource"]), str(one["note"]), *_money(one)) for one in cost["lines"] if one["by_use"]]
    return [USE_TITLES, *rows] if rows else []


def _money(one: Record) -> tuple[str, ...]:
    much = (number(one["quantity"]), str(one["unit"]))
    if one["price"] is None:
        return (*much, "no price", "no price", str(one["source"]))
    return (*much, number(one["price"], 7), f"{one['monthly']:.2f}", str(one["source"]))


def number(value: float, digits: int = 3) -> str:
    """A number without zeros at its end, with commas at the thousands."""
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _cost_words(cost: Record) -> list[str]:
    parts = ", ".join(
        f"{name} {cost['by_component'][name]:.2f}" for name in OFTEN_LEFT_OUT if name in cost["by_component"]
    )
    words = [
        *(f"{name}: {monthly:.2f}" for name, monthly in cost["by_component"].items() if monthly),
        f"Total: {cost['total']:.2f} US dollars a month, on demand, without taxes, free tiers and reservations.",
    ]
    if parts:
        words.append(f"Of it, what such estimates often leave out: {cost['often_left_out']:.2f} ({parts}).")
        words.append(f"Without these: {cost['without_these']:.2f}.")
    if not any(one["quantity"] for one in cost["lines"] if one["by_use"]):
        words.append("What is charged by use is not in it: report_usage says nothing.")
    words += _compared_words(cost)
    words += _expected_words(cost)
    notes = {(one["resource"], one["note"]) for one in cost["lines"] if one["note"] and not one["by_use"]}
    words += [f"{resource}: {note}." for resource, note in sorted(notes)]
    words += [f"No price is known of {resource}: it counts for nothing here." for resource in cost["unpriced"]]
    words += [f"Not read in {one['region']}: {one['what']}, since {one['why']}" for one in cost["unread"]]
    if cost["price_list"]:
        words.append(f"Prices are those of the file, since AWS's price list did not answer: {cost['price_list']}")
    return words


def _expected_words(cost: Record) -> list[str]:
    expected = cost["expected"]
    if not expected:
        return []
    whole, part = cost["total"] - expected, cost["without_these"] - expected
    return [
        f"Reckoned with: {expected:.2f}. The total is {_more_or_less(whole)}.",
        f"Without what is often left out it is {_more_or_less(part)}.",
    ]


def _compared_words(cost: Record) -> list[str]:
    there = cost.get("compared")
    if not there:
        return []
    words = [
        f"At {there['region']}'s prices in the file: {there['total']:.2f}, without these {there['without_these']:.2f}."
    ]
    return words + [f"No price is known there of {resource}." for resource in there["unpriced"]]


def _more_or_less(difference: float) -> str:
    return f"{abs(difference):.2f} {'more' if difference >= 0 else 'less'}"


def _saved_table(saved: Record | None) -> Table:
    rows = [
        (
            one["of"],
            one["name"],
            one["region"],
            one["age"],
            "late" if one["late"] else "in time",
            "encrypted" if one["encrypted"] else "NOT ENCRYPTED",
        )
        for one in (saved or {}).get("newest", ())
    ]
    return [("of", "newest restore point", "region", "age", "", ""), *rows] if rows else []


def _saved_words(saved: Record | None) -> list[str]:
    if saved is None:
        return ["The stack has no tier backups."]
    words = [f"{name} has no complete restore point." for name in saved["lacking"]]
    late = [one["of"] for one in saved["newest"] if one["late"]]
    words += [f"{name} was last saved longer ago than backups_rpo ({saved['rpo']}) allows." for name in late]
    return [*words, f"{saved['kept']} restore points are kept, and {saved['copies']} copies in the other region."]


def _opened_table(opened: t.Sequence[Record]) -> Table:
    rows = [(one["setting"], one["value"], one["means"]) for one in opened]
    return [("setting", "value", "what follows"), *rows] if rows else []


def _undescribed_table(found: t.Sequence[Record]) -> Table:
    return [("tier", "resource"), *((one["tier"] or "(none)", one["arn"]) for one in found)] if found else []


def _undescribed_words(found: t.Sequence[Record]) -> list[str]:
    return [] if found else ["All that carries the stack's tags belongs to its tiers."]
