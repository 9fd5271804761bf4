"""A sample form with every kind of field, for the page of patterns."""

from flask_wtf.file import FileField
from werkzeug.datastructures import MultiDict
from wtforms import RadioField

from ..kit.forms import Clock, Day, EmailLine, Form, Line, Paragraph, Pick, Tick, Whole


class SampleForm(Form):
    """Every kind of field once; the words are samples, therefore not in the catalogue."""

    name = Line("Name", required=True, max_length=80)
    email = EmailLine("E-Mail-Adresse", required=True, description="An diese Adresse schreiben wir.")
    function = Line("Funktion", max_length=80)
    question = Paragraph("Leitfrage", max_length=200, render_kw={"rows": 3})
    day = Day("Tag")
    begin = Clock("Beginn")
    seats = Whole("Plätze", minimum=1, maximum=60)
    side = Pick("Seite", blank="Bitte wählen")
    reply = RadioField(
        "Antwort",
        choices=[("yes", "Ja, ich nehme teil"), ("no", "Nein, ich nehme nicht teil")],
        description="Sie können sie später ändern.",
        validate_choice=True,
    )
    paper = FileField("Datei", description="Excel oder CSV, bis 5 MB.")
    photo = Tick("Ich bin mit Fotos einverstanden.")
    first_dots = Whole("Gemeinsamer Kurskalender", minimum=0, maximum=3)
    second_dots = Whole("Monatliche Sprechstunde", minimum=0, maximum=3)

    def offer_sides(self) -> None:
        """Two sides of the table."""
        self.side.offer([("provider", "Bildungsträger"), ("agency", "Agentur")])


GOOD = {
    "name": "Ada Muster", "email": "ada@traeger.example", "seats": "40", "day": "2023-06-06", "begin": "09:30", "side": "agency",
    "reply": "yes", "first_dots": "2", "second_dots": "0",
}  # fmt: skip
BROKEN = {
    "email": "ada at traeger", "day": "2023-02-30", "begin": "25:00", "seats": "900", "question": "rot\x1b[31m", "side": "guest",
    "reply": "perhaps", "first_dots": "9", "second_dots": "0",
}  # fmt: skip


def pattern_forms() -> tuple[SampleForm, SampleForm]:
    """The form filled in well, and with an error in each field that can have one."""
    forms = []
    for prefix, values in (("", GOOD), ("broken-", BROKEN)):
        sent = MultiDict({prefix + key: value for key, value in values.items()})
        form = SampleForm(formdata=sent, prefix=prefix, meta={"csrf": False})
        form.offer_sides()
        forms.append(form)
    forms[1].validate()
    return forms[0], forms[1]
