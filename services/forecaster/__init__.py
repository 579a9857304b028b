"""Counts and forecasts the load of every queue. Reads tickets.labelled and tickets.corrected, writes Redis."""
