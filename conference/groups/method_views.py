"""Pages on which organisers say how groups are formed: method, order of the goals, rules."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from ..agenda.queries import breakout_items
from ..conferences.models import Conference
from ..conferences.queries import conference_here, topics_of
from ..kit import access, clock, forms, pages
from ..kit.layout import belongs
from ..providers.models import Contact, Side
from ..registrations.queries import participants, wishes_of
from . import advising, bp, forming, method_queries, methods, queries, tasks
from .method_forms import AimForm, MethodForm, RuleForm
from .models import Aim, GroupsRule, Method, RuleKind

belongs(
    "groups.show_groups", "groups.choose_method", "groups.show_rules", "groups.add_rule", "groups.change_aim",
)  # fmt: skip


@bp.route("/conferences/<slug>/groups/method", methods=["GET", "POST"])
@access.organisers
def choose_method(slug: str) -> ResponseReturnValue:
    """Choose the method and the number of tables; with the second button the groups are formed at once."""
    account = access.account()
    conference, form = conference_here(account, slug), MethodForm()
    if forms.submitted(form):
        with pages.refusals(form):
            method = Method(form.method.data)
            methods.choose_method(conference, method, form.tables.data, form.started_from)
            if method is Method.OPEN_SPACE:
                return pages.done("groups.show_market", _("The method has been saved."), slug=slug)
            if request.form.get("step") != "form":
                return pages.done("groups.choose_method", _("The method has been saved."), slug=slug)
            asked = forming.ask(conference, form.tables.data or 0, account, at=clock.now())
            return pages.done("groups.show_forming", slug=slug, forming_id=asked.id)
    return _method_page(conference_here(access.account(), slug), form)


def _method_page(conference: Conference, form: MethodForm) -> ResponseReturnValue:
    people, setting = participants(conference), method_queries.setting_of(conference)
    now = {name for names in queries.tables_by_round(conference).values() for name in names}
    topics = len(topics_of(conference))
    suggested = {method: method_queries.tables_for(method, len(people), topics) for method in Method}
    if not form.is_submitted():
        form.method.data = setting.method.value
        form.tables.data = _count(conference, len(people), now)
        form.version.data = setting.version
    tables = form.tables.data or _count(conference, len(people), now)
    rules = method_queries.rules_of(conference)
    hosts = method_queries.hosts_of(conference, rules)
    return pages.show(
        "groups/choose_method.html",
        form=form,
        conference=conference,
        setting=setting,
        people=people,
        rounds=len(breakout_items(conference)),
        hints=_hints(suggested, len(people)),
        left_out=[aim for aim in Aim if aim not in setting.aims],
        wishing=len(wishes_of(conference)),
        topics=topics,
        rules=len(rules),
        bare=method_queries.without_host(method_queries.table_names(tables), hosts, people),
        tables=tables,
        advice=advising.lines_for(conference, people, len(breakout_items(conference)), tables),
        largest=advising.largest_house(people),
    )


def _hints(suggested: dict[Method, int], people: int) -> dict[str, str]:
    """One sentence for each method, and the number of tables that suits it."""
    sentences = {
        Method.WORKING_GROUPS: _("Mixed anew in each round; every table has its topic."),
        Method.WORLD_CAFE: _(
            "A host stays at each table and sums up; everybody else moves on each round and meets as many new people as possible."
        ),
        Method.OPEN_SPACE: _(
            "Participants bring their concerns and choose a group themselves on their personal page, and may change at any time."
        ),
        Method.CHANCE: _("Drawn by lot, within the rules and the sizes of the rooms."),
        Method.WISHES: _("Everybody comes to the topics they wished for, as fairly as possible."),
    }
    said = {}
    for method, sentence in sentences.items():
        count = ngettext("%(num)d table would suit.", "%(num)d tables would suit.", suggested[method])
        said[method.value] = sentence if method is Method.OPEN_SPACE or not people else f"{sentence} {count}"
    return said


@bp.post("/conferences/<slug>/groups/goals")
@access.organisers
def change_aim(slug: str) -> ResponseReturnValue:
    """Move a goal up or down, leave it out, take it in, or go back to the method's own order."""
    conference, form = conference_here(access.account(), slug), AimForm().offer()
    page = MethodForm(formdata=None)
    if not forms.submitted(form):
        page.form_errors.append(_("Please choose one of the goals."))
        return _method_page(conference, page)
    with pages.refusals(page):
        aim = Aim(form.aim.data)
        methods.change_aim(conference, aim, form.step.data, form.started_from)
        said = {
            "out": _("“%(goal)s” does not count any more.", goal=aim.label),
            "own": _("The goals stand in the order of the method again."),
        }
        message = said.get(form.step.data, _("The order of the goals has been saved."))
        return pages.done("groups.choose_method", message, slug=slug, _anchor="goals")
    return _method_page(conference_here(access.account(), slug), page)


# -- rules ----------------------------------------------------------------


@bp.get("/conferences/<slug>/groups/rules")
@access.organisers
def show_rules(slug: str) -> ResponseReturnValue:
    """The rules as sentences; with `?kind=` the questions of a new one."""
    conference = conference_here(access.account(), slug)
    known = {kind.value: kind for kind in RuleKind}
    kind = known.get(request.args.get("kind", ""))
    return _rules_page(conference, kind, _asked(conference, kind) if kind else None)


@bp.post("/conferences/<slug>/groups/rules")
@access.organisers
def add_rule(slug: str) -> ResponseReturnValue:
    """Add a rule."""
    account = access.account()
    conference = conference_here(account, slug)
    kind = {one.value: one for one in RuleKind}.get(request.form.get("kind", ""))
    if kind is None:
        page = RuleForm(formdata=None)
        page.form_errors.append(_("Please choose what kind of rule it is."))
        return _rules_page(conference, None, page)
    form = _asked(conference, kind)
    if forms.submitted(form):
        with pages.refusals(form):
            attribute, _colon, value = form.value("trait").partition(":")
            new = methods.NewRule(
                kind,
                form.named,
                form.value("table"),
                int(form.value("round")) if form.value("round") else None,
                (attribute, value),
            )
            rule = methods.add_rule(conference, new, account, at=clock.now())
            return pages.done(
                "groups.show_rules",
                _("The rule has been added. It holds when the groups are formed the next time."),
                slug=slug,
                _anchor=f"rule-{rule.id}",
            )
    return _rules_page(conference_here(access.account(), slug), kind, form)


def _asked(conference: Conference, kind: RuleKind) -> RuleForm:
    """The form of one kind of rule with everything that can be chosen."""
    form = RuleForm().ask(kind)
    form.kind.data = kind.value
    people = participants(conference)
    offered = [(contact.id, f"{contact.name}, {contact.provider.name}") for contact in people]
    for field in form.people_fields:
        field.offer(offered)
    if "table" in form:
        form.table.offer((name, name) for name in _tables(conference, len(people)))
    if "round" in form:
        form.round.offer(
            (str(number), _("in round %(number)d", number=number))
            for number in range(1, len(breakout_items(conference)) + 1)
        )
    if "trait" in form:
        form.trait.offer(_traits(people))
    return form


def _tables(conference: Conference, people: int) -> list[str]:
    """The tables that there are, and those of the number that was chosen."""
    now = {name for names in queries.tables_by_round(conference).values() for name in names}
    return sorted({*method_queries.table_names(_count(conference, people, now)), *now})


def _count(conference: Conference, people: int, now: set[str]) -> int:
    """The number of tables that was chosen, else of those that there are, else one that suits."""
    setting = method_queries.setting_of(conference)
    usual = method_queries.tables_for(setting.method, people, len(topics_of(conference)))
    return setting.tables or len(now) or usual


def _traits(people: list[Contact]) -> list[tuple[str, Any]]:
    """Sides, teams and functions of the people who take part."""
    sides = [(f"side:{side.value}", side.label) for side in Side if any(p.side is side for p in people)]
    teams = sorted({contact.team for contact in people if contact.team})
    functions = sorted({contact.function for contact in people if contact.function})
    return [
        *sides,
        *((f"team:{team}", _("Team %(name)s", name=team)) for team in teams),
        *((f"function:{name}", _("Function: %(name)s", name=name)) for name in functions),
    ]


def _rules_page(conference: Conference, kind: RuleKind | None, form: RuleForm | None) -> ResponseReturnValue:
    present = {contact.id for contact in participants(conference)}
    rules = method_queries.rules_of(conference)
    return pages.show(
        "groups/show_rules.html",
        form=form,
        conference=conference,
        setting=method_queries.setting_of(conference),
        kinds=_kinds(),
        kind=kind,
        rules=[(rule, tasks.rule_sentence(rule), _gone(rule, present)) for rule in rules],
        unformed=queries.latest_forming(conference) is not None and _differ(conference, rules),
    )


def _kinds() -> list[tuple[RuleKind, str]]:
    """What organisers may say, as the beginning of a sentence."""
    words = {
        RuleKind.TOGETHER: _("These people sit together"),
        RuleKind.APART: _("These people do not sit together"),
        RuleKind.HOST: _("This person hosts a table"),
        RuleKind.AT: _("This person sits at this table"),
        RuleKind.NOT_AT: _("This person does not sit at this table"),
        RuleKind.ABSENT: _("This person is not there in a round"),
        RuleKind.EVERYWHERE: _("At least one from a team, side or function at every table"),
    }
    return list(words.items())


def _gone(rule: GroupsRule, present: set[int]) -> list[str]:
    """Names of those who do not take part any more."""
    return [one.contact.name for one in rule.people if one.contact_id not in present]


def _differ(conference: Conference, rules: list[GroupsRule]) -> bool:
    """True when the groups that stand were formed with other rules than those of now."""
    formed = queries.latest_forming(conference)
    kept = set() if formed is None else set(formed.setting.get("rules", ()))
    return kept != {rule.id for rule in rules}


@bp.post("/conferences/<slug>/groups/rules/<int:rule_id>/removal")
@access.organisers
def remove_rule(slug: str, rule_id: int) -> ResponseReturnValue:
    """Take a rule away."""
    methods.remove_rule(conference_here(access.account(), slug), rule_id)
    return pages.done("groups.show_rules", _("The rule has been removed."), slug=slug, _anchor="rules")


@bp.post("/conferences/<slug>/groups/rules/spread")
@access.organisers
def switch_spread(slug: str) -> ResponseReturnValue:
    """Switch the automatic rule for agency people and teams on or off."""
    on = request.form.get("step") == "on"
    methods.switch_spread(conference_here(access.account(), slug), on)
    message = _("The automatic rule holds again.") if on else _("The automatic rule does not hold any more.")
    return pages.done("groups.show_rules", message, slug=slug, _anchor="rules")


@bp.post("/conferences/<slug>/groups/hosts")
@access.organisers
def name_hosts(slug: str) -> ResponseReturnValue:
    """Name a host for each table that has none."""
    account = access.account()
    conference, form = conference_here(account, slug), MethodForm(formdata=None)
    with pages.refusals(form):
        now = {name for names in queries.tables_by_round(conference).values() for name in names}
        tables = _count(conference, len(participants(conference)), now)
        count = methods.name_hosts(conference, tables, account, at=clock.now())
        message = ngettext("%(num)d host has been named.", "%(num)d hosts have been named.", count)
        return pages.done("groups.show_rules", message, slug=slug, _anchor="rules")
    return _method_page(conference_here(access.account(), slug), form)


def rule_links(conference: Conference, sources: list[str]) -> list[tuple[str, str]]:
    """Where the rules are that a contradiction names: words and address, each place once."""
    links, page = {}, url_for("groups.show_rules", slug=conference.slug)
    places = {str(rule.id): place for place, rule in enumerate(method_queries.rules_of(conference), 1)}
    for source in sources:
        if source == tasks.PIN:
            links[_("Pinned seats on the board")] = url_for("groups.show_groups", slug=conference.slug)
        elif source == tasks.SPREAD:
            links[_("The automatic rule")] = f"{page}#spread"
        elif source in places:
            links[_("Rule %(number)d", number=places[source])] = f"{page}#rule-{source}"
    return list(links.items())
