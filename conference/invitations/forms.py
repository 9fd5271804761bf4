"""What is asked of a letter; people are asked by the forms of providers."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import ValidationError

from ..core import letters
from ..kit.forms import Line, Paragraph, Pick, VersionedForm


class LetterForm(VersionedForm):
    """The words of a letter, and as whom to look at it."""

    subject = Line(_l("Subject"), required=True, max_length=150)
    body = Paragraph(_l("Text"), required=True, max_length=10_000, render_kw={"rows": 26})
    recipient = Pick(_l("Preview as"), blank=_l("nobody"))

    def validate_subject(self, field: Line) -> None:
        self._refuse(field, "subject")

    def validate_body(self, field: Paragraph) -> None:
        self._refuse(field, "body")

    def _refuse(self, field: Line | Paragraph, place: str) -> None:
        if field.errors:
            return
        found = letters.problems_of(self.subject.data or "", self.body.data or "")
        sentences = [explain(problem) for problem in found if problem.place == place]
        if sentences:
            raise ValidationError(" ".join(sentences))


def explain(problem: letters.Problem) -> str:
    """The sentence for a letter that would misfire, with the line where it does."""
    sentences = {
        "unknown": _("there is no placeholder {%(name)s}; the list below shows all.", name=problem.name),
        "brace": _("a brace stands alone; placeholders are written {like_this}."),
        "secret": _("this is the link of one person. Write {link} instead: everybody gets their own."),
        "link_in_subject": _("the personal link must not be in the subject."),
        "link_missing": _("The placeholder {link} is missing; without it nobody can answer."),
    }
    sentence = sentences[problem.code]
    return (
        _("Line %(line)d: %(sentence)s", line=problem.line, sentence=sentence) if problem.line else sentence
    )
