"""Labels every ticket: tickets.received and tickets.corrected in, labelled and parked out."""
