"""The rooms of Deskstream: ingest > classifier > forecaster > gateway, and the simulator that feeds them."""
