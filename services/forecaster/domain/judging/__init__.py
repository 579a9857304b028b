"""How good forecasts are: rolling origins, scores, and the choice of a champion."""
