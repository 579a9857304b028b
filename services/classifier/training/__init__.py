"""Training anew from the log of labelled and corrected tickets, and judging what comes of it."""
