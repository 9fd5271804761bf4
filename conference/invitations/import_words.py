"""The sentences for what is wrong with a guest list."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from ..core.contact_list import BadTable, Problem

FIELD_NAMES = {
    "organisation": _l("Organisation"),
    "salutation": _l("Salutation"),
    "title": _l("Academic title"),
    "first_name": _l("First name"),
    "last_name": _l("Last name"),
    "email": _l("E-mail address"),
    "function": _l("Function"),
    "side": _l("Side"),
    "team": _l("Team"),
    "postcode": _l("Postcode"),
    "city": _l("Town"),
}


def field_name(field: str) -> str:
    """The screen word for a field of the list."""
    return str(FIELD_NAMES.get(field, _("Row")))


def reason_of(problem: Problem) -> str:
    """Why a row is not taken, is asked about, or was repaired."""
    name, value, detail = field_name(problem.field), problem.value, problem.detail
    return {
        "missing": lambda: _("%(field)s is missing.", field=name),
        "invalid_email": lambda: _("“%(value)s” is no e-mail address.", value=value),
        "duplicate_in_file": lambda: _(
            "This person stands in the list already, in line %(line)s.", line=detail
        ),
        "address_of_another": lambda: _(
            "Somebody else has this address already, in line %(line)s. Everybody needs an address of their own.",
            line=detail,
        ),
        "known_otherwise": lambda: _(
            "This address belongs to %(name)s in the address book, who is taken with the data there.",
            name=detail,
        ),
        "already_known": lambda: _("%(name)s is on the guest list already, with this address.", name=detail),
        "formula": lambda: _(
            "The cell holds a formula; formulas are never taken. Please replace it by its value."
        ),
        "too_long": lambda: _("Longer than %(num)s characters.", num=detail),
        "bad_text": lambda: _("Holds characters that cannot be stored."),
        "too_many_cells": lambda: _("The row has more cells than the header."),
        "empty_row": lambda: _("The row is empty."),
        "lookalike_organisation": lambda: _(
            "“%(value)s”: did you mean “%(name)s”?", value=value, name=detail
        ),
        "unknown_salutation": lambda: _(
            "“%(value)s” is no salutation we know; taken without one.", value=value
        ),
        "unknown_side": lambda: _("“%(value)s” is no side we know; taken as training provider.", value=value),
        "postcode_padded": lambda: _(
            "The postcode %(value)s lost its leading zero; taken as %(new)s.", value=value, new=detail
        ),
        "email_lowercased": lambda: _("The address was tidied up: %(new)s.", new=detail),
        "unusual_postcode": lambda: _("“%(value)s” is an unusual postcode.", value=value),
    }.get(problem.code, lambda: problem.code)()


def table_problem(error: BadTable) -> str:
    """Why a file cannot be read at all."""
    return {
        "empty": _("The file is empty."),
        "too_big": _("The file is larger than 5 MB."),
        "unpacked_too_big": _("The workbook is too large when unpacked."),
        "too_many_rows": _("The list has more than 10,000 rows."),
        "too_many_columns": _("The list has more than 60 columns."),
        "binary": _("This is no list: please choose a CSV or Excel file."),
        "encoding": _(
            "The characters of the file cannot be read. Save it as CSV UTF-8 or as Excel workbook."
        ),
        "unclosed_quote": _(
            "A quotation mark is opened in line %(line)s and never closed.", line=error.detail
        ),
        "no_header": _("The first row must name the columns, for example Organisation, Last name, E-mail."),
        "old_excel": _("This is an old Excel format (.xls). Please save the list as .xlsx or CSV."),
        "protected": _("The workbook is protected by a password. Please remove it."),
        "unsupported": _("This kind of file cannot be read. Please choose a CSV or Excel file."),
        "other_ending": _(
            "The ending .%(ending)s of the name does not fit what the file holds. Please save the list as .xlsx, .ods or .csv.",
            ending=error.detail,
        ),
        "damaged": _("The file is damaged and cannot be read."),
    }.get(error.code, _("The file cannot be read."))
