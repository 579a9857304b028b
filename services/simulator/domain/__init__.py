"""What the made-up helpdesk says and when; no clock and no network in here."""
