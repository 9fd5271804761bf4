"""Pages for people at the tables (code, idea) and for moderators (list, clusters, codes, wall)."""

from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from ..conferences.models import Conference
from ..conferences.queries import conference_here
from ..groups import timer
from ..groups.queries import table_names
from ..kit import access, clock, forms, pages
from ..kit.db import found
from ..kit.errors import Missing
from ..kit.layout import belongs
from ..kit.limits import limiter, too_fast
from ..kit.qr import qr_svg
from ..people.queries import Reach, reach_of
from . import bp, operations, queries
from .forms import CodeForm, EditForm, GatherForm, HeadingForm, IdeaForm, ImportForm, MergeForm, PlaceForm
from .models import CapturePoint, Cluster, Idea

belongs(
    "ideas.show_ideas",
    "ideas.edit_idea",
    "ideas.show_codes",
    "ideas.show_clusters",
    "ideas.gather",
    "ideas.place_idea",
    "ideas.edit_cluster",
    "ideas.merge_cluster",
    "ideas.import_ideas",
)

ON_THE_WALL = 40
MOST_OF_ONE_DEVICE = "30 per minute"
MOST_OF_ONE_ADDRESS = "1500 per minute"

# -- at the tables ----------------------------------------------------


@bp.route("/ideas", methods=["GET", "POST"])
@access.public
@limiter.limit("3000 per 10 minutes", methods=["POST"])
def enter_code() -> ResponseReturnValue:
    """Type the short code of a table."""
    form = CodeForm()
    if forms.submitted(form):
        point = queries.point_by_code(form.code.data)
        if point is not None:
            return pages.done("ideas.hand_in_idea", code=point.code)
        form.code.errors = [*form.code.errors, _("We do not know this code. Please look at it again.")]
    return pages.show("ideas/enter_code.html", form=form)


@bp.route("/ideas/<code>", methods=["GET", "POST"])
@access.public
def hand_in_idea(code: str) -> ResponseReturnValue:
    """Hand in an idea, without account and without name. A device that floods has to wait; a hall behind one address has not."""
    point = queries.point_by_code(code)
    if point is None:
        return pages.show("ideas/enter_code.html", form=CodeForm(formdata=None), unknown=True, status=404)
    conference = queries.conference_at(point)
    form = _idea_form(point, conference)
    if forms.submitted(form):
        wait = _seconds_to_wait(conference, form)
        if wait:
            return _slowed_down(point, conference, form, wait)
        with pages.refusals(form):
            idea = operations.hand_in(
                point, form.text.data, form.client_id.data, form.chosen_round_id, at=clock.now()
            )
            return pages.done(
                "ideas.show_received", code=point.code, number=idea.number, round=form.chosen_round_id
            )
        form.renew_client_id()
    return _idea_page(point, conference, form)


def _seconds_to_wait(conference: Conference, form: IdeaForm) -> int:
    # What is only sent again (double tap, queue of the phone) is no flood.
    if queries.idea_by_submission(conference, form.client_id.data) is not None:
        return 0
    return too_fast("ideas", device=MOST_OF_ONE_DEVICE, address=MOST_OF_ONE_ADDRESS)


def _slowed_down(
    point: CapturePoint, conference: Conference, form: IdeaForm, wait: int
) -> ResponseReturnValue:
    form.form_errors.append(_("That was very many ideas at once. Please send this one in a minute."))
    response = _idea_page(point, conference, form, status=429)
    response.headers["Retry-After"] = str(wait)
    return response


def _idea_form(point: CapturePoint, conference: Conference) -> IdeaForm:
    rounds = queries.rounds_for(point, conference)
    form = IdeaForm()
    if request.method == "GET":
        form.renew_client_id()
        asked = request.args.get("round", "")  # after an idea for a round the next one is for the same
        current = queries.current_round(rounds, clock.now())
        now = str(current.id) if current else None
        form.round_id.data = asked if asked in {str(one.id) for one in rounds} else now
    form.offer_rounds(rounds)
    return form


def _idea_page(
    point: CapturePoint, conference: Conference, form: IdeaForm, status: int | None = None
) -> Response:
    rounds = queries.rounds_for(point, conference)
    now = queries.current_round(rounds, clock.now())
    return pages.show(
        "ideas/hand_in_idea.html",
        form=form,
        status=status,
        point=point,
        event=conference,
        question=queries.focus_question_at(point, conference, now),
        sheet_round=now.number if now else None,
        is_open=queries.is_open(conference),
        time=timer.time_shown(conference, clock.now()) if point.table else None,
    )


@bp.get("/ideas/<code>/time")
@access.public
def show_table_time(code: str) -> ResponseReturnValue:
    """The time of the round for everybody at a table; the page of the table renews its clock from here."""
    point = found(queries.point_by_code(code))
    conference = queries.conference_at(point)
    return pages.show(
        "groups/show_my_time.html",
        event=conference,
        point=point,
        time=timer.time_shown(conference, clock.now()),
    )


@bp.get("/ideas/<code>/received/<int:number>")
@access.public
def show_received(code: str, number: int) -> ResponseReturnValue:
    """The reference number; the same after every repetition of the same submission."""
    point = found(queries.point_by_code(code))
    conference = queries.conference_at(point)
    found(queries.idea_by_number(conference, number))
    return pages.show("ideas/show_received.html", point=point, event=conference, number=number)


# -- the list ---------------------------------------------------------


def _reach(conference: Conference) -> Reach:
    """Which tables the visitor reaches: all, or a facilitator's own."""
    return reach_of(access.account(), conference, everywhere=access.visitor().works_at_all_tables)


def _is_own(idea: Idea, reach: Reach) -> bool:
    # What came from the plenary is nobody's table.
    is_of_table = bool(idea.table) and reach.covers(idea.round.number if idea.round else None, idea.table)
    return reach.everywhere or is_of_table


def _own_idea(slug: str, idea_id: int) -> Idea:
    conference = conference_here(access.account(), slug)
    idea = found(queries.idea_of(conference, idea_id))
    if not _is_own(idea, _reach(conference)):
        raise Missing
    return idea


def _asked() -> dict[str, str]:
    """The filter in the address, so that a button leads back to the same list."""
    return {name: request.args[name] for name in ("by", "show", "words", "table") if request.args.get(name)}


@bp.get("/conferences/<slug>/ideas")
@access.moderators
def show_ideas(slug: str) -> ResponseReturnValue:
    """All ideas by round and table or by cluster; a facilitator's own tables."""
    conference = conference_here(access.account(), slug)
    asked, reach = _asked(), _reach(conference)
    ideas = [idea for idea in queries.ideas_of(conference, hidden=True) if _is_own(idea, reach)]
    wanted = queries.Filter(asked.get("show", "all"), asked.get("words", "")[:200], asked.get("table"))
    listed = [idea for idea in ideas if wanted.lets_through(idea)]
    if asked.get("by") == "cluster":
        clusters = queries.clusters_of(conference)
        heaps = [heap for heap in queries.heaps_by_cluster(listed, clusters) if heap.ideas]
    else:
        heaps = queries.heaps_by_table(listed)
    return pages.show(
        "ideas/show_ideas.html",
        conference=conference,
        ideas=ideas,
        heaps=heaps,
        asked=asked,
        reach=reach,
        tables=[name for name in table_names(conference) if reach.covers_some(name)],
        collection=queries.collection_of(conference),
    )


@bp.route("/conferences/<slug>/ideas/<int:idea_id>", methods=["GET", "POST"])
@access.moderators
def edit_idea(slug: str, idea_id: int) -> ResponseReturnValue:
    """Correct the words of an idea; what was typed stays."""
    idea = _own_idea(slug, idea_id)
    conference = conference_here(access.account(), slug)
    form = EditForm(obj=idea)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_idea(idea, form.text.data, form.started_from, at=clock.now())
            return _back_to(idea, _("The idea has been saved."), slug)
    return pages.show("ideas/edit_idea.html", form=form, conference=conference, idea=idea)


def _back_to(idea: Idea, message: str, slug: str) -> ResponseReturnValue:
    return pages.done("ideas.show_ideas", message, slug=slug, _anchor=f"idea-{idea.id}", **_asked())


@bp.post("/conferences/<slug>/ideas/<int:idea_id>/hiding")
@access.moderators
def hide_idea(slug: str, idea_id: int) -> ResponseReturnValue:
    """Take an idea from the wall."""
    idea = _own_idea(slug, idea_id)
    operations.hide(idea, at=clock.now())
    return _back_to(idea, _("Idea no. %(number)d is hidden.", number=idea.number), slug)


@bp.post("/conferences/<slug>/ideas/<int:idea_id>/showing")
@access.moderators
def unhide_idea(slug: str, idea_id: int) -> ResponseReturnValue:
    """Show a hidden idea again."""
    idea = _own_idea(slug, idea_id)
    operations.unhide(idea)
    return _back_to(idea, _("Idea no. %(number)d is visible again.", number=idea.number), slug)


@bp.route("/conferences/<slug>/ideas/import", methods=["GET", "POST"])
@access.organisers
@forms.accepts_bytes(6 * forms.MEGABYTE)
def import_ideas(slug: str) -> ResponseReturnValue:
    """Take ideas from a file."""
    conference = conference_here(access.account(), slug)
    form = ImportForm()
    outcome = None
    if forms.submitted(form):
        file = form.file.data
        outcome = operations.import_ideas(conference, file.read(), file.filename or "", at=clock.now())
        if not outcome.problems:
            return pages.done("ideas.show_ideas", _import_words(outcome), slug=slug)
        form.file.errors = [
            *form.file.errors,
            _("Nothing was taken from this file. Please correct the rows below."),
        ]
    return pages.show("ideas/import_ideas.html", form=form, conference=conference, outcome=outcome)


def _import_words(outcome: operations.IdeaImport) -> str:
    words = ngettext("%(num)d idea has been added.", "%(num)d ideas have been added.", outcome.imported)
    if outcome.known:
        words += " " + ngettext("%(num)d was there already.", "%(num)d were there already.", outcome.known)
    return words


# -- collection and codes ---------------------------------------------


@bp.post("/conferences/<slug>/ideas/opening")
@access.organisers
def open_collection(slug: str) -> ResponseReturnValue:
    """Begin to take ideas."""
    operations.open_collection(conference_here(access.account(), slug), at=clock.now())
    return pages.done("ideas.show_ideas", _("Ideas are now being collected."), slug=slug)


@bp.post("/conferences/<slug>/ideas/closure")
@access.organisers
def close_collection(slug: str) -> ResponseReturnValue:
    """Take no more ideas."""
    operations.close_collection(conference_here(access.account(), slug), at=clock.now())
    return pages.done("ideas.show_ideas", _("The collection is closed."), slug=slug)


@bp.get("/conferences/<slug>/ideas/codes")
@access.organisers
def show_codes(slug: str) -> ResponseReturnValue:
    """QR codes and short codes of the plenary and the tables."""
    conference = conference_here(access.account(), slug)
    return pages.show(
        "ideas/show_codes.html",
        conference=conference,
        points=[_shown(point) for point in queries.points_of(conference)],
        missing=queries.tables_without_code(conference),
        entry=pages.absolute("ideas.enter_code"),
    )


def _shown(point: CapturePoint) -> dict[str, Any]:
    url = pages.absolute("ideas.hand_in_idea", code=point.code)
    return {"table": point.table, "code": point.code, "url": url, "svg": qr_svg(url)}


@bp.post("/conferences/<slug>/ideas/codes")
@access.organisers
def make_codes(slug: str) -> ResponseReturnValue:
    """Make the missing codes; known ones stay."""
    operations.points_for(conference_here(access.account(), slug))
    return pages.done("ideas.show_codes", _("Every table has its code."), slug=slug)


# -- clusters ---------------------------------------------------------


@bp.get("/conferences/<slug>/clusters")
@access.organisers
def show_clusters(slug: str) -> ResponseReturnValue:
    """Sort ideas into clusters."""
    conference = conference_here(access.account(), slug)
    form = GatherForm(formdata=None)
    form.offer_clusters(queries.clusters_of(conference))
    return _clusters_page(conference, form)


def _clusters_page(
    conference: Conference, form: Any, gather_form: GatherForm | None = None
) -> ResponseReturnValue:
    heaps = queries.by_cluster(conference)
    ideas = [idea for heap in heaps for idea in heap.ideas]
    if gather_form is None and not isinstance(form, GatherForm):
        gather_form = GatherForm(formdata=None)
        gather_form.offer_clusters(heap.cluster for heap in heaps if heap.cluster)
    return pages.show(
        "ideas/show_clusters.html",
        conference=conference,
        form=form,
        gather_form=gather_form or form,
        heaps=heaps,
        by_id={idea.id: idea for idea in ideas},
        hints=queries.likenesses(ideas),
        ticked=set(request.form.getlist("idea")),
    )


@bp.post("/conferences/<slug>/clusters/placements")
@access.organisers
def gather(slug: str) -> ResponseReturnValue:
    """Put the ticked ideas into a cluster, or make a new cluster of them."""
    conference = conference_here(access.account(), slug)
    form = GatherForm()
    form.offer_clusters(queries.clusters_of(conference))
    chosen = _ticked_ideas(conference)
    if chosen is None or (not chosen and not form.heading.data):
        form.form_errors.append(_("Please tick at least one idea."))
    if forms.submitted(form):
        with pages.refusals(form):
            cluster = operations.make_cluster(conference, form.heading.data) if form.heading.data else None
            cluster = cluster or found(queries.cluster_of(conference, int(form.cluster.data)))
            for idea, version in chosen or []:
                operations.put_into(idea, cluster, version)
            message = _gathered(len(chosen or []), cluster.heading)
            return pages.done("ideas.show_clusters", message, slug=slug, _anchor=f"cluster-{cluster.id}")
    return _clusters_page(conference, form)


def _gathered(count: int, heading: str) -> str:
    if not count:
        return _("The cluster “%(heading)s” has been made.", heading=heading)
    return ngettext(
        "%(num)d idea is now in “%(heading)s”.",
        "%(num)d ideas are now in “%(heading)s”.",
        count,
        heading=heading,
    )


def _ticked_ideas(conference: Conference) -> list[tuple[Idea, int]] | None:
    """The ticked ideas with the version that was seen ("17-3"); None when a value is none of ours."""
    known = {str(idea.id): idea for idea in queries.ideas_of(conference, hidden=True)}
    chosen = []
    for value in request.form.getlist("idea"):
        number, _dash, version = value.partition("-")
        if number not in known or not (version.isascii() and version.isdigit() and len(version) < 10):
            return None
        chosen.append((known[number], int(version)))
    return chosen


@bp.post("/conferences/<slug>/ideas/<int:idea_id>/placement")
@access.organisers
def place_idea(slug: str, idea_id: int) -> ResponseReturnValue:
    """Put one idea into a cluster, or take it out."""
    conference = conference_here(access.account(), slug)
    idea = found(queries.idea_of(conference, idea_id))
    form = PlaceForm(prefix="")
    form.offer_clusters(queries.clusters_of(conference))
    if forms.submitted(form):
        with pages.refusals(form):
            cluster = (
                found(queries.cluster_of(conference, int(form.cluster.data))) if form.cluster.data else None
            )
            operations.put_into(idea, cluster, form.started_from)
            place = cluster.heading if cluster else _("no cluster")
            message = _("Idea no. %(number)d: %(place)s.", number=idea.number, place=place)
            return pages.done("ideas.show_clusters", message, slug=slug, _anchor=f"idea-{idea.id}")
    return _clusters_page(conference, form)


@bp.route("/conferences/<slug>/clusters/<int:cluster_id>", methods=["GET", "POST"])
@access.organisers
def edit_cluster(slug: str, cluster_id: int) -> ResponseReturnValue:
    """Rename a cluster; from here it can also be merged or dissolved."""
    conference = conference_here(access.account(), slug)
    cluster = found(queries.cluster_of(conference, cluster_id))
    form = HeadingForm(obj=cluster)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.rename_cluster(conference, cluster, form.heading.data, form.started_from)
            return pages.done("ideas.show_clusters", _("The heading has been saved."), slug=slug)
    return _cluster_page(conference, cluster, form)


def _cluster_page(conference: Conference, cluster: Cluster, form: HeadingForm | MergeForm) -> Response:
    merge_form = form if isinstance(form, MergeForm) else _merge_form(conference, cluster, formdata=None)
    heading_form = form if isinstance(form, HeadingForm) else HeadingForm(formdata=None, obj=cluster)
    return pages.show(
        "ideas/edit_cluster.html",
        form=form,
        heading_form=heading_form,
        merge_form=merge_form,
        conference=conference,
        cluster=cluster,
        ideas=queries.ideas_in(cluster),
    )


def _merge_form(conference: Conference, cluster: Cluster, **how: Any) -> MergeForm:
    form = MergeForm(**how)
    form.offer_clusters(other for other in queries.clusters_of(conference) if other.id != cluster.id)
    return form


@bp.post("/conferences/<slug>/clusters/<int:cluster_id>/merger")
@access.organisers
def merge_cluster(slug: str, cluster_id: int) -> ResponseReturnValue:
    """Put all ideas of a cluster into another one."""
    conference = conference_here(access.account(), slug)
    cluster = found(queries.cluster_of(conference, cluster_id))
    form = _merge_form(conference, cluster)
    if forms.submitted(form):
        with pages.refusals(form):
            into = found(queries.cluster_of(conference, int(form.into.data)))
            moved = operations.merge_clusters(conference, cluster, into)
            message = _merged(moved, into.heading)
            return pages.done("ideas.show_clusters", message, slug=slug, _anchor=f"cluster-{into.id}")
    return _cluster_page(conference, cluster, form)


def _merged(count: int, heading: str) -> str:
    return ngettext(
        "The clusters are one: %(num)d idea has come into “%(heading)s”.",
        "The clusters are one: %(num)d ideas have come into “%(heading)s”.",
        count,
        heading=heading,
    )


@bp.post("/conferences/<slug>/clusters/<int:cluster_id>/dissolution")
@access.organisers
def dissolve_cluster(slug: str, cluster_id: int) -> ResponseReturnValue:
    """Dissolve a cluster; its ideas stay."""
    conference = conference_here(access.account(), slug)
    operations.dissolve_cluster(conference, found(queries.cluster_of(conference, cluster_id)))
    return pages.done(
        "ideas.show_clusters", _("The cluster has been dissolved; its ideas are still here."), slug=slug
    )


# -- the wall ---------------------------------------------------------


@bp.get("/conferences/<slug>/wall")
@access.organisers
def show_wall(slug: str) -> ResponseReturnValue:
    """The projector: what came in, how to take part. No form, so that an unchanged wall is answered with 304."""
    conference = conference_here(access.account(), slug)
    table = request.args.get("table", "")
    heaps = queries.by_cluster(conference)
    ideas = [idea for heap in heaps for idea in heap.ideas if not table or idea.table == table]
    ideas.sort(key=lambda idea: -idea.number)
    point = (queries.point_of(conference, table) if table else None) or queries.point_of(conference, "")
    response = pages.show(
        "ideas/show_wall.html",
        conference=conference,
        ideas=ideas,
        most=ON_THE_WALL,
        clusters=[heap for heap in heaps if heap.cluster],
        loose=heaps[0].ideas,
        point=_shown(point) if point else None,
        table=table,
        is_open=queries.is_open(conference),
        **_wall_state(),
    )
    return pages.polled(response)


def _wall_state() -> dict[str, Any]:
    """How the wall is shown, and an address builder that keeps it."""
    size = request.args.get("size", "")
    state = {
        "size": size if size in {"1", "2", "3", "4", "5"} else None,
        "table": request.args.get("table") or None,
        "view": "clusters" if request.args.get("view") == "clusters" else None,
        "paused": "1" if request.args.get("paused") == "1" else None,
    }

    def wall_url(**change: str | None) -> str:
        values: dict[str, Any] = {**(request.view_args or {}), **state, **change}
        return url_for("ideas.show_wall", **values)

    return {
        "wall_url": wall_url,
        "wall_size": int(state["size"] or 3),
        "view": state["view"],
        "paused": state["paused"],
    }
