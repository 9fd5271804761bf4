"""When an action needs a reminder."""

from datetime import date, timedelta

WEEK = timedelta(days=7)


def reminder_kind(due_on: date, today: date, *, made_on: date) -> str | None:
    """Which reminder an unfinished action needs today, or None.

    'week' from 7 days before (not on the day on which the action was made), 'day' on the date itself, then
    'overdue-0', 'overdue-1', … one for each week that has begun since. A day without a run loses nothing: the kind stays
    the same until the next one begins. Rule: handbook outcomes, O24.

    >>> reminder_kind(date(2023, 7, 14), date(2023, 7, 7), made_on=date(2023, 6, 6))
    'week'
    >>> reminder_kind(date(2023, 7, 14), date(2023, 7, 22), made_on=date(2023, 6, 6))
    'overdue-1'
    """
    if today > due_on:
        return f"overdue-{((today - due_on).days - 1) // 7}"
    if today == due_on:
        return "day" if made_on != today else None
    if due_on - WEEK <= today and made_on != today:
        return "week"
    return None
