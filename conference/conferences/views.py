"""Pages for series, key facts, rooms and topics. The life page of a conference is in overview, which sees all rooms."""

from flask import current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..kit import access, clock, dates, forms, pages
from ..kit.db import found
from ..kit.layout import belongs
from . import bp, operations, queries
from .forms import ConferenceForm, NewConferenceForm, RoomForm, SeriesForm, TopicForm
from .models import Conference

belongs("conferences.show_rooms", "conferences.new_room", "conferences.edit_room")
belongs("conferences.show_topics", "conferences.new_topic", "conferences.edit_topic")


@bp.route("/series/new", methods=["GET", "POST"])
@access.organisers
def new_series() -> ResponseReturnValue:
    """Begin a series."""
    form = SeriesForm()
    if forms.submitted(form):
        series = operations.create_series(access.account(), form.title.data, form.host.data, at=clock.now())
        return pages.done(
            "conferences.new_conference", _("The series has been created."), series_slug=series.slug
        )
    return pages.show("conferences/new_series.html", form=form)


@bp.route("/series/<series_slug>/edit", methods=["GET", "POST"])
@access.administrators
def edit_series(series_slug: str) -> ResponseReturnValue:
    """What a series is called and who holds its conferences; for its administrators."""
    series = queries.series_here(access.account(), series_slug)
    form = SeriesForm(obj=series)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_series(series, form.title.data, form.host.data, form.started_from)
            message = _("The series has been saved.")
            return pages.done("conferences.edit_series", message, series_slug=series_slug)
        series = queries.series_here(access.account(), series_slug)
    return pages.show("conferences/edit_series.html", form=form, series=series)


@bp.route("/series/<series_slug>/conferences/new", methods=["GET", "POST"])
@access.organisers
def new_conference(series_slug: str) -> ResponseReturnValue:
    """Plan a conference in a series."""
    series = queries.series_here(access.account(), series_slug)
    form = NewConferenceForm()
    if request.method == "GET":
        form.zone.data = dates.DEFAULT_ZONE
        form.organiser_name.data, form.organiser_email.data = access.account().name, access.account().email
    form.offer_zones()
    if forms.submitted(form):
        with pages.refusals(form):
            conference = operations.create_conference(series, form.fields(form.slug.data), at=clock.now())
            return pages.done(
                "overview.show_conference", _("The conference has been created."), slug=conference.slug
            )
    return pages.show("conferences/new_conference.html", form=form, series=series)


@bp.route("/conferences/<slug>/edit", methods=["GET", "POST"])
@access.organisers
def edit_conference(slug: str) -> ResponseReturnValue:
    """Change the key facts."""
    conference = queries.conference_here(access.account(), slug)
    form = ConferenceForm(data=_facts(conference)) if request.method == "GET" else ConferenceForm()
    form.offer_zones()
    if forms.submitted(form):
        with pages.refusals(form):
            changed = operations.change_conference(
                conference, form.fields(), form.started_from, at=clock.now()
            )
            if current_app.extensions["guests_to_tell"](changed):
                message = _(
                    "The key facts have been saved. Time or place is different now: "
                    "please decide whether those who have been invited are told."
                )
                return pages.done("invitations.send_updates", message, slug=slug)
            return pages.done("conferences.edit_conference", _("The key facts have been saved."), slug=slug)
    return pages.show("conferences/edit_conference.html", form=form, conference=conference)


def _facts(conference: Conference) -> dict[str, object]:
    starts, ends = (
        dates.local(moment, conference.zone) for moment in (conference.starts_at, conference.ends_at)
    )
    return vars(conference) | {"day": starts.date(), "begin": starts.time(), "end": ends.time()}


@bp.get("/conferences/<slug>/rooms")
@access.organisers
def show_rooms(slug: str) -> ResponseReturnValue:
    """The rooms at the venue."""
    conference = queries.conference_here(access.account(), slug)
    return pages.show(
        "conferences/show_rooms.html", conference=conference, rooms=queries.rooms_of(conference)
    )


@bp.route("/conferences/<slug>/rooms/new", methods=["GET", "POST"])
@access.organisers
def new_room(slug: str) -> ResponseReturnValue:
    """Add a room."""
    conference = queries.conference_here(access.account(), slug)
    form = RoomForm()
    if forms.submitted(form):
        with pages.refusals(form):
            operations.add_room(conference, form.name.data, form.capacity.data)
            return pages.done("conferences.show_rooms", _("The room has been added."), slug=slug)
    return pages.show("conferences/new_room.html", form=form, conference=conference)


@bp.route("/conferences/<slug>/rooms/<int:room_id>", methods=["GET", "POST"])
@access.organisers
def edit_room(slug: str, room_id: int) -> ResponseReturnValue:
    """Rename a room or correct its capacity."""
    conference = queries.conference_here(access.account(), slug)
    room = found(queries.room_of(conference, room_id))
    form = RoomForm(obj=room)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_room(conference, room, form.name.data, form.capacity.data)
            return pages.done("conferences.show_rooms", _("The room has been saved."), slug=slug)
    return pages.show("conferences/edit_room.html", form=form, conference=conference, room=room)


@bp.post("/conferences/<slug>/rooms/<int:room_id>/removal")
@access.organisers
def remove_room(slug: str, room_id: int) -> ResponseReturnValue:
    """Take a room off the list."""
    conference = queries.conference_here(access.account(), slug)
    operations.remove_room(found(queries.room_of(conference, room_id)))
    return pages.done("conferences.show_rooms", _("The room has been removed."), slug=slug)


@bp.get("/conferences/<slug>/topics")
@access.organisers
def show_topics(slug: str) -> ResponseReturnValue:
    """The topics that participants may wish for."""
    conference = queries.conference_here(access.account(), slug)
    return pages.show(
        "conferences/show_topics.html", conference=conference, topics=queries.topics_of(conference)
    )


@bp.route("/conferences/<slug>/topics/new", methods=["GET", "POST"])
@access.organisers
def new_topic(slug: str) -> ResponseReturnValue:
    """Add a topic."""
    conference = queries.conference_here(access.account(), slug)
    form = TopicForm()
    if forms.submitted(form):
        with pages.refusals(form):
            operations.add_topic(conference, form.title.data)
            return pages.done("conferences.show_topics", _("The topic has been added."), slug=slug)
    return pages.show("conferences/new_topic.html", form=form, conference=conference)


@bp.route("/conferences/<slug>/topics/<int:topic_id>", methods=["GET", "POST"])
@access.organisers
def edit_topic(slug: str, topic_id: int) -> ResponseReturnValue:
    """Reword a topic."""
    conference = queries.conference_here(access.account(), slug)
    topic = found(queries.topic_of(conference, topic_id))
    form = TopicForm(obj=topic)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_topic(conference, topic, form.title.data)
            return pages.done("conferences.show_topics", _("The topic has been saved."), slug=slug)
    return pages.show("conferences/edit_topic.html", form=form, conference=conference, topic=topic)


@bp.post("/conferences/<slug>/topics/<int:topic_id>/removal")
@access.organisers
def remove_topic(slug: str, topic_id: int) -> ResponseReturnValue:
    """Take a topic off the list."""
    conference = queries.conference_here(access.account(), slug)
    operations.remove_topic(found(queries.topic_of(conference, topic_id)))
    return pages.done("conferences.show_topics", _("The topic has been removed."), slug=slug)
