"""Labels every ticket. Reads tickets.received and tickets.corrected, writes tickets.labelled and tickets.parked."""
