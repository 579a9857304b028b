"""The multilingual encoder: a text in, a vector out, without torch."""
