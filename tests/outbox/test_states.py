"""The outbox as a whole: whatever is done to letters, in whatever order, a few things stay true (F04, F05, F12, F17)."""

import contextlib
from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from conference.core.mail_reading import Bounce, Incoming
from conference.inbox import operations as inbox
from conference.inbox.models import InboundMail
from conference.kit import links, unit
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.outbox import control, operations, queries
from conference.outbox.models import DeadAddress, Hold, Mail, MailState

from .. import smtp
from ..builders import NOW, a_mail

smtp_server = smtp.smtp_server
PEOPLE = ["ada@traeger.example", "kim@traeger.example"]
BATCHES = [None, "groups:1", "invitations:1"]
ANSWERS = [None, None, None, "451 4.3.0 later", "550 5.1.1 User unknown", "554 5.7.1 spam", smtp.DISCONNECT]
WAITS = [timedelta(seconds=30), timedelta(minutes=3), timedelta(hours=5), timedelta(days=8)]
LINK = f"https://folgetermin.example/invitation/{links.mark_of('cd' * 32)}"
MOSTLY = st.sampled_from([True, True, True, False])
OUT = {MailState.SENT, MailState.BOUNCED}


class Outbox(RuleBasedStateMachine):
    """What people, workers and mail servers do. `written` is what was queued, by Message-ID; the sink has what arrived."""

    app = server = None
    undone: ClassVar[list[Mail]] = []

    @initialize()
    def begin(self):
        self.at, self.written = NOW, {}
        self.crashed, self.frozen, self.erased, self.keys = Counter(), {}, set(), []
        self.server.messages.clear()
        self.silence()
        with self.transaction():
            for model in (InboundMail, DeadAddress, Mail, Hold):
                db.session.execute(db.delete(model))
        for batch in BATCHES:
            self.write(PEOPLE[0], batch)

    @contextlib.contextmanager
    def transaction(self):
        with self.app.app_context(), unit.writing():
            yield

    def silence(self):
        self.server.rcpt_answers, self.server.data_answers = [], []

    def arrived(self):
        for envelope in self.server.messages[len(self.keys) :]:
            key = str(message_from_bytes(envelope.content)["Message-ID"])
            assert envelope.rcpt_tos == [self.written[key]], "meant for somebody else"
            self.keys.append(key)
        return Counter(self.keys)

    def letters(self):
        with self.app.app_context(), unit.reading():
            found = list(db.session.scalars(db.select(Mail).order_by(Mail.id)))
            db.session.expunge_all()
            return found

    # -- what people do

    @rule(person=st.sampled_from(PEOPLE), batch=st.sampled_from(BATCHES))
    def write(self, person, batch):
        kind = "undone" if batch == "invitations:1" else "notice"
        with self.transaction():
            mail = a_mail(
                recipient=("Ada", person),
                batch=batch,
                kind=kind,
                text=f"Ihr Link:\n{LINK}\n",
                purpose=f"p:{len(self.written)}",
            )
            assert a_mail(purpose=mail.purpose, text="anders") is mail, "the same letter is queued once"
            mail.due_at = self.at
            self.written[mail.message_id] = person

    @rule(state=st.sampled_from(list(MailState)), what=st.sampled_from([operations.cancel, operations.retry]))
    def press_a_button(self, state, what):
        """At every letter in this state: whatever the page shows, what was asked for may be asked for twice."""
        for mail in self.letters():
            if mail.state is state:
                with contextlib.suppress(Refused), self.transaction():
                    what(db.session.get(Mail, mail.id), at=self.at)

    @rule(person=st.sampled_from(PEOPLE), batch=st.sampled_from(BATCHES[1:]), is_resumed=st.booleans())
    def stop_a_mailing(self, person, batch, is_resumed):
        self.write(person, batch)
        before = len(self.undone)
        with self.transaction():
            number = control.stop_mailing("june-2023", batch, at=self.at)
        assert number and len(self.undone) - before == (number if batch == "invitations:1" else 0)
        if is_resumed:
            with self.transaction():
                control.resume_mailing("june-2023", batch, at=self.at)

    @rule(what=st.sampled_from([operations.pause, operations.hold]))
    def hold(self, what):
        with self.transaction():
            what(at=self.at)

    @rule()
    def let_go(self):
        with self.transaction():
            operations.release(None, at=self.at)

    @rule()
    def try_all_again(self):
        with self.transaction():
            control.retry_all("june-2023", at=self.at)

    @rule(person=st.sampled_from(PEOPLE))
    def erase(self, person):
        with self.transaction():
            operations.erase(db.session.connection(), lambda key: key == person, self.at)
            db.session.expire_all()
        gone = {key for key, address in self.written.items() if address == person}
        self.erased |= gone
        self.frozen |= {key: self.arrived()[key] for key in gone}

    # -- what time and workers do

    @rule(wait=st.sampled_from(WAITS))
    def wait(self, wait):
        self.at += wait
        with self.app.app_context():
            control.forget_texts(at=self.at)

    @rule(answers=st.lists(st.sampled_from(ANSWERS), max_size=4), at_data=st.booleans(), is_let_go=MOSTLY)
    def send(self, answers, at_data, is_let_go):
        if is_let_go:
            self.let_go()
        known_dead, before = self.dead(), len(self.server.messages)
        if at_data:
            self.server.data_answers = list(answers)
        else:
            self.server.rcpt_answers = list(answers)
        with self.app.app_context():
            is_open = queries.delivery() == "server"
            operations.drain(lambda: self.at)
        self.silence()
        self.check_new(before, is_open, known_dead)

    def taken(self, person):
        """What a worker has on its lease after it looked, while nothing is held."""
        self.let_go()
        self.write(person, None)
        with self.app.app_context():
            return operations._claim(self.at, 20)

    @rule(person=st.sampled_from(PEOPLE), is_sent=st.booleans())
    def a_worker_dies(self, person, is_sent):
        """After it had sent a letter and before it could say so, or before it began."""
        first = next((item.letter for item in self.taken(person) if item.letter), None)
        if is_sent and first:
            with self.app.app_context(), operations._carrier("server") as carrier:
                carrier.send(first)
            self.crashed[first.message_id] += 1

    @rule(person=st.sampled_from(PEOPLE), meanwhile=st.sampled_from(["nothing", "hold", "erase", "another"]))
    def a_worker_sleeps(self, person, meanwhile):
        """With letters on its lease; then it goes on, whatever happened meanwhile."""
        known_dead = self.dead()
        taken = self.taken(person)
        if meanwhile == "hold":
            self.hold(operations.pause)
        elif meanwhile == "erase":
            self.erase(person)
        elif meanwhile == "another":
            self.wait(WAITS[1])
            self.send([], False, True)
        before = len(self.server.messages)
        with self.app.app_context():
            is_open = queries.delivery() == "server"
            with operations._carrier("server") as carrier:
                operations._send_all(carrier, taken, lambda: self.at, Counter())
        self.check_new(before, is_open, known_dead)

    @precondition(lambda self: self.written)
    @rule(number=st.integers(0, 20))
    def a_letter_comes_back(self, number):
        arrived = sorted(self.arrived())
        if arrived:
            key = arrived[number % len(arrived)]
            report = Incoming("bounce", (Bounce(key, self.written[key], "5.1.1 unknown user"),))
            with self.transaction():
                inbox.take(report, f"{key}{self.at}{len(self.server.messages)}", at=self.at)

    # -- what stays true

    def dead(self):
        with self.app.app_context(), unit.reading():
            return set(db.session.scalars(db.select(DeadAddress.address_key)))

    def check_new(self, before, is_open, known_dead):
        new = self.server.messages[before:]
        assert is_open or not new, "nothing leaves while letters are held"
        assert not known_dead & {envelope.rcpt_tos[0] for envelope in new}, "nothing goes to a dead address"

    @invariant()
    def all_holds(self):
        arrived, letters = self.arrived(), self.letters()
        assert [mail.message_id for mail in letters] == list(self.written), (
            "none is lost, none changes its name"
        )
        for key, number in arrived.items():
            assert number <= 1 + self.crashed[key], "a second time only where a worker died after sending"
        for mail in letters:
            self.says_what_happened(mail, arrived[mail.message_id])
            self.stays_where_it_must(mail, arrived[mail.message_id])
            self.opens_no_door(mail)

    def says_what_happened(self, mail, arrived):
        assert (mail.lease_until is not None) == (mail.state is MailState.SENDING)
        if mail.state in OUT:
            assert arrived and mail.sent_at, "it says sent what never left"
        else:
            assert arrived <= self.crashed[mail.message_id], (
                f"it has left, and the outbox says {mail.state.value}"
            )

    def stays_where_it_must(self, mail, arrived):
        """What was taken back, and what an erased person would have got."""
        key = mail.message_id
        if mail.state is MailState.WITHDRAWN:
            self.frozen.setdefault(key, arrived)
        if key in self.frozen:
            assert arrived == self.frozen[key]
            assert mail.state is MailState.WITHDRAWN or key in self.erased
        if key in self.erased:
            assert mail.state in OUT | {MailState.CANCELLED}
            assert (mail.recipient_address, mail.recipient_name, mail.subject, mail.text) == ("", "", "", "")

    def opens_no_door(self, mail):
        if mail.state in OUT or mail.forgotten_at:
            assert "~link-" not in mail.text
        if mail.forgotten_at:
            assert (mail.text, mail.button_url, mail.calendar, mail.unsubscribe_url) == ("", None, None, None)

    def teardown(self):
        """In the end, with all workers dead, a willing server and time enough, everything that waits has left."""
        if not hasattr(self, "at"):
            return
        with self.transaction():
            operations.release(None, at=self.at)
            db.session.execute(db.delete(DeadAddress))
        for _round in range(3):
            self.at += timedelta(hours=5)
            with self.app.app_context():
                operations.drain(lambda: self.at)
        resting = {MailState.CANCELLED, MailState.WITHDRAWN, MailState.FAILED}
        arrived = self.arrived()
        for mail in self.letters():
            assert mail.state in OUT | resting, "a letter waits for ever"
            assert mail.state in resting or arrived[mail.message_id]
        self.all_holds()


def test_f04_f17_whatever_happens_in_whatever_order(app, smtp_server):
    app.config.update(MAIL_SERVER=smtp_server.host, MAIL_PORT=smtp_server.port)
    control.when_taken_back(app, "undone", lambda letters, _at: Outbox.undone.extend(letters))
    Outbox.app, Outbox.server = app, smtp_server
    chosen = settings(
        max_examples=35, stateful_step_count=40, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    try:
        run_state_machine_as_test(Outbox, settings=chosen)
    finally:
        del app.extensions["mail_taken_back"]["undone"]
        Outbox.app = Outbox.server = None
        Outbox.undone.clear()
