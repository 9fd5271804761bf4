"""What the groups need on paper: the whole seating, sheets for facilitators, name cards, signs for tables and doors.

Every paper says which version of the groups it shows. The same version gives the same bytes: nothing but who
facilitates now, on the facilitator sheets, looks at a clock.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from ..conferences.models import Conference
from ..conferences.queries import conference_here
from ..core import wall_page
from ..core.paging import even_pages
from ..groups.editions import Edition, RoundOfTables, Table, edition_of
from ..groups.queries import is_live, latest_release, plan_as_published
from ..ideas.queries import points_of
from ..kit import access, clock, dates, pages, unit
from ..kit.errors import Missing
from ..kit.layout import belongs
from ..kit.pdf import render_in_child
from ..kit.pdf_qr import qr
from ..people.queries import Reach, facilitator_names, reach_of
from . import bp

belongs("groups.show_groups", "overview.show_papers")

ROUNDS_IN_A_ROW = 4
BACK_OF_A_CARD = 8
"""So many rounds fit on the back of a name card."""


@bp.get("/conferences/<slug>/groups/papers")
@access.moderators
def show_papers(slug: str) -> ResponseReturnValue:
    """Everything of the groups that can be printed, in one place; of their own for facilitators."""
    conference = conference_here(access.account(), slug)
    release, plan = latest_release(conference), plan_as_published(conference)
    reach = _reach(conference)
    published = release.plan if release else []
    return pages.show(
        "overview/show_papers.html",
        conference=conference,
        release=release,
        is_live=is_live(conference),
        is_changed=release is None or release.plan != plan,
        reach=reach,
        has_groups=any(reach.covers(entry["round"], entry["group"]) for entry in [*plan, *published]),
        rounds=sorted({entry["round"] for entry in plan if reach.covers(entry["round"], entry["group"])}),
        has_codes=any(point.table for point in points_of(conference)),
    )


def _reach(conference: Conference) -> Reach:
    return reach_of(access.account(), conference, everywhere=access.visitor().works_at_all_tables)


def _paper(
    slug: str, template: str, name: str, context: Callable[[Conference, Edition], dict[str, Any]]
) -> ResponseReturnValue:
    """Read, close, render: no transaction is open while the PDF is made."""
    with unit.reading():
        conference = conference_here(access.account(), slug)
        draft = request.args.get("draft") == "1"
        edition = edition_of(conference, draft=draft)
        reach = _reach(conference)
        if not reach.everywhere:
            edition = edition.only(reach.covers)
            if not edition.rounds:
                raise Missing
        with force_locale(conference.language):
            html = render_template(
                template,
                language=conference.language,
                conference_title=conference.title,
                day=conference.day,
                is_draft=edition.is_draft,
                edition=_edition_words(edition, conference),
                **context(conference, edition),
            )
        access.handed_out(name, conference.id)
    # The name says what is inside, also when it lies in a folder of downloads.
    suffix = "-draft" if edition.is_draft else f"-v{edition.number}" if edition.number else ""
    return pages.file(render_in_child(html), "application/pdf", f"{slug}-{name}{suffix}.pdf", inline=True)


def _edition_words(edition: Edition, conference: Conference) -> str:
    moment = dates.show_datetime(edition.at, conference.zone)
    if not edition.is_draft and not edition.number:
        return _("As the participants have chosen")
    if not edition.is_draft:
        return _("Version %(number)d of %(moment)s", number=edition.number, moment=moment)
    if not moment:
        return _("Draft, not published")
    if edition.number:
        return _("Draft of %(moment)s, after version %(number)d", number=edition.number, moment=moment)
    return _("Draft of %(moment)s, not published", moment=moment)


def _time(conference: Conference, one: RoundOfTables) -> str:
    if one.starts_at is None or one.ends_at is None:
        return ""
    begin, end = (dates.show_clock(moment, conference.zone) for moment in (one.starts_at, one.ends_at))
    return _("%(time)s h", time=f"{begin}–{end}")


# -- the whole seating -------------------------------------------------


@bp.get("/conferences/<slug>/groups/seating.pdf")
@access.organisers
@unit.own_transactions
def seating_page(slug: str) -> ResponseReturnValue:
    """All rounds and tables, and everybody by name with the tables, for the wall: one page, for a large hall several."""
    return _paper(slug, "pdf/seating.html", "seating", _seating)


def _seating(conference: Conference, edition: Edition) -> dict[str, Any]:
    places, numbers = edition.places_of(), [one.number for one in edition.rounds]
    blocks = [_block(conference, some) for some in even_pages(edition.rounds, ROUNDS_IN_A_ROW)]
    people = [
        {
            "name": person.listed,
            "organisation": person.organisation,
            "letter": (person.sort_key[0][:1] or "#").upper(),
            "places": [_name_of(places.get(person.id, {}).get(number)) for number in numbers],
        }
        for person in edition.people
    ]
    unseated = [
        (one.number, "; ".join(p.listed for p in one.unseated)) for one in edition.rounds if one.unseated
    ]
    layout = wall_page.layout(
        [[_plan_row(row) for row in block["rows"]] for block in blocks],
        [(person.listed, person.organisation) for person in edition.people],
        len(numbers),
        [names for _number, names in unseated],
    )
    ends = layout.ends or [len(people)]
    return {
        "layout": layout,
        "blocks": blocks,
        "numbers": numbers,
        "leaves": [people[first:last] for first, last in pairwise([0, *ends]) if last > first],
        "unseated": unseated,
    }


def _plan_row(row: dict[str, Any]) -> wall_page.PlanRow:
    cells = [
        (cell["about"], [person.name for person in cell["table"].people] if cell["table"] else [])
        for cell in row["cells"]
    ]
    return wall_page.PlanRow(row["about"], cells)


def _name_of(table: Table | None) -> str:
    return table.name if table else "–"


def _block(conference: Conference, rounds: Sequence[RoundOfTables]) -> dict[str, Any]:
    """Some rounds beside each other: a row for each table, what is the same in all of them said once."""
    names = sorted({t.name for one in rounds for t in one.tables}, key=lambda name: (len(name), name))
    rows = []
    for name in names:
        cells = [next((t for t in one.tables if t.name == name), None) for one in rounds]
        abouts = {(t.room, t.topic) for t in cells if t}
        same = abouts.pop() if len(abouts) == 1 else None
        rows.append(
            {
                "name": name,
                "about": _joined(same) if same else "",
                "cells": [
                    {"about": "" if same or t is None else _joined((t.room, t.topic)), "table": t}
                    for t in cells
                ],
            }
        )
    heads = [{"number": one.number, "time": _time(conference, one)} for one in rounds]
    return {"rounds": heads, "rows": rows}


def _joined(words: Iterable[str]) -> str:
    return " · ".join(word for word in words if word)


# -- sheets for who leads a group --------------------------------------


@bp.get("/conferences/<slug>/groups/facilitator-sheets.pdf")
@access.moderators
@unit.own_transactions
def facilitator_sheets(slug: str) -> ResponseReturnValue:
    """A sheet for each group and round: what it works on, who comes, what is to be handed in."""
    return _paper(slug, "pdf/facilitator_sheet.html", "facilitator-sheets", _facilitator_sheets)


def _facilitator_sheets(conference: Conference, edition: Edition) -> dict[str, Any]:
    asked = request.args.get("round", "")
    codes, led_by = _codes(conference), facilitator_names(conference, clock.now())
    sheets = [
        {
            "round": one.number,
            "time": _time(conference, one),
            "table": replace(table, focus_question=table.focus_question or conference.focus_question),
            "facilitators": led_by(one.number, table.name),
            "density": _sheet_density(
                table,
                table.focus_question or conference.focus_question,
                ", ".join(led_by(one.number, table.name)),
            ),
            **codes.get(table.name, NO_CODE),
        }
        for one in edition.rounds
        if not asked or asked == str(one.number)
        for table in one.tables
    ]
    return {"sheets": sheets, "address": pages.absolute("ideas.enter_code").split("://")[-1]}


def _sheet_density(table: Table, question: str, led_by: str) -> str:
    """How closely a sheet is printed so that it stays one page: by the lines that people, topic, question, names take."""
    lines = sum(max(_rows(p.name, 30), _rows(p.organisation, 32)) for p in table.people)
    hosts = _rows(", ".join(table.hosts), 80) if table.hosts else 0
    lines += max(0, _rows(question, 80) + _rows(table.topic, 70) + _rows(led_by, 80) + hosts - 5)
    return "normal" if lines <= 10 else "dense" if lines <= 17 else "tight"


def _rows(text: str, letters: int) -> int:
    # Words without end are broken every few signs (`kit.pdf_text`).
    endless = any(len(word) > letters for word in text.split())
    return max(1, -(-len(text) // (letters // 2 if endless else letters)))


NO_CODE: dict[str, Any] = {"qr": None, "code": ""}


def _codes(conference: Conference) -> dict[str, dict[str, Any]]:
    """The codes of the tables as the page of the codes has them. Looking makes none."""
    return {
        point.table: {
            "qr": qr(pages.absolute("ideas.hand_in_idea", code=point.code)),
            "code": point.code,
        }
        for point in points_of(conference)
        if point.table
    }


# -- cards and signs ---------------------------------------------------


@bp.get("/conferences/<slug>/groups/name-cards.pdf")
@access.organisers
@unit.own_transactions
def name_cards(slug: str) -> ResponseReturnValue:
    """A card of A6 to fold for each person: the name for the others, the own tables on the back."""
    return _paper(slug, "pdf/name_cards.html", "name-cards", _name_cards)


def _name_cards(conference: Conference, edition: Edition) -> dict[str, Any]:
    places = edition.places_of()
    cards = [
        {
            "name": person.name,
            "organisation": person.organisation,
            "places": [
                {"round": one.number, "time": _time(conference, one), "table": places[person.id][one.number]}
                for one in edition.rounds
                if one.number in places.get(person.id, {})
            ],
        }
        for person in edition.people
    ]
    return {"cards": cards, "most": BACK_OF_A_CARD}


@bp.get("/conferences/<slug>/groups/table-signs.pdf")
@access.moderators
@unit.own_transactions
def table_signs(slug: str) -> ResponseReturnValue:
    """A sign of A4 to fold for each table, to be read from both sides."""
    return _paper(slug, "pdf/table_sign.html", "table-signs", _table_signs)


def _table_signs(conference: Conference, edition: Edition) -> dict[str, Any]:
    return {
        "signs": [
            {"letter": groups[0][1].name, "room": groups[0][1].room, "topic": groups[0][1].topic}
            for groups in _tables(edition, lambda t: (t.name, t.room, t.topic))
        ]
    }


@bp.get("/conferences/<slug>/groups/door-sheets.pdf")
@access.moderators
@unit.own_transactions
def door_sheets(slug: str) -> ResponseReturnValue:
    """A sheet for each table with room, times and the code for ideas. Without a code the sheet has none."""
    return _paper(slug, "pdf/door_sheet.html", "door-sheets", _door_sheets)


def _door_sheets(conference: Conference, edition: Edition) -> dict[str, Any]:
    codes = _codes(conference)
    address = pages.absolute("ideas.enter_code").split("://")[-1]
    return {
        "sheets": [
            _door_sheet(conference, groups, codes) | {"address": address}
            for groups in _tables(edition, lambda t: (t.name, t.room, t.topic, t.focus_question))
        ]
    }


def _tables(
    edition: Edition, key: Callable[[Table], tuple[str, ...]]
) -> list[list[tuple[RoundOfTables, Table]]]:
    """The groups of each table; a table at which something changes between rounds has several entries."""
    tables: dict[tuple[str, ...], list[tuple[RoundOfTables, Table]]] = {}
    for one in edition.rounds:
        for table in one.tables:
            tables.setdefault(key(table), []).append((one, table))
    return sorted(
        tables.values(), key=lambda groups: (len(groups[0][1].name), groups[0][1].name, groups[0][0].number)
    )


def _door_sheet(
    conference: Conference,
    groups: Sequence[tuple[RoundOfTables, Table]],
    codes: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    table = groups[0][1]
    return {
        "letter": table.name,
        "room": table.room,
        "topic": table.topic,
        "hosts": list(dict.fromkeys(name for _round, one in groups for name in one.hosts)),
        "focus_question": table.focus_question or conference.focus_question,
        "rounds": [
            {
                "number": one.number,
                "begin": _local(one.starts_at, conference),
                "end": _local(one.ends_at, conference),
            }
            for one, _table in groups
            if one.starts_at and one.ends_at
        ],
        **codes.get(table.name, NO_CODE),
    }


def _local(moment: datetime | None, conference: Conference) -> datetime | None:
    return dates.local(moment, conference.zone) if moment else None
