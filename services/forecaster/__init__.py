"""Counts and forecasts queue load: tickets.labelled and tickets.corrected in, Redis out."""
