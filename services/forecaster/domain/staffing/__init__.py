"""How many people a forecast asks for."""
