"""Learning-rate schedules, one per file. ``schedule.py`` says what one is; ``Warmup`` and ``Phases`` combine them."""

from trainable.schedules.breathing import Breathing
from trainable.schedules.circadian import Circadian
from trainable.schedules.constant import Constant
from trainable.schedules.cosine import Cosine
from trainable.schedules.cosmological import Cosmological
from trainable.schedules.early_decay import EarlyDecay
from trainable.schedules.one_cycle import OneCycle
from trainable.schedules.phases import Phases
from trainable.schedules.predator_prey import PredatorPrey
from trainable.schedules.punctuated import Punctuated
from trainable.schedules.schedule import Schedule
from trainable.schedules.tidal import Tidal
from trainable.schedules.warmdown import Warmdown
from trainable.schedules.warmup import Warmup
from trainable.schedules.whale import Whale

__all__ = [
    "Breathing",
    "Circadian",
    "Constant",
    "Cosine",
    "Cosmological",
    "EarlyDecay",
    "OneCycle",
    "Phases",
    "PredatorPrey",
    "Punctuated",
    "Schedule",
    "Tidal",
    "Warmdown",
    "Warmup",
    "Whale",
]
