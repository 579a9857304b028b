"""How the simulator reaches ingest and the gateway, and where it writes."""
