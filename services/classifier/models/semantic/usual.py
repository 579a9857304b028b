"""Where helpdesk tickets lie in the encoder's space: a centre that never moves.

The encoder puts everything that customers write into one corner. Measured from the middle of that
corner, tickets about nothing in common have a cosine of about 0, in any pair of languages.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.semantic.experts import unit

Array = NDArray[np.float32]

# Everyday requests, the same in three languages: the middle must favour no topic and no language.
_USUAL: Final = (
    "I cannot log in to my account", "the program closes with an error message",
    "how do I change my address?", "please cancel my contract", "my order is late",
    "the device does not switch on", "I would like to have my money back",
    "the internet connection is very slow", "where can I find my bill?", "please call me back",
    "I need permission for this folder", "when will it be delivered?",
    "Ich kann mich nicht in mein Konto einloggen", "das Programm schließt sich mit einem Fehler",
    "wie ändere ich meine Adresse?", "bitte kündigen Sie meinen Vertrag",
    "meine Bestellung verspätet sich", "das Gerät lässt sich nicht einschalten",
    "ich möchte mein Geld zurück", "die Internetverbindung ist sehr langsam",
    "wo finde ich meine Rechnung?", "bitte rufen Sie mich zurück",
    "ich brauche eine Berechtigung für diesen Ordner", "wann wird geliefert?",
    "я не могу войти в свой аккаунт", "программа закрывается с ошибкой",
    "как изменить мой адрес?", "пожалуйста, расторгните мой договор", "мой заказ опаздывает",
    "устройство не включается", "я хочу вернуть деньги", "интернет работает очень медленно",
    "где найти мой счёт?", "пожалуйста, перезвоните мне", "мне нужен доступ к этой папке",
    "когда будет доставка?",
)  # fmt: skip


class UsualCentre:
    """The middle of what is usually written, computed at the first question."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._centre: Array | None = None

    def centred(self, vectors: Array) -> Array:
        """Unit vectors seen from the centre, shape as given; vectors of nothing stay zeros."""
        if self._centre is None:
            self._centre = self._encoder.encode(_USUAL).mean(axis=0)
        found = unit(vectors - self._centre)
        found[~self._something(vectors)] = 0.0
        return found

    @staticmethod
    def _something(vectors: Array) -> Any:
        return vectors.any(axis=1)
