"""What a number of tables allows, in words: told before anything is formed, without a search."""

from collections import Counter
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from ..conferences.models import Conference
from ..core.grouping.advice import Advice, Forecast, Outlook, advise
from ..providers.models import Contact, Side
from . import tasks
from .method_queries import MOST_TABLES

NEIGHBOURS = 2


@dataclass(frozen=True)
class Line:
    """One number of tables. `is_good`: nobody need meet twice, nobody need sit beside a colleague, the rooms suffice."""

    tables: int
    is_chosen: bool
    sizes: str
    now: str
    one_more: str
    colleagues: str
    missing: str
    is_good: bool


def lines_for(conference: Conference, people: list[Contact], rounds: int, tables: int) -> list[Line]:
    """The chosen number of tables and those beside it; empty where there is nothing to say yet."""
    if rounds < 1 or len(people) < 2:
        return []
    counts = range(max(1, tables - NEIGHBOURS), min(MOST_TABLES, tables + NEIGHBOURS) + 1)
    rooms = [room.capacity for room in tasks.free_rooms(conference)]
    advice = advise(len(people), rounds, counts, sorted(_houses(people).values()), rooms)
    return [_line(one, one.tables == tables) for one in advice]


def largest_house(people: list[Contact]) -> tuple[str, int] | None:
    """The organisation that sends most people, and how many; None where none sends two."""
    houses = _houses(people)
    name, count = max(houses.items(), key=lambda house: (house[1], house[0]), default=("", 0))
    return (name, count) if count > 1 else None


def _houses(people: list[Contact]) -> Counter[str]:
    """How many people each organisation sends; the agency's own may sit together."""
    return Counter(contact.provider.name for contact in people if contact.side is not Side.AGENCY)


def _line(advice: Advice, is_chosen: bool) -> Line:
    low, high = advice.sizes[-1], advice.sizes[0]
    lacking = advice.missing_seats
    return Line(
        tables=advice.tables,
        is_chosen=is_chosen,
        sizes=str(low) if low == high else _("%(low)d to %(high)d", low=low, high=high),
        now=_forecast(advice.now),
        one_more=_forecast(advice.one_more),
        colleagues=_("can be kept apart")
        if advice.keeps_colleagues_apart
        else ngettext(
            "at least %(num)d pair of colleagues at one table",
            "at least %(num)d pairs of colleagues at one table",
            advice.least_colleagues,
        ),
        missing=ngettext("The rooms lack %(num)d seat.", "The rooms lack %(num)d seats.", lacking)
        if lacking
        else "",
        is_good=advice.now.outlook is Outlook.POSSIBLE and advice.keeps_colleagues_apart and not lacking,
    )


def _forecast(forecast: Forecast) -> str:
    if forecast.outlook is Outlook.POSSIBLE:
        return _("nobody need meet twice (proven)")
    if forecast.outlook is Outlook.IMPOSSIBLE:
        return ngettext(
            "at least %(num)d repeated meeting (proven)",
            "at least %(num)d repeated meetings (proven)",
            forecast.least,
        )
    if not forecast.least:
        return _("perhaps nobody meets twice; the search will show")
    return ngettext("at least %(num)d repeated meeting", "at least %(num)d repeated meetings", forecast.least)
