"""Forms: one way in for text (cleaned once, here), clear messages, files with limits."""

import unicodedata
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeVar

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import ValidationError

from ..core.text import BadText, canonical_email, clean_text
from . import once
from .errors import Refused

F = TypeVar("F", bound=Callable[..., Any])

MEGABYTE = 1024 * 1024
REORDERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


class Form(FlaskForm):
    """Base of all forms: `refused` holds the rule that said no, form_errors what concerns no single field."""

    refused: Refused | None = None

    def validate(self, extra_validators: Any = None) -> bool:
        good: bool = super().validate(extra_validators)
        if len(request.form) > 2000:
            self.form_errors.append(_("The form has too many fields."))
            good = False
        if once.was_sent_before():
            self.form_errors.append(
                _("This form was sent before, with other content. Please look at it and send it once more.")
            )
        return good and not self.form_errors


class VersionedForm(Form):
    """A form that edits something: carries the version that it started from."""

    version = HiddenField()

    @property
    def started_from(self) -> int | None:
        """The version the person saw; None when it is missing or no number (then nothing may be overwritten)."""
        try:
            return int(self.version.data)
        except (TypeError, ValueError):
            return -1


def submitted(form: Form) -> bool:
    """True when the form was sent and its input is good."""
    return bool(form.validate_on_submit())


def explain(error: BadText, limit: int) -> str:
    """The sentence for a text that was refused."""
    if error.code == "too_long":
        return str(
            ngettext("Please use at most %(num)d character.", "Please use at most %(num)d characters.", limit)
        )
    words: dict[str, str] = {
        "blank": _("Please fill this in."),
        "newline": _("Please write this on one line."),
        "bidi": _(
            "This text holds hidden characters that change the reading direction. Please type it again."
        ),
    }
    other = _("This text holds characters that cannot be stored. Please type it again.")
    return str(words.get(str(error.code), other))


def shown_again(text: str) -> str:
    """What was typed, fit for a page: characters that no page may hold become visible replacement characters."""
    return "".join("\ufffd" if _is_unprintable(character) else character for character in text)


def _is_unprintable(character: str) -> bool:
    if character in "\n\r\t":
        return False
    return (
        unicodedata.category(character) in {"Cc", "Cs", "Cn"}
        or unicodedata.bidirectional(character) in REORDERING
    )


class _Cleaned:
    """Mixin: cleans what was sent; an error keeps the input as it was."""

    multiline = False
    data: Any

    def __init__(
        self, label: Any = None, *, required: bool = False, max_length: int = 200, **kwargs: Any
    ) -> None:
        super().__init__(label, **kwargs)  # type: ignore[call-arg]
        self.required, self.max_length = required, max_length
        if required:
            self.flags.required = True  # type: ignore[attr-defined]

    def pre_validate(self, form: Form) -> None:
        raw = self.data or ""
        try:
            text = clean_text(raw, multiline=self.multiline, max_length=self.max_length)
        except BadText as error:
            if error.code == "blank" and not self.required:
                self.data = ""
                return
            self.data = shown_again(raw)
            raise ValidationError(explain(error, self.max_length)) from error
        if not text and self.required:
            raise ValidationError(_("Please fill this in."))
        self.data = text


class Line(_Cleaned, StringField):
    """One line of text."""


class Paragraph(_Cleaned, TextAreaField):
    """Several lines of text."""

    multiline = True


class EmailLine(_Cleaned, StringField):
    """An e-mail address, kept in its canonical form."""

    def pre_validate(self, form: Form) -> None:
        super().pre_validate(form)
        if not self.data:
            return
        try:
            self.data, _key = canonical_email(self.data)
        except (BadText, ValueError) as error:
            raise ValidationError(_("Please write an e-mail address such as name@example.org.")) from error


class Day(DateField):
    """A date; dates outside 2000–2100 are typing errors."""

    data: Any

    def __init__(self, label: Any = None, *, required: bool = True, **kwargs: Any) -> None:
        super().__init__(label, format=["%Y-%m-%d", "%d.%m.%Y"], **kwargs)
        self.required = required

    def process_formdata(self, valuelist: list[str]) -> None:
        self.raw_data = [shown_again(value) for value in valuelist]
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            super().process_formdata([valuelist[0].strip()])
        except ValueError as error:
            self.data = None
            raise ValueError(_("Please write a date that exists, such as 06.06.2023.")) from error

    def pre_validate(self, form: Form) -> None:
        if self.process_errors:
            return
        if self.data is None and self.required:
            raise ValidationError(_("Please give a date."))
        if self.data is not None and not EARLIEST <= self.data <= LATEST:
            raise ValidationError(_("Please write a date between 2000 and 2100."))


class Clock(TimeField):
    """A time of day."""

    data: Any

    def __init__(self, label: Any = None, *, required: bool = True, **kwargs: Any) -> None:
        super().__init__(label, format=["%H:%M", "%H:%M:%S"], **kwargs)
        self.required = required

    def process_formdata(self, valuelist: list[str]) -> None:
        self.raw_data = [shown_again(value) for value in valuelist]
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            super().process_formdata([valuelist[0].strip()])
        except ValueError as error:
            self.data = None
            raise ValueError(_("Please write a time such as 09:30.")) from error

    def pre_validate(self, form: Form) -> None:
        if not self.process_errors and self.data is None and self.required:
            raise ValidationError(_("Please give a time."))


class Whole(IntegerField):
    """A whole number within bounds."""

    data: Any

    def __init__(
        self, label: Any = None, *, minimum: int, maximum: int, required: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(label, **kwargs)
        self.minimum, self.maximum, self.required = minimum, maximum, required

    def process_formdata(self, valuelist: list[str]) -> None:
        self.raw_data = [shown_again(value) for value in valuelist]
        text = valuelist[0].strip() if valuelist else ""
        self.data = None
        digits = text.removeprefix("-")
        if text and not (digits.isascii() and digits.isdigit() and len(text) <= 9):
            raise ValueError(_("Please write a whole number."))
        if text:
            self.data = int(text)

    def pre_validate(self, form: Form) -> None:
        if self.process_errors:
            return
        if self.data is None:
            if self.required:
                raise ValidationError(_("Please give a number."))
            return
        if not self.minimum <= self.data <= self.maximum:
            raise ValidationError(
                _("Please write a number from %(low)d to %(high)d.", low=self.minimum, high=self.maximum)
            )


def _stored_value(value: Any) -> str:
    """What a choice is called in the database and on the form: an enum by its value."""
    return str(getattr(value, "value", value))


class Pick(SelectField):
    """One of several; choices are passed in. `blank` offers an empty first choice that becomes None."""

    data: Any

    def __init__(self, label: Any = None, *, blank: Any = None, **kwargs: Any) -> None:
        super().__init__(label, choices=[], validate_choice=False, coerce=_stored_value, **kwargs)
        self.blank = blank

    def offer(self, choices: Iterable[tuple[Any, Any]]) -> None:
        """Set the choices as (value, label)."""
        listed = [(str(value), label) for value, label in choices]
        self.choices = ([("", self.blank)] if self.blank is not None else []) + listed

    def pre_validate(self, form: Form) -> None:
        if not self.data:
            self.data = None
            if self.blank is None:
                raise ValidationError(_("Please choose one."))
        elif self.data not in {value for value, _label in self.choices}:
            raise ValidationError(_("Please choose one of the offered answers."))


class Tick(BooleanField):
    """A checkbox; always unticked until the person ticks it."""

    def __init__(self, label: Any = None, *, must: Any = None, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.must = must

    def pre_validate(self, form: Form) -> None:
        if self.must is not None and not self.data:
            raise ValidationError(self.must)


def accepts_bytes(limit: int) -> Callable[[F], F]:
    """Let a view take a larger body than the house's 256 kB."""

    def mark(view: F) -> F:
        view.max_content_length = limit  # type: ignore[attr-defined]
        return view

    return mark


PLEASE = _l("Please fill this in.")
