"""What serves before anybody trained a model: it knows no topic, but it learns."""

from typing import Final

from services.classifier.domain.labelling import ModelIdentity
from services.classifier.models.digests import digest_of
from services.classifier.models.encoding.carrier import IDENTITY
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.fast.serving import NAME, FastLabeller

VERSION: Final = "untrained"
# What every ticket is called until a topic is named or a ticket is corrected.
UNSORTED: Final = "unsorted"


def untrained(encoder: Encoder | None = None) -> FastLabeller:
    """A labeller of the one topic "unsorted"; every other one comes from the correction log."""
    topic = TextHead(encoder=encoder)
    topic.add_class(UNSORTED)
    bare = FastLabeller.of(topic, None)
    state = bare.state()
    if encoder is not None and encoder.identity.digest != IDENTITY.digest:
        # It holds no word yet, but what is learned on top of it belongs to one encoder.
        state["encoder"] = encoder.identity.digest
    return FastLabeller(topic, None, ModelIdentity(NAME, VERSION, digest_of(state)))
