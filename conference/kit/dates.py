"""Dates and times as people here write them: 06.06.2023, 09:30 Uhr, always in the conference's own zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import get_day_names
from flask import Flask
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

DEFAULT_ZONE = "Europe/Berlin"


def local(moment: datetime, zone: str | None = None) -> datetime:
    """The moment on the clocks of the zone."""
    return moment.astimezone(ZoneInfo(zone or DEFAULT_ZONE))


def _day(value: date | datetime, zone: str | None) -> date:
    return local(value, zone).date() if isinstance(value, datetime) else value


def show_date(value: date | datetime | None, zone: str | None = None) -> str:
    """06.06.2023"""
    return "" if value is None else f"{_day(value, zone):%d.%m.%Y}"


def show_day(value: date | datetime | None, zone: str | None = None) -> str:
    """Dienstag, 06.06.2023"""
    if value is None:
        return ""
    day = _day(value, zone)
    return f"{get_day_names('wide', locale=get_locale())[day.weekday()]}, {day:%d.%m.%Y}"


def show_clock(value: datetime | None, zone: str | None = None) -> str:
    """09:30"""
    return "" if value is None else f"{local(value, zone):%H:%M}"


def show_time(value: datetime | None, zone: str | None = None) -> str:
    """09:30 Uhr"""
    return "" if value is None else _("%(time)s h", time=show_clock(value, zone))


def show_datetime(value: datetime | None, zone: str | None = None) -> str:
    """06.06.2023, 09:30 Uhr"""
    return "" if value is None else f"{show_date(value, zone)}, {show_time(value, zone)}"


def show_last_day(end: datetime | None, zone: str | None = None) -> str:
    """Bis einschließlich 05.07.2023, for what ends with a day: `end` is the first moment after it."""
    if end is None:
        return ""
    last = show_date(end - timedelta(microseconds=1), zone)
    return str(_("until the end of %(day)s", day=last))


def show_duration(value: timedelta | None) -> str:
    """45 Minuten"""
    if value is None:
        return ""
    minutes = int(value.total_seconds() // 60)
    return str(ngettext("%(num)d minute", "%(num)d minutes", minutes))


def init(app: Flask) -> None:
    """Register the filters."""
    app.jinja_env.filters.update(
        date=show_date,
        day=show_day,
        clock=show_clock,
        time=show_time,
        datetime=show_datetime,
        last_day=show_last_day,
        duration=show_duration,
    )
