"""The internal port: one router per noun. Only the gateway calls it."""
