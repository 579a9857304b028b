"""Texts that every worker answers alike at the same offset; their digest shows it."""

from typing import Final

PROBES: Final = (
    "I cannot sign in any more, my password was reset", "the invoice of march was paid twice",
    "Der Drucker im zweiten Stock druckt nicht", "Не приходит счёт за февраль",
    "where is my order?", "please cancel my subscription and refund the payment", "VPN", "",
)  # fmt: skip
