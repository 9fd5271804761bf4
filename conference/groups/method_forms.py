"""How groups are formed, and the rules, each kind with just the questions that it needs."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField
from wtforms.validators import ValidationError

from ..kit.forms import Form, Pick, VersionedForm, Whole
from .method_queries import MOST_TABLES
from .models import Aim, Method, RuleKind

MOST_NAMED = 6


class MethodForm(VersionedForm):
    """The method and the number of tables."""

    method = RadioField(_l("Method"), choices=[], validate_choice=False)
    tables = Whole(_l("Number of tables"), minimum=1, maximum=MOST_TABLES, required=False)

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self.method.choices = Method.choices()

    def validate_method(self, field: Any) -> None:
        """One of the methods."""
        if field.data not in {method.value for method in Method}:
            raise ValidationError(_("Please choose one of the methods."))

    def validate_tables(self, field: Any) -> None:
        """All methods but the free choice need a number."""
        if field.data is None and self.method.data != Method.OPEN_SPACE.value:
            raise ValidationError(_("Please give a number."))


class AimForm(VersionedForm):
    """A button beside a goal."""

    aim = Pick()
    step = Pick()

    def offer(self) -> "AimForm":
        """What there is to be pressed."""
        self.aim.offer(Aim.choices())
        self.step.offer((step, step) for step in ("up", "down", "out", "in", "own"))
        return self


class RuleForm(Form):
    """All questions that a rule may have; `ask` leaves those of its kind."""

    kind = HiddenField()
    person_1 = Pick(_l("Person"), blank=_l("Please choose"))
    person_2 = Pick(_l("and"), blank=_l("Please choose"))
    person_3 = Pick(_l("and (third person)"), blank=_l("nobody else"))
    person_4 = Pick(_l("and (fourth person)"), blank=_l("nobody else"))
    person_5 = Pick(_l("and (fifth person)"), blank=_l("nobody else"))
    person_6 = Pick(_l("and (sixth person)"), blank=_l("nobody else"))
    trait = Pick(_l("At least one person from"), blank=_l("Please choose"))
    table = Pick(_l("Table"), blank=_l("Please choose"))
    round = Pick(_l("When"), blank=_l("in all rounds"))

    def ask(self, kind: RuleKind) -> "RuleForm":
        """Keep only what this kind of rule asks."""
        for name in list(self._fields):
            if name not in (*ASKED[kind], "kind", "csrf_token"):
                delattr(self, name)
        if kind is RuleKind.ABSENT:
            self.round.blank = _("Please choose")
        return self

    @property
    def people_fields(self) -> list[Any]:
        """The choices of people, in their order."""
        return [field for name, field in self._fields.items() if name.startswith("person_")]

    @property
    def named(self) -> tuple[int, ...]:
        """The people who were chosen."""
        return tuple(int(field.data) for field in self.people_fields if field.data)

    def value(self, name: str) -> str:
        """What was chosen; empty where the kind does not ask."""
        field = self._fields.get(name)
        return "" if field is None else field.data or ""

    def validate(self, extra_validators: Any = None) -> bool:
        """Nobody twice, and nothing left open that the sentence needs."""
        good = super().validate(extra_validators)
        seen: set[str] = set()
        for field in self.people_fields:
            if field.data and field.data in seen:
                field.errors = [*field.errors, _("This person is named twice.")]
                good = False
            seen.add(field.data or "")
        needed = (*NEEDED, "round") if self.kind.data == RuleKind.ABSENT.value else NEEDED
        for name in needed:
            field = self._fields.get(name)
            if field is not None and not field.data and not field.errors:
                field.errors = [*field.errors, _("Please choose one.")]
                good = False
        return good


_PAIR = tuple(f"person_{number}" for number in range(1, MOST_NAMED + 1))
NEEDED = ("person_1", "person_2", "trait", "table")
ASKED: dict[RuleKind, tuple[str, ...]] = {
    RuleKind.TOGETHER: (*_PAIR, "round"),
    RuleKind.APART: (*_PAIR, "round"),
    RuleKind.HOST: ("person_1", "table"),
    RuleKind.AT: ("person_1", "table", "round"),
    RuleKind.NOT_AT: ("person_1", "table", "round"),
    RuleKind.ABSENT: ("person_1", "round"),
    RuleKind.EVERYWHERE: ("trait", "round"),
}
