"""Near-duplicates: what is found, and what is linked wrongly, at each threshold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from bench.classification_data import banking, clinc, data_directory
from bench.row import Row, row
from services.classifier.domain.languages import language_of
from services.classifier.evaluation.tables import LabelledTickets
from services.classifier.models.encoding.encoder import Encoder, shared_encoder
from services.classifier.models.semantic.neighbours import Nearness, Newcomer, RecentTickets
from services.classifier.models.semantic.sketches import sketches
from services.classifier.models.semantic.usual import UsualCentre

OTHER = (0.55, 0.62, 0.70)
# Tickets in the ring, and of them those that come again, changed.
RECENT, AGAIN = 8_000, 1_000
CHOSEN = Nearness()
NEARNESSES = {
    "spelling alone": replace(CHOSEN, same_language=2.0),
    "meaning alone": replace(CHOSEN, spelling=2.0),
    "either": CHOSEN,
    "either, laxer": replace(CHOSEN, spelling=0.70, same_language=0.85),
    "either, stricter": replace(CHOSEN, spelling=0.80, same_language=0.91),
}

# The same complaint in three languages; none of them is among the usual requests of the centre.
TRANSLATED = (
    ("The printer on the second floor does not print",
     "Der Drucker im zweiten Stock druckt nicht", "Принтер на втором этаже не печатает"),
    ("The invoice for march was charged twice",
     "Die Rechnung für März wurde doppelt abgebucht", "Счёт за март списали дважды"),
    ("The VPN connection drops every few minutes",
     "Die VPN-Verbindung bricht alle paar Minuten ab",
     "VPN-соединение обрывается каждые несколько минут"),
    ("The projector in the meeting room stays dark",
     "Der Beamer im Besprechungsraum bleibt dunkel",
     "Проектор в переговорной не показывает изображение"),
    ("The heating in our office does not work",
     "Die Heizung in unserem Büro funktioniert nicht", "В нашем офисе не работает отопление"),
    ("I did not receive the confirmation e-mail",
     "Ich habe die Bestätigungs-E-Mail nicht erhalten", "Я не получил письмо с подтверждением"),
    ("My credit card was declined when I tried to pay",
     "Meine Kreditkarte wurde beim Bezahlen abgelehnt",
     "Мою кредитную карту отклонили при оплате"),
    ("Please install Excel on my computer",
     "Bitte installieren Sie Excel auf meinem Computer",
     "Пожалуйста, установите Excel на мой компьютер"),
    ("My account was locked after three attempts",
     "Mein Konto wurde nach drei Versuchen gesperrt",
     "Мой аккаунт заблокирован после трёх попыток"),
    ("I would like to return the shoes because they are too small",
     "Ich möchte die Schuhe zurückgeben, weil sie zu klein sind",
     "Хочу вернуть туфли, потому что они мне малы"),
    ("The sound does not work in video conferences",
     "In Videokonferenzen funktioniert der Ton nicht", "В видеоконференциях не работает звук"),
    ("The mobile app crashes when I open it",
     "Die App stürzt ab, wenn ich sie öffne", "Приложение вылетает, когда я его открываю"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """Texts as they are compared."""

    vectors: NDArray[np.float32]
    spelling: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """Shares: of changed tickets linked at all, and of new ones linked to another topic's."""

    again: float
    wrong: float


def rows(*, quick: bool) -> list[Row]:
    """Links within a language on real tickets, and across languages on made-up ones."""
    encoder = shared_encoder()
    found = _translations(encoder)
    root = data_directory()
    if root is None:
        return found
    for tickets in (banking(root), clinc(root)):
        kept = tickets.train.take(range(0, len(tickets.train), 8 if quick else 1))
        found += _one_language(tickets.name, kept, encoder)
    return found


def _translations(encoder: Encoder) -> list[Row]:
    versions = [[texts[place] for texts in TRANSLATED] for place in range(3)]
    vectors = [UsualCentre(encoder).centred(encoder.encode(texts)) for texts in versions]
    languages = [[language_of(text) for text in texts] for texts in versions]
    found = []
    for threshold in OTHER:
        right = wrong = 0
        for here, there in ((0, 1), (0, 2), (1, 2)):
            ring = RecentTickets(len(TRANSLATED), nearness=Nearness(other_language=threshold))
            first = [Newcomer(f"{n}", code) for n, code in enumerate(languages[here])]
            ring.meet(first, vectors[here], sketches(versions[here]))
            for n, text in enumerate(versions[there]):
                asked = [Newcomer("asked", languages[there][n])]
                [link] = ring.meet(asked, vectors[there][n : n + 1], sketches([text]))
                right += link is not None and link.ticket_id == f"{n}"
                wrong += link is not None and link.ticket_id != f"{n}"
        pairs = 3 * len(TRANSLATED)
        chosen = threshold == CHOSEN.other_language
        found += [
            row(f"translations linked at {threshold:g}", right / pairs, "share",
                at_least=0.8 if chosen else None),
            row(f"translations linked wrongly at {threshold:g}", wrong / pairs, "share",
                at_most=0.03 if chosen else None),
        ]  # fmt: skip
    return found


def _one_language(name: str, tickets: LabelledTickets, encoder: Encoder) -> list[Row]:
    order = np.random.default_rng(0).permutation(len(tickets))[:RECENT].tolist()
    kept = tickets.take(order)
    again = [_changed(text, n) for n, text in enumerate(kept.texts[:AGAIN])]
    centre = UsualCentre(encoder)
    first = _Seen(centre.centred(encoder.encode(kept.texts)), sketches(kept.texts))
    changed = _Seen(centre.centred(encoder.encode(again)), sketches(again))
    found = []
    for kind, nearness in NEARNESSES.items():
        ours = _links(kept, first, changed, nearness)
        chosen = nearness == CHOSEN
        theirs = _lexical(kept, again, ours.wrong) if chosen else None
        found += [
            row(f"{name}: changed by a word and a letter, linked by {kind}", ours.again, "share",
                at_least=0.8 if chosen else None, baseline_value=theirs,
                baseline="TF-IDF of character n-grams, as many wrong" if chosen else ""),
            row(f"{name}: linked to another topic by {kind}", ours.wrong, "share",
                at_most=0.03 if chosen else None),
        ]  # fmt: skip
    return found


def _links(tickets: LabelledTickets, first: _Seen, changed: _Seen, nearness: Nearness) -> Found:
    ring = RecentTickets(len(tickets) + len(changed.vectors), nearness=nearness)
    newcomers = [Newcomer(f"{n}", "en") for n in range(len(tickets))]
    links = ring.meet(newcomers, first.vectors, first.spelling)
    wrong = [
        link is not None and tickets.labels[int(link.ticket_id)] != label
        for link, label in zip(links, tickets.labels, strict=True)
    ]
    asked = [Newcomer(f"again {n}", "en") for n in range(len(changed.vectors))]
    seen = ring.meet(asked, changed.vectors, changed.spelling)
    return Found(float(np.mean([link is not None for link in seen])), float(np.mean(wrong)))


def _lexical(tickets: LabelledTickets, again: Sequence[str], wrong: float) -> float:
    """Share of the changed tickets that n-grams find where they link as many wrongly."""
    made = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit(tickets.texts)
    known = made.transform(tickets.texts)
    labels = np.asarray(tickets.labels)
    nearest, strange = [], []
    for first in range(0, len(tickets), 1_000):
        cosines = (known[first : first + 1_000] @ known.T).toarray()
        for place, cosine in enumerate(cosines):
            cosine[first + place :] = -1.0  # only what came before
            best = int(cosine.argmax())
            nearest.append(float(cosine[best]))
            strange.append(labels[best] != labels[first + place])
    order = np.argsort(-np.asarray(nearest), kind="stable")
    allowed = int(wrong * len(tickets))
    at = int(np.searchsorted(np.cumsum(np.asarray(strange)[order]), allowed, side="right"))
    threshold = np.asarray(nearest)[order][min(at, len(order) - 1)]
    scores = (made.transform(again) @ known.T).max(axis=1).toarray()
    return float(np.mean(scores >= threshold))


def _changed(text: str, seed: int) -> str:
    """The text without one of its words and with one letter missing."""
    draw = np.random.default_rng(seed)
    words = text.split()
    if len(words) > 3:
        words.pop(int(draw.integers(len(words))))
    text = " ".join(words)
    gone = int(draw.integers(len(text)))
    return text[:gone] + text[gone + 1 :]
