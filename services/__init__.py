"""The rooms: ingest > classifier > forecaster > gateway, and the simulator that feeds them."""
