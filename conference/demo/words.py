"""What people said, wrote and decided in June: invented people, true shape."""

from typing import Any

FOCUS_QUESTION = (
    "Wie können Arbeitsagentur und Bildungsträger sich noch besser vernetzen, "
    "um für jeden Menschen das passende Bildungsangebot zu ermöglichen?"
)

AGENDA = [  # when, how many minutes, what kind, title, who, where
    ("09:00", 30, "break", "Ankommen und Kaffee", "", "Foyer"),
    ("09:30", 15, "plenary", "Begrüßung durch die Geschäftsführung", "Verena Tiemann", "Saal"),
    ("09:45", 30, "talk", "mein NOW: die neue nationale Weiterbildungsplattform", "Meike Sundermann", "Saal"),
    ("10:15", 30, "talk", "Bürgergeld-Gesetz: Auswirkungen auf die Qualifizierung", "Jan Pohlmann", "Saal"),
    ("10:45", 20, "talk", "Wie die Agentur Maßnahmen unterstützen kann", "Katrin Obermann", "Saal"),
    ("11:05", 15, "break", "Pause", "", "Foyer"),
    ("11:20", 45, "breakout", "Arbeitsgruppen, Runde 1", "", None),
    ("12:05", 45, "break", "Mittagessen", "", "Foyer"),
    ("12:50", 45, "breakout", "Arbeitsgruppen, Runde 2", "", None),
    ("13:35", 40, "plenary", "Ergebnisse der Gruppen im Plenum", "Holger Kasten", "Saal"),
    ("14:15", 30, "plenary", "Abstimmung und nächste Schritte", "Holger Kasten", "Saal"),
    ("14:45", 15, "plenary", "Abschluss", "Verena Tiemann", "Saal"),
]

ROOMS = [
    ("Saal", 60),
    ("Foyer", 60),
    ("Raum A", 10),
    ("Raum B", 10),
    ("Raum C", 8),
    ("Raum D", 12),
    ("Raum E", 8),
]

TOPICS = [
    "Gemeinsame Kursplanung",
    "Vereinbarkeit von Familie und Kurs",
    "Bedarf der Betriebe",
    "mein NOW und Öffentlichkeit",
    "Begleitung der Teilnehmenden",
]

GROUP_RULES = [  # what kind, who, which table: who explains mein NOW stays at its table; two houses plan the same course
    ("host", ["meike.sundermann@agentur.example"], "D"),
    ("apart", ["mehmet.oeztuerk@tz-buende.example", "florian.dangelo@hb-herford.example"], ""),
]

FACILITATED = [
    ("A", 1),
    ("D", 0),
]  # table, number of the round (0: every one); D does not hand in its second sheet

NOTES = {
    "Begrüßung durch die Geschäftsführung": (
        "Frau Tiemann begrüßt die Teilnehmenden. Ziel des Tages: **Ideen, die umgesetzt werden.** "
        "Eine Folgekonferenz im August prüft, was daraus geworden ist."
    ),
    "mein NOW: die neue nationale Weiterbildungsplattform": (
        "Die Plattform bündelt Angebote, Tests und Beratung.\n\n"
        "- Träger stellen ihre Kurse selbst ein; die Agentur hilft beim ersten Mal.\n"
        "- Offen: Wer pflegt Termine, die sich ändern?"
    ),
    "Bürgergeld-Gesetz: Auswirkungen auf die Qualifizierung": (
        "Der Vermittlungsvorrang entfällt; Qualifizierung wird früher möglich. Das Weiterbildungsgeld ist bei vielen "
        "Teilnehmenden noch nicht bekannt."
    ),
    "Wie die Agentur Maßnahmen unterstützen kann": (
        "Die Teams bieten an, Kurse früh gemeinsam zu planen. Gewünscht wird eine feste Ansprechperson je Beruf."
    ),
    "Ergebnisse der Gruppen im Plenum": (
        "Jede Gruppe stellt drei Ergebnisse vor. Die Ideen werden zu acht Bündeln geordnet."
    ),
    "Abstimmung und nächste Schritte": (
        "Jede anwesende Person vergibt fünf Punkte, höchstens zwei auf ein Bündel. Die drei Bündel mit den meisten Punkten "
        "werden sofort zu Maßnahmen."
    ),
}

# (round, table) -> question, results, open points, proposal; group D of the second round never handed in
SHEETS: dict[tuple[int, str], tuple[str, list[str], str, str]] = {
    (1, "A"): (
        "Wie planen Agentur und Träger ihre Kurse gemeinsam?",
        [
            "Ein öffentlicher Kurskalender aller Träger, den jeder Träger selbst pflegt.",
            "Eine feste Ansprechperson der Agentur je Beruf, nicht je Träger.",
            "Monatliche Sprechstunde der Agentur für Träger, abwechselnd vor Ort und am Bildschirm.",
        ],
        "Wer prüft, ob die Termine im Kalender noch stimmen?",
        "Mit einer gemeinsamen Tabelle beginnen, bevor ein Programm gekauft wird.",
    ),
    (1, "B"): (
        "Was brauchen Eltern, damit sie einen Kurs zu Ende bringen?",
        [
            "Kurse in Teilzeit am Vormittag, 8:30 bis 12:30 Uhr.",
            "Betreuung im Haus oder im Nachbarhaus; die Kommunen gehören an den Tisch.",
            "Ein abgelehnter Bildungsgutschein bekommt immer eine Begründung, die der Träger kennt.",
            "Rücksicht auf Schulferien bei der Planung der Prüfungen.",
        ],
        "Die Kosten der Betreuung sind offen; es gibt kein gemeinsames Budget.",
        "",
    ),
    (1, "C"): (
        "Wie erfahren wir früh, welche Fachkräfte fehlen?",
        [
            "Arbeitgeber sagen halbjährlich, welche Berufe fehlen; die Arbeitgeberteams fragen gebündelt.",
            "Schnuppertage im Betrieb vor jeder Umschulung.",
            "Kein Kurs ohne Praktikum, auch nicht in der Verwaltung.",
        ],
        "",
        "Kammern fragen, ob es die Umfrage schon gibt.",
    ),
    (1, "D"): (
        "Wie wird „mein NOW“ für Träger und Teilnehmende nützlich?",
        [
            "Eine gemeinsame Schulung für alle Träger mit echten Kursen als Beispiel.",
            "Ein kurzer Leitfaden zum Einstellen von Kursen, eine Seite.",
            "Sprachkurs und Fachkurs werden zusammen gezeigt, wenn sie zusammengehören.",
        ],
        "Pflege von Terminen, die sich kurzfristig ändern.",
        "",
    ),
    (1, "E"): (
        "Wie erklären wir das Bürgergeld-Gesetz denen, die es betrifft?",
        [
            "Ein Merkblatt zum Weiterbildungsgeld in einfacher Sprache, auch gedruckt.",
            "Ein Infoabend für Dozentinnen und Dozenten, die im Kurs gefragt werden.",
        ],
        "Wer übersetzt das Merkblatt, und in welche Sprachen?",
        "",
    ),
    (2, "A"): (
        "Wie lernen sich Agentur und Träger besser kennen?",
        [
            "Träger stellen sich in den Teams der Agentur vor, 15 Minuten je Träger.",
            "Hospitation: ein Tag Agentur, ein Tag Träger, zweimal im Jahr.",
            "Der Kurskalender kommt auch als Abo auf das Telefon.",
        ],
        "",
        "Die ersten drei Vorstellungen noch vor den Sommerferien.",
    ),
    (2, "B"): (
        "Was tun wir, wenn sich zu wenige anmelden?",
        [
            "Zwei Träger bieten einen Kurs gemeinsam an, wenn sich einzeln zu wenige anmelden.",
            "Die Mindestteilnehmerzahl wird vor dem Absagen mit der Agentur besprochen.",
            "Ein Fahrdienst aus den Randgemeinden, zunächst als Versuch.",
        ],
        "Vergaberecht: Dürfen zwei Träger einen Kurs unter einer Nummer führen?",
        "",
    ),
    (2, "C"): (
        "Was fehlt Teilnehmenden, damit der Kurs gelingt?",
        [
            "Laptops zum Ausleihen, mit einer gemeinsamen Liste aller Träger.",
            "Ein Dozentenpool über alle Träger für Krankheit und Urlaub.",
            "Ein ruhiger Platz zum Lernen, auch am Nachmittag.",
        ],
        "",
        "",
    ),
    (2, "E"): (
        "Was geschieht nach dem Kurs?",
        [
            "Coaching in den ersten drei Monaten in der neuen Stelle.",
            "Nachbetreuung durch den Träger, wenn jemand den Kurs abbricht.",
            "Erfolgsgeschichten aus der Region, mit Bild und Einwilligung.",
            "Teilqualifikationen werden als Weg zum Abschluss erklärt, nicht als Ersatz.",
        ],
        "Wer bezahlt das Coaching, wenn die Förderung endet?",
        "Einen Träger suchen, der es ein Jahr lang erprobt.",
    ),
}

# heading -> beginnings of the ideas that belong to it
CLUSTERS = {
    "Gemeinsamer Kurskalender": ["Gemeinsamer Kurskalender", "Ein Kalender mit allen", "Kurskalender auch als App"],
    "Feste Wege zwischen Agentur und Trägern": [
        "Monatliche Sprechstunde", "Feste Ansprechperson", "Träger stellen sich", "Hospitation", "Rückmeldung, warum",
    ],
    "Familie und Kurs": ["Teilzeitkurse", "Kinderbetreuung im Haus", "Betreuungsangebot", "Fahrdienst"],
    "Bedarf der Betriebe": ["Arbeitgeber sagen", "Umfrage bei Betrieben", "Schnuppertage", "Kein Kurs ohne", "Arbeitgeberteams"],
    "mein NOW nutzen": ["mein NOW", "Leitfaden zum"],
    "Verständlich informieren": [
        "Merkblatt", "Infoabend", "Weniger Formulare", "Teilqualifikationen", "Erfolgsgeschichten",
        "Regionale",
    ],
    "Kurse, die zustande kommen": [
        "Mindestteilnehmerzahl", "Gemeinsame Kurse", "Dozentenpool", "Laptops", "Leihgeräte",
        "Sprachkurs",
    ],
    "Begleitung nach dem Kurs": ["Coaching", "Nachbetreuung"],
}  # fmt: skip

# heading -> weight of dots in June
PREFERENCES = [
    "Gemeinsamer Kurskalender", "Familie und Kurs", "Gemeinsamer Kurskalender", "Feste Wege zwischen Agentur und Trägern",
    "Bedarf der Betriebe", "Familie und Kurs", "Kurse, die zustande kommen", "Gemeinsamer Kurskalender",
    "Begleitung nach dem Kurs", "Feste Wege zwischen Agentur und Trägern", "Familie und Kurs", "mein NOW nutzen",
    "Verständlich informieren",
]  # fmt: skip

DECISIONS = [
    (
        "Agentur und Bildungsträger führen einen gemeinsamen, öffentlich einsehbaren Kurskalender für den Kreis ein.",
        "im Konsens",
        ("cluster", "Gemeinsamer Kurskalender"),
    ),
    (
        "Für jeden Zielberuf benennt die Agentur eine feste Ansprechperson für alle Bildungsträger.",
        "30 Ja, 1 Nein, 2 Enthaltungen",
        ("cluster", "Feste Wege zwischen Agentur und Trägern"),
    ),
    (
        "Kurse werden so geplant, dass Eltern teilnehmen können; die Betreuung wird mit den Kommunen geklärt.",
        "im Konsens",
        ("cluster", "Familie und Kurs"),
    ),
]

# title, description, responsible, supporters, due, source, decision number, reports: (day, status, text)
ACTIONS: list[dict[str, Any]] = [
    {
        "title": "Kurskalender als gemeinsame Tabelle starten",
        "description": "Alle Träger tragen ihre Kurstermine bis Jahresende ein; die Agentur veröffentlicht die Liste.",
        "responsible": "maren.quest@lernwerkstatt-enger.example",
        "supporters": "Volkshochschule im Kreis, Agentur",
        "due": "2023-06-30",
        "source": ("cluster", "Gemeinsamer Kurskalender"),
        "decision": 1,
        "reports": [
            (
                "2023-06-14",
                "in_progress",
                "Vorlage ist abgestimmt, zwölf Träger haben ihre Termine eingetragen.",
            ),
            ("2023-06-29", "done", "Der Kalender steht mit 84 Kursen online; die Agentur verlinkt ihn."),
        ],
    },
    {
        "title": "Kalender-Abo (iCal) einrichten",
        "description": "Aus der Tabelle entsteht ein Abo für Telefon und Computer.",
        "responsible": "robin.sander@digitalschule-owl.example",
        "supporters": "Lernwerkstatt Enger",
        "due": "2023-07-31",
        "source": ("cluster", "Gemeinsamer Kurskalender"),
        "decision": 1,
        "reports": [("2023-06-27", "in_progress", "Ein Probelauf mit drei Trägern läuft.")],
    },
    {
        "title": "Liste der Ansprechpersonen je Zielberuf veröffentlichen",
        "description": "Eine Seite mit Name, Telefon und Vertretung je Beruf.",
        "responsible": "stefan.rueter@agentur.example",
        "supporters": "Teamleitungen beider Orientierungen",
        "due": "2023-07-14",
        "source": ("cluster", "Feste Wege zwischen Agentur und Trägern"),
        "decision": 2,
        "reports": [("2023-06-20", "in_progress", "Für 18 von 25 Berufen benannt.")],
    },
    {
        "title": "Vormittagskurse für Eltern anbieten",
        "description": "Mindestens drei Träger bieten ab Herbst Kurse von 8:30 bis 12:30 Uhr an.",
        "responsible": "zeynep.aydin@bh-loehne.example",
        "supporters": "Frauen & Beruf e. V., Pflegeschule Widukind",
        "due": "2023-09-29",
        "source": ("cluster", "Familie und Kurs"),
        "decision": 3,
        "reports": [],
    },
    {
        "title": "Kinderbetreuung während der Kurse mit den Kommunen klären",
        "description": "Gespräche mit den fünf Städten; Ergebnis als Übersicht.",
        "responsible": "aylin.demir@agentur.example",
        "supporters": "Frauen & Beruf e. V.",
        "due": "2023-08-11",
        "source": ("cluster", "Familie und Kurs"),
        "decision": 3,
        "reports": [
            (
                "2023-06-28",
                "postponed",
                "Die Kommunen bitten um einen Termin nach den Sommerferien; neue Frist vereinbart.",
            ),
        ],
    },
    {
        "title": "Umfrage zum Fachkräftebedarf bei 200 Betrieben",
        "description": "Kurze Umfrage der Arbeitgeberteams, Auswertung für die Kursplanung.",
        "responsible": "bjoern.fiedler@agentur.example",
        "supporters": "Handwerksbildung Herford",
        "due": "2023-08-18",
        "source": ("cluster", "Bedarf der Betriebe"),
        "decision": None,
        "reports": [
            (
                "2023-06-22",
                "dropped",
                "Die Kammer hat im Mai dieselbe Umfrage gemacht; wir nutzen deren Ergebnis.",
            ),
        ],
    },
]

DECLINED = ["lukas.boehm@uw-vlotho.example", "dirk.ostermeier@verkehr-nordwest.example"]
SILENT = ["petra.duering@gastro-roedinghausen.example"]
EXCUSED = ["lukas.boehm@uw-vlotho.example", "sabine.vogt@bk-werretal.example"]
ABSENT = [
    "dirk.ostermeier@verkehr-nordwest.example",
    "petra.duering@gastro-roedinghausen.example",
    "anton.renner@frauen-beruf.example",
]
DIETS = {
    "oksana.bondarenko@sprachschule-else.example": "vegetarisch",
    "samir.el-amrani@ifw-hiddenhausen.example": "halal",
}
ACCESS = {"claudia.ibel@vhs-kreis.example": "Platz nahe der Leinwand, Schwerhörigenschleife"}
