"""How Deskstream is run: on one machine without containers (`deploy.local`)."""
