"""A made-up helpdesk: tickets, arrivals, incidents and corrections, all from one seed."""
