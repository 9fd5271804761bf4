"""What a mail server's answer means for somebody who is no postmaster.

Codes are those of RFC 5321 and RFC 3463; where a server leaves the second kind out, its words have to do.
"""

import re

STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
CODE = re.compile(r"^([245]\d\d)\b")
NO_MAILBOX = {"1.0", "1.1", "1.2", "1.3", "1.6", "1.10"}
NOT_SIGNED_IN = {"7.8", "7.9", "7.11", "7.14"}
WORDS = (
    (re.compile(r"certificate|starttls|\bssl\b|\btls\b", re.IGNORECASE), "unsafe_line"),
    (re.compile(r"^(cannot be written|not sent: unsafe)"), "unwritable"),
    (re.compile(r"^given up"), "given_up"),
    (re.compile(r"(user|recipient|mailbox|address).{0,30}(unknown|not found|does ?n.t exist)", re.IGNORECASE), "no_mailbox"),
    (re.compile(r"unknown (user|recipient)|no such", re.IGNORECASE), "no_mailbox"),
    (re.compile(r"quota|mailbox (is )?full|over.?quota", re.IGNORECASE), "full"),
)  # fmt: skip
ENHANCED = {"2.1": "closed", "2.2": "full", "2.3": "too_large", "3.4": "too_large", "4.4": "no_mailbox"}


def meaning(answer: str) -> str:
    """One word for what went wrong.

    no_mailbox, closed, full, too_large, refused, later, unsafe_line, not_signed_in, unreachable, unwritable or given_up.
    """
    code, status = CODE.search(answer), STATUS.search(answer)
    if code is not None and code.group(1) in {"530", "534", "535"}:
        return "not_signed_in"
    if status is not None:
        found = _by_status(status.group(1), f"{status.group(2)}.{status.group(3)}")
        if found:
            return found
    for words, kind in WORDS:
        if words.search(answer):
            return kind
    if code is None and status is None:
        return "unreachable"
    return (
        "refused" if "5" in (code.group(1)[0] if code else "", status.group(1) if status else "") else "later"
    )


def _by_status(kind: str, detail: str) -> str:
    if kind == "5" and detail in NO_MAILBOX:
        return "no_mailbox"
    if kind == "5" and detail in NOT_SIGNED_IN:
        return "not_signed_in"
    return ENHANCED.get(detail, "")


def is_dead(answer: str) -> bool:
    """True where a server says with a code, for good, that there is no such mailbox: words alone are too weak for that."""
    status = STATUS.search(answer)
    return (
        status is not None
        and status.group(1) == "5"
        and f"{status.group(2)}.{status.group(3)}" in NO_MAILBOX - {"1.0"}
    )
